import Crypto
import CryptoExtras
import Foundation
import Testing

@testable import RopewalkRelay

/// Files that cannot be used are called what they are, with what to use in their place.
@Suite(.timeLimit(.minutes(5))) struct UnusableKeyTests {
  /// A file, and what it is.
  private struct Case {
    let content: [UInt8]
    let name: String

    init(_ name: String, _ text: String) { (content, self.name) = (Array(text.utf8), name) }
    init(_ name: String, _ data: Data) { (content, self.name) = ([UInt8](data), name) }
  }

  private static func cases() throws -> [Case] {
    let (p384, p521) = (P384.Signing.PrivateKey(), P521.Signing.PrivateKey())
    let rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
    let pem = p384.pemRepresentation
    return [
      Case("a private key of RSA (PEM)", rsa.pemRepresentation),
      Case("a private key of RSA (PEM)", rsa.pkcs8PEMRepresentation),
      Case("a public key of RSA (PEM)", rsa.publicKey.pemRepresentation),
      Case("a public key of RSA (PEM)", rsa.publicKey.pemRepresentation.replacing("\n", with: "\r\n")),
      Case("a private key of RSA (DER)", rsa.derRepresentation),
      Case("a public key of RSA (DER)", rsa.publicKey.derRepresentation),
      Case("a public key of RSA (DER)", rsa.publicKey.derRepresentation.base64EncodedString()),
      Case("a private key of P-384 (PEM)", pem),
      Case("a private key of P-384 (PEM)", "\u{feff}# for tokens\n" + pem),
      Case("a public key of P-384 (PEM)", p384.publicKey.pemRepresentation),
      Case("a public key of P-384 (DER)", p384.publicKey.derRepresentation),
      Case("a private key of P-521 (PEM)", p521.pemRepresentation),
      Case("a certificate of a key of RSA (PEM)", certificate),
      Case("a private key with a passphrase (PEM)", encrypted),
      Case("a private key with a passphrase (PEM)", encryptedByOpenSSL),
    ]
  }

  @Test func aKeyThatSignsNoTokensIsCalledWhatItIs() async throws {
    try await withKeyedFolder { folder in
      for item in try Self.cases() {
        try Data(item.content).write(to: URL(fileURLWithPath: folder.secretFile))
        let isLocked = item.name.contains("passphrase")
        let advice = isLocked ? "writes it without one" : "which 'ropewalk keys new' makes"
        for (isSecret, expected) in [(true, "it is \(item.name), not a secret; "), (false, item.name + "; ")]
        {
          do throws(RelayError) {
            _ = isSecret ? try RelayKey(secretFile: folder.secretFile) : try RelayKey(file: folder.secretFile)
            Issue.record("\(item.name) was taken")
          } catch {
            #expect("\(error)".contains(expected) && "\(error)".contains(advice), "\(item.name): \(error)")
            #expect(!"\(error)".contains("belongs into key-file"), "\(item.name): \(error)")
          }
        }
      }
      // What can be used is still sent there.
      let key = RelayKey.generate(.es256)
      try folder.write(try #require(key.privateText), to: folder.secretFile)
      do throws(RelayError) {
        _ = try RelayKey(secretFile: folder.secretFile)
        Issue.record("a private key was taken")
      } catch { #expect("\(error)".contains("it belongs into key-file"), "\(error)") }
      #expect(try RelayKey(file: folder.secretFile).fingerprint == key.fingerprint)
    }
  }

  /// Nobody may ever write into a pipe, and a device has no end.
  @Test func aPipeOrADeviceIsNotWaitedFor() async throws {
    try await withKeyedFolder { folder in
      let pipe = folder.path + "/pipe"
      #expect(mkfifo(pipe, 0o600) == 0)
      for path in [pipe, "/dev/zero", "/dev/null"] {
        let expected = "it is a pipe or a device, not a regular file"
        let reads: [(String, () throws -> Void)] = [
          ("secret", { _ = try RelayKey(secretFile: path) }), ("key", { _ = try RelayKey(file: path) }),
          ("set", { _ = try RelayKey.all(inJWKSFile: path) }),
          ("token", { _ = try RelayKey.bearerToken(inFile: path) }),
          ("certificate", { _ = try ServerCertificate(certificatePath: path, keyPath: path) }),
          ("revocations", { _ = try RevocationFile(path: path).read() }),
        ]
        for (what, read) in reads {
          do {
            try read()
            Issue.record("\(what) was read from \(path)")
          } catch { #expect("\(error)".contains(expected), "\(what) from \(path): \(error)") }
        }
      }
      // A link to a file is as good as the file.
      let text = try #require(RelayKey.generate(.hs256).privateText)
      try folder.write(text, to: folder.secretFile)
      try FileManager.default.createSymbolicLink(
        atPath: folder.path + "/link", withDestinationPath: folder.secretFile)
      #expect(try RelayKey(secretFile: folder.path + "/link").algorithm == .hs256)
    }
  }

  private static let encrypted = """
    -----BEGIN ENCRYPTED PRIVATE KEY-----
    MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgH6iXEouA1JQICCAAw
    DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEJ34ZBmkmCdK/LLKDvHn/RYEgZAG
    VArrrnkhwkMXPNvUsnptnZ7eIxUmv+iiTQH6d8NTs7OqNITHkJ/2Q2axStQsP3oT
    fYkrPEG/Pd4p+mmFZgoyIU9xFxmMtd9yzNRqVcXROlGiTXeFjwDtDnZ+xD7hINzj
    db+4/pIgj/tYCCZZwg0A+CjrJ8ynE0XJHSaSKep5HfPrUUlgTx1foQZUbs0ANkE=
    -----END ENCRYPTED PRIVATE KEY-----
    """

  private static let encryptedByOpenSSL = """
    -----BEGIN EC PRIVATE KEY-----
    Proc-Type: 4,ENCRYPTED
    DEK-Info: AES-128-CBC,EBC9768D2102DE6BB90B20DE663097D9

    n50ZMsBqVDBhR6KQpyTLQbp8YHDxKVuj3XKUC8kR5dLEiKdbmyr4tz0omiEmaa/1
    Gt6wFxNAu8WUa7Gtunb/1AaQLp6vbAf/0mhxoIEsfFExoLMkVpVkQyP5t/yhVSFD
    8pVwV9m4jJkZtwam5r5Wv9nuY7fH2rhyWQmNnrCcrDI=
    -----END EC PRIVATE KEY-----
    """

  private static let certificate = """
    -----BEGIN CERTIFICATE-----
    MIIC+TCCAeGgAwIBAgIUKhdojoMBK6ECvgZo/Tuyvl0kXk4wDQYJKoZIhvcNAQEL
    BQAwDDEKMAgGA1UEAwwBYTAeFw0yNjExMjkxMDIzMjVaFw0zNjExMjYxMDIzMjVa
    MAwxCjAIBgNVBAMMAWEwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQCu
    YaFYh2y3jYi6dqztHoiHkkObzUAjI4TOcp5Rf1YB+79UrnIdY759K8pHnX+f8bz7
    DySh0ZCCTJav6DPPWVJ4e0l3baZT8aOGgmCX74V39qb5iFl+Pk2WOjJyz+h4acpY
    QDj5MDT58B0xPcgdIKml+jbe10cWi/wKAKXdsi0Devy5PiSzcTtYn5xXI3GaNuoG
    oeNxWiOG8aEenH7d/oXg9q/xzuzP/YYofvDXGCL8WmGMXpf7+dLZ0DubvtyTygoe
    LlxAley4PxoEm42kTneED4IaheMZid7gTch7h+jyCIrvsz91kTqwJJRt7vAxiSDg
    1DJ3mOuGOaT6aoDgPBanAgMBAAGjUzBRMB0GA1UdDgQWBBQefloBHFseIhYXttpU
    uX21sAe6vzAfBgNVHSMEGDAWgBQefloBHFseIhYXttpUuX21sAe6vzAPBgNVHRMB
    Af8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4IBAQCfFK/0jHW0sk6BG7g9FTvK9Rzf
    PIJO7mQtEQYlHv39BaNLa4nkXdRAxLPIfDZQt2pqjfr4uROpoZhOPEe6WYhe+o54
    TOnB5KbOFWjslKnx/OfcCmcRbtWZInGbce13K6zkRQMQvb4IhNKOMTnT6E1T+T7+
    GPHAcG1r8KLAs0DcyjRidr4aggzVOrfn2EDOHaugLdkpvizjudovfIUbF1jB+mea
    0aos09VtbttuBkSQO72WWYdLNNYLHzsjVnJkre9hVgcvyT7tr1ZMC2wOzalpFk5Q
    65V+zPINYB5r81I/9B352ymFgzIO1tsPLIt5LadQZeABUe4Q3CkgCeXwlFfW
    -----END CERTIFICATE-----
    """
}
