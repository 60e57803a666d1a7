import Crypto
import CryptoExtras
import Foundation
import RopewalkPlainText

extension RelayKey {
  /// All keys in a file of one or more PEM blocks; a file without any is the secret of HS256.
  static func all(inKeyFile path: String) throws(RelayError) -> [RelayKey] {
    try reading(path) { file in
      guard file.hasPEM else { return [try RelayKey(secret: try secret(in: file), id: nil)] }
      var keys: [RelayKey] = []
      for block in try file.pemBlocks() {
        // OpenSSL writes these before an EC key; the key names the curve as well.
        if block.label == "EC PARAMETERS" { continue }
        guard let key = RelayKey(pem: block.text) else {
          throw RelayError.keyFileDamaged(
            path: path, reason: "line \(block.line): the PEM block is no P-256 or Ed25519 key")
        }
        keys.append(key)
      }
      guard !keys.isEmpty else { throw RelayError.keyFileDamaged(path: path, reason: "it holds no key") }
      return keys
    }
  }

  /// The keys of a JSON Web Key Set that can check tokens here. Others (RSA, other curves, keys for
  /// encryption) are passed over, as a sign-in service may list them too.
  static func all(inJWKSFile path: String) throws(RelayError) -> [RelayKey] {
    try reading(path) { file in
      let json: JSONValue
      do throws(TextFileError) { json = try file.json() } catch {
        throw RelayError.keyFileDamaged(
          path: path, reason: "it is no JSON Web Key Set; \(error.reason)")
      }
      guard case .array(let entries)? = json["keys"] else {
        throw RelayError.keyFileDamaged(path: path, reason: "it is no JSON Web Key Set")
      }
      var keys: [RelayKey] = []
      for entry in entries where JSONWebKey.isOfUse(entry) {
        guard let key = try JSONWebKey.key(entry) else {
          throw RelayError.keyFileDamaged(path: path, reason: "a key's fields do not make a key")
        }
        keys.append(key)
      }
      guard !keys.isEmpty else {
        throw RelayError.keyFileDamaged(path: path, reason: "it holds no key for HS256, ES256 or EdDSA")
      }
      let names = keys.compactMap { $0.id.map { Array($0.utf8) } }
      guard Set(names).count == names.count else {
        throw RelayError.keyFileDamaged(path: path, reason: "two keys have the same kid")
      }
      return keys
    }
  }

  /// The secret in a file of one line.
  static func secret(inFile path: String) throws(RelayError) -> [UInt8] {
    try reading(path) { try secret(in: $0) }
  }

  /// A secret is one line of text. What is public is none: who knows it could make tokens.
  private static func secret(in file: TextFile) throws -> [UInt8] {
    let secret = Array(try file.onlyLine.bytes)
    if let reason = publicForm(of: secret) {
      throw RelayError.keyFileDamaged(path: file.path, reason: reason)
    }
    return secret
  }

  /// What a text is that is given for a secret and is none; nil if it may be one.
  static func publicForm(of text: [UInt8]) -> String? {
    if let json = try? JSONValue(text), case .object = json {
      return "it is JSON, and no secret; a JSON Web Key Set is a jwks-file"
    }
    let words = text.split(separator: 0x20)
    if let kind = words.first, words.count > 1,
      kind.starts(with: "ssh-".utf8) || kind.starts(with: "ecdsa-".utf8)
    {
      return "it is a public key of SSH, and no secret"
    }
    if let der = Data(base64Encoded: Data(text)), (try? P256.Signing.PublicKey(derRepresentation: der)) != nil
    {
      return "it is a public key without its first and last line, and no secret"
    }
    return nil
  }

  /// Reads a file, and says of what is wrong with it where.
  private static func reading<Value>(
    _ path: String, _ body: (TextFile) throws -> Value
  ) throws(RelayError) -> Value {
    do { return try body(try TextFile(path: path)) } catch let error as TextFileError {
      switch error.problem {
      case .unreadable, .isFolder, .tooLarge: throw .keyUnreadable(path: path)
      default: throw .keyFileDamaged(path: path, reason: error.reason)
      }
    } catch let error as RelayError {
      throw error
    } catch { throw .keyUnreadable(path: path) }
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

/// A member of a JSON Web Key Set (RFC 7517), as far as it is of use here.
private enum JSONWebKey {
  static func isOfUse(_ entry: JSONValue) -> Bool {
    guard entry["use"] == nil || entry["use"]?.text == "sig" else { return false }
    let algorithm: RelayKey.Algorithm
    switch (entry["kty"]?.text, entry["crv"]?.text) {
    case ("oct", _): algorithm = .hs256
    case ("EC", "P-256"): algorithm = .es256
    case ("OKP", "Ed25519"): algorithm = .eddsa
    default: return false
    }
    return entry["alg"] == nil || entry["alg"]?.text == algorithm.rawValue
  }

  /// Nil if the fields do not make a key.
  static func key(_ entry: JSONValue) throws(RelayError) -> RelayKey? {
    let id: String?
    switch entry["kid"] {
    case nil, .null?: id = nil
    case .string?: id = entry["kid"]?.text
    default: return nil
    }
    // The names are RFC 7518's.
    let (x, y, k) = (bytes(entry["x"]), bytes(entry["y"]), bytes(entry["k"]))
    switch entry["kty"]?.text {
    case "oct": return try k.map { secret throws(RelayError) in try RelayKey(secret: secret, id: id) }
    case "EC":
      guard let x, let y, x.count == 32, y.count == 32,
        let key = try? P256.Signing.PublicKey(x963Representation: [4] + x + y)
      else { return nil }
      return RelayKey(.es256(key, nil), id: id)
    default:
      guard let x, let key = try? Curve25519.Signing.PublicKey(rawRepresentation: x) else { return nil }
      return RelayKey(.eddsa(key, nil), id: id)
    }
  }

  private static func bytes(_ value: JSONValue?) -> [UInt8]? { value?.utf8.flatMap { Base64URL.decode($0) } }
}
