import Crypto
import Foundation

@testable import RopewalkRelay

/// A public key or certificate as a file that others have, too.
struct PublicFile: Sendable {
  let name: String
  let content: [UInt8]
  /// What a relay calls it.
  let form: KeyForm

  private init(_ name: String, _ content: [UInt8], _ form: KeyForm) {
    (self.name, self.content, self.form) = (name, content, form)
  }

  private init(_ name: String, _ text: String, _ form: KeyForm) { self.init(name, Array(text.utf8), form) }

  /// Every form of a key's public half.
  static func all(of key: RelayKey) throws -> [PublicFile] {
    let (der, pem, ssh, raw): (Data, String, String, [UInt8])
    switch key.material {
    case .es256(let key, _):
      (der, pem, raw) = (key.derRepresentation, key.pemRepresentation, [UInt8](key.x963Representation))
      ssh = "ecdsa-sha2-nistp256 " + wire(["ecdsa-sha2-nistp256", "nistp256"], raw)
    case .eddsa(let key, _):
      raw = [UInt8](key.rawRepresentation)
      // RFC 8410, section 4.
      der = Data([0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00] + raw)
      pem = "-----BEGIN PUBLIC KEY-----\n\(der.base64EncodedString())\n-----END PUBLIC KEY-----"
      ssh = "ssh-ed25519 " + wire(["ssh-ed25519"], raw)
    case .secret: return []
    }
    let jwk = key.publicJWK ?? ""
    let utf16 = pem.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
    let swapped = pem.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
    let set = "{\"keys\": [\n\(jwk)\n]}\n"
    return [
      PublicFile("PEM", pem + "\n", .pem(.publicKey)),
      PublicFile("PEM with CRLF", pem.replacing("\n", with: "\r\n") + "\r\n", .pem(.publicKey)),
      PublicFile("PEM with a byte order mark", "\u{feff}" + pem, .pem(.publicKey)),
      PublicFile("PEM with a comment", "the relay's key, für alle\n" + pem, .pem(.publicKey)),
      PublicFile(
        "PEM with a comment in Latin-1", [0x66, 0xfc, 0x72, 0x0a] + Array(pem.utf8), .pem(.publicKey)),
      PublicFile("PEM in UTF-16 LE", [0xff, 0xfe] + utf16, .pem(.publicKey)),
      PublicFile("PEM in UTF-16 BE", [0xfe, 0xff] + swapped, .pem(.publicKey)),
      PublicFile("PEM in UTF-16 LE without mark", utf16, .pem(.publicKey)),
      PublicFile("PEM in UTF-16 BE without mark", swapped, .pem(.publicKey)),
      PublicFile("PEM with dashes of a word processor", pem.replacing("-----", with: "—"), .pem(.publicKey)),
      PublicFile("PEM in small letters", pem.replacing("BEGIN", with: "begin"), .pem(.publicKey)),
      PublicFile(
        "PEM without its last line", pem.replacing("-----END PUBLIC KEY-----", with: ""), .pem(.publicKey)),
      PublicFile("base64 of PEM", Data(pem.utf8).base64EncodedString(), .pem(.publicKey)),
      PublicFile("DER", [UInt8](der), .der(.publicKey)),
      PublicFile("base64 of DER", der.base64EncodedString(), .der(.publicKey)),
      PublicFile("the first line of PEM", String(der.base64EncodedString().prefix(48)), .der(.publicKey)),
      PublicFile(
        "base64 of DER in lines",
        der.base64EncodedString(options: [.lineLength64Characters, .endLineWithCarriageReturn]),
        .der(.publicKey)),
      PublicFile("base64url of DER", Base64URL.encode(der), .der(.publicKey)),
      PublicFile("SSH", ssh + " ada@example\n", .ssh(.publicKey)),
      PublicFile("SSH with options", "no-pty " + ssh, .ssh(.publicKey)),
      PublicFile("SSH's base64", String(ssh.split(separator: " ")[1]), .ssh(.publicKey)),
      PublicFile(
        "SSH2", "---- BEGIN SSH2 PUBLIC KEY ----\n\(ssh)\n---- END SSH2 PUBLIC KEY ----", .ssh(.publicKey)),
      PublicFile("a key set", set, .keySet),
      PublicFile(
        "a key set with a byte order mark and CRLF", "\u{feff}" + set.replacing("\n", with: "\r\n"), .keySet),
      PublicFile("a key set in UTF-16", [0xff, 0xfe] + set.utf16.flatMap { [UInt8($0), 0] }, .keySet),
      PublicFile("base64url of a key set", Base64URL.encode(set.utf8), .keySet),
      PublicFile("a JSON Web Key", jwk, .webKey),
      PublicFile("JSON", "[\(jwk)]", .json),
      PublicFile("damaged JSON", String(set.dropLast(3)), .json),
      PublicFile("a certificate", certificate, .pem(.certificate)),
      PublicFile("a certificate in DER", certificateDER, .der(.certificate)),
      PublicFile(
        "a certificate's first line", String(certificate.split(separator: "\n")[1]), .der(.certificate)),
      PublicFile("a token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.MDEyMzQ1Njc4OWFiY2RlZjAxMjM0", .token),
    ] + (raw.count == 65 ? [PublicFile("base64url of a point", Base64URL.encode(raw), .point)] : [])
  }

  private static func wire(_ names: [String], _ key: [UInt8]) -> String {
    let fields = names.map { Array($0.utf8) } + [key]
    return Data(fields.flatMap { [0, 0, 0, UInt8($0.count)] + $0 }).base64EncodedString()
  }

  /// Made with `openssl req -x509`, for relay.example.
  private static let certificate = """
    -----BEGIN CERTIFICATE-----
    MIIBhjCCAS2gAwIBAgIUW3gnDp3p2nUoMa1qulZ0PRKgL5IwCgYIKoZIzj0EAwIw
    GDEWMBQGA1UEAwwNcmVsYXkuZXhhbXBsZTAgFw0yNjExMjgyMjQyNTdaGA8yMTI2
    MTEwNDIyNDI1N1owGDEWMBQGA1UEAwwNcmVsYXkuZXhhbXBsZTBZMBMGByqGSM49
    AgEGCCqGSM49AwEHA0IABK0axRFPuCpCUVWHlgLO4GsZiQyKtYqaRMIQGxLCGI7p
    eKX9hTw23hofm3DbnlZ45S85BOy73nqBTSOCjK0AXO2jUzBRMB0GA1UdDgQWBBTr
    MXVkrhdOj3qBUTDrrWblQEtAxTAfBgNVHSMEGDAWgBTrMXVkrhdOj3qBUTDrrWbl
    QEtAxTAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIAMNp3N/chSC
    HBJZk6+J4J/a/o87FlMjdu33+wFQsvV4AiA+eclcDWutM8weeHRdG6M6GO83gHbq
    L5vF5feGxpG8sg==
    -----END CERTIFICATE-----

    """

  private static var certificateDER: [UInt8] {
    let lines = certificate.split(separator: "\n").dropFirst().dropLast()
    return [UInt8](Data(base64Encoded: lines.joined()) ?? Data())
  }
}
