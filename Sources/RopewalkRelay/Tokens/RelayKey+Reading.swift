import Crypto
import Foundation

extension RelayKey {
  /// The largest key file, in bytes.
  private static let largestFile = 1 << 20

  /// All keys in a file of one or more PEM blocks; a file without any is the secret of HS256.
  static func all(inKeyFile path: String) throws(RelayError) -> [RelayKey] {
    let bytes = try read(path)
    guard let text = String(validating: bytes, as: UTF8.self), text.contains("-----BEGIN ") else {
      return [try RelayKey(withoutLineEnd(bytes))]
    }
    var keys: [RelayKey] = []
    for block in text.components(separatedBy: "-----BEGIN ").dropFirst() {
      // OpenSSL writes these before an EC key; the key names the curve as well.
      if block.hasPrefix("EC PARAMETERS-----") { continue }
      guard let key = RelayKey(pem: "-----BEGIN " + block) else {
        throw .keyFileDamaged(path: path, reason: "a PEM block is no P-256 or Ed25519 key")
      }
      keys.append(key)
    }
    guard !keys.isEmpty else { throw .keyFileDamaged(path: path, reason: "it holds no key") }
    return keys
  }

  /// The keys of a JSON Web Key Set that can check tokens here. Others (RSA, other curves, keys for
  /// encryption) are passed over, as a sign-in service may list them too.
  static func all(inJWKSFile path: String) throws(RelayError) -> [RelayKey] {
    let data = Data(try read(path))
    let set: KeySet
    do { set = try JSONDecoder().decode(KeySet.self, from: data) } catch {
      throw .keyFileDamaged(path: path, reason: "it is no JSON Web Key Set")
    }
    var keys: [RelayKey] = []
    for entry in set.keys where entry.isOfUse {
      guard let key = try entry.key() else {
        throw .keyFileDamaged(path: path, reason: "a key's fields do not make a key")
      }
      keys.append(key)
    }
    guard !keys.isEmpty else {
      throw .keyFileDamaged(path: path, reason: "it holds no key for HS256, ES256 or EdDSA")
    }
    let names = keys.compactMap(\.id)
    guard Set(names).count == names.count else {
      throw .keyFileDamaged(path: path, reason: "two keys have the same kid")
    }
    return keys
  }

  private static func read(_ path: String) throws(RelayError) -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path), data.count <= largestFile else {
      throw .keyUnreadable(path: path)
    }
    return [UInt8](data)
  }

  private static func withoutLineEnd(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    while bytes.last == 0x0a || bytes.last == 0x0d { bytes.removeLast() }
    return bytes
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

/// RFC 7517, as far as it is of use here.
private struct KeySet: Decodable {
  let keys: [Entry]

  struct Entry: Decodable {
    let kty: String
    let kid: String?
    let use: String?
    let alg: String?
    let crv: String?
    // The names are RFC 7518's.
    let x: String?
    let y: String?
    let k: String?

    var isOfUse: Bool {
      guard use == nil || use == "sig" else { return false }
      switch (kty, crv) {
      case ("oct", _): return alg == nil || alg == RelayKey.Algorithm.hs256.rawValue
      case ("EC", "P-256"): return alg == nil || alg == RelayKey.Algorithm.es256.rawValue
      case ("OKP", "Ed25519"): return alg == nil || alg == RelayKey.Algorithm.eddsa.rawValue
      default: return false
      }
    }

    /// Nil if the fields do not make a key.
    func key() throws(RelayError) -> RelayKey? {
      switch kty {
      case "oct":
        guard let secret = k.flatMap(Base64URL.decode) else { return nil }
        return try RelayKey(secret: secret, id: kid)
      case "EC":
        guard let x = x.flatMap(Base64URL.decode), let y = y.flatMap(Base64URL.decode), x.count == 32,
          y.count == 32, let key = try? P256.Signing.PublicKey(x963Representation: [4] + x + y)
        else { return nil }
        return RelayKey(.es256(key, nil), id: kid)
      default:
        guard let x = x.flatMap(Base64URL.decode),
          let key = try? Curve25519.Signing.PublicKey(rawRepresentation: x)
        else { return nil }
        return RelayKey(.eddsa(key, nil), id: kid)
      }
    }
  }
}

/// Base64 for URLs, without padding (RFC 4648, section 5).
enum Base64URL {
  static func encode(_ bytes: some Sequence<UInt8>) -> String {
    Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-")
      .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
  }

  static func decode(_ text: String) -> [UInt8]? {
    guard !text.contains("+"), !text.contains("/"), !text.contains("=") else { return nil }
    var text = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
    while !text.utf8.count.isMultiple(of: 4) { text += "=" }
    return Data(base64Encoded: text).map { [UInt8]($0) }
  }
}
