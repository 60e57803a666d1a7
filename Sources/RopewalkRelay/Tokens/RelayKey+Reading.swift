import Crypto
import CryptoExtras
import Foundation
import RopewalkPlainText

extension RelayKey {
  /// All keys in a file of one or more PEM blocks.
  static func all(inKeyFile path: String) throws(RelayError) -> [RelayKey] {
    let file = try KeyFile(path: path)
    let blocks = try file.reading(as: .keyFile) { (text) throws(TextFileError) in try text.pemBlocks() }
    guard !blocks.isEmpty else {
      throw file.misplaced(
        as: .keyFile, damaged: "no line begins with '-----BEGIN '",
        otherwise: "it holds no PEM key ('-----BEGIN …'); the secret of HS256 belongs into secret-file")
    }
    var keys: [RelayKey] = []
    for block in blocks {
      // OpenSSL writes these before an EC key; the key names the curve as well.
      if block.label == "EC PARAMETERS" { continue }
      guard let key = RelayKey(pem: block.text) else {
        let form = KeyForm(Array(block.text.utf8)) ?? .pem(.other)
        let reason =
          switch form {
          case .pem(.publicKey), .pem(.privateKey), .pem(.other):
            "the PEM block is not a P-256 or Ed25519 key without a passphrase"
          default: form.refusal(in: .keyFile)
          }
        throw file.damaged("line \(block.line): \(reason)")
      }
      keys.append(key)
    }
    guard !keys.isEmpty else { throw file.damaged("it holds no key") }
    return keys
  }

  /// The token in a file of one line, as Prometheus sends it. A key or certificate is not one: others have it.
  static func bearerToken(inFile path: String) throws(RelayError) -> [UInt8] {
    let file = try KeyFile(path: path)
    if let form = KeyForm(file.content), form != .token { throw file.damaged(form.refusal(in: .secret)) }
    return try file.reading(as: .secret) { (text) throws(TextFileError) in Array(try text.onlyLine.bytes) }
  }

  private init?(pem: String) {
    if let key = try? P256.Signing.PrivateKey(pemRepresentation: pem) {
      self.init(.es256(key.publicKey, key))
    } else if let key = try? P256.Signing.PublicKey(pemRepresentation: pem) {
      self.init(.es256(key, nil))
    } else if let key = try? Curve25519.Signing.PrivateKey(pemRepresentation: pem) {
      self.init(.eddsa(key.publicKey, key))
    } else if let key = try? Curve25519.Signing.PublicKey(pemRepresentation: pem) {
      self.init(.eddsa(key, nil))
    } else {
      return nil
    }
  }
}
