import Crypto
import Foundation
import RopewalkPlainText

extension RelayKey {
  /// The keys of a JSON Web Key Set that can check tokens here. Others (RSA, other curves, keys for encryption) are
  /// passed over, as a sign-in service may list them too.
  ///
  /// A set is public, so a secret in it that would check tokens is an error, and so is a private key: all who read the set
  /// could sign.
  static func all(inJWKSFile path: String) throws(RelayError) -> [RelayKey] {
    let file = try KeyFile(path: path)
    let json = try file.reading(as: .keySet) { (text) throws(TextFileError) in try text.json() }
    guard case .array(let entries)? = json["keys"] else {
      throw file.misplaced(
        as: .keySet, damaged: "keys is not a list", otherwise: "it is not a JSON Web Key Set, {\"keys\": […]}"
      )
    }
    var keys: [RelayKey] = []
    for (index, entry) in entries.enumerated() where JSONWebKey.checksSignatures(entry) {
      let key: RelayKey?
      switch (entry["kty"]?.text, entry["crv"]?.text) {
      case ("oct", _) where JSONWebKey.has(entry, .hs256):
        throw file.damaged(
          "key \(index + 1) is a secret (kty oct), and a set is public; its k alone belongs into secret-file")
      case ("EC", "P-256") where JSONWebKey.has(entry, .es256): key = JSONWebKey.es256(entry)
      case ("OKP", "Ed25519") where JSONWebKey.has(entry, .eddsa): key = JSONWebKey.eddsa(entry)
      default: continue
      }
      if JSONWebKey.isPrivate(entry) {
        throw file.damaged(
          "key \(index + 1) is private (it has d), and a set is public; leave d out, and make another key if others may "
            + "have read the file")
      }
      guard let key else { throw file.damaged("the fields of key \(index + 1) do not make a key") }
      keys.append(key)
    }
    guard !keys.isEmpty else {
      throw file.damaged("it holds no key that checks signatures of ES256 or EdDSA")
    }
    let names = keys.compactMap { $0.id.map { Array($0.utf8) } }
    guard Set(names).count == names.count else { throw file.damaged("two keys have the same kid") }
    return keys
  }
}

/// A member of a JSON Web Key Set (RFC 7517), as far as it is of use here. `null` is as if it were not there.
private enum JSONWebKey {
  /// Whether `use` and `key_ops` allow to check signatures, which they do where they are not there.
  static func checksSignatures(_ entry: JSONValue) -> Bool {
    if let use = member(entry, "use"), use.text != "sig" { return false }
    guard let operations = member(entry, "key_ops") else { return true }
    guard case .array(let names) = operations else { return false }
    return names.contains { $0.text == "verify" }
  }

  /// Whether it is more than the public half.
  static func isPrivate(_ entry: JSONValue) -> Bool { member(entry, "d") != nil }

  /// Whether `alg` allows an algorithm.
  static func has(_ entry: JSONValue, _ algorithm: RelayKey.Algorithm) -> Bool {
    member(entry, "alg").map { $0.text == algorithm.rawValue } ?? true
  }

  /// Nil if the fields, which are RFC 7518's, do not make a key.
  static func es256(_ entry: JSONValue) -> RelayKey? {
    guard let x = bytes(entry["x"]), let y = bytes(entry["y"]), x.count == 32, y.count == 32,
      let key = try? P256.Signing.PublicKey(x963Representation: [4] + x + y)
    else { return nil }
    return named(entry, .es256(key, nil))
  }

  /// Nil if the fields, which are RFC 8037's, do not make a key.
  static func eddsa(_ entry: JSONValue) -> RelayKey? {
    guard let x = bytes(entry["x"]), let key = try? Curve25519.Signing.PublicKey(rawRepresentation: x) else {
      return nil
    }
    return named(entry, .eddsa(key, nil))
  }

  private static func named(_ entry: JSONValue, _ material: RelayKey.Material) -> RelayKey? {
    guard let id = member(entry, "kid") else { return RelayKey(material) }
    return id.text.map { RelayKey(material, id: $0) }
  }

  private static func member(_ entry: JSONValue, _ name: StaticString) -> JSONValue? {
    if case .null? = entry[name] { return nil }
    return entry[name]
  }

  private static func bytes(_ value: JSONValue?) -> [UInt8]? { value?.utf8.flatMap { Base64URL.decode($0) } }
}
