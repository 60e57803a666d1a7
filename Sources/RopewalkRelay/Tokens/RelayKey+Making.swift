import Crypto
import CryptoExtras
import Foundation

extension RelayKey {
  /// A new key that can sign, named by its thumbprint (RFC 7638) if it has a public half.
  public static func generate(_ algorithm: Algorithm) -> RelayKey {
    switch algorithm {
    case .hs256:
      let secret = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
      return RelayKey(.secret(secret))
    case .es256:
      let key = P256.Signing.PrivateKey()
      return RelayKey(.es256(key.publicKey, key)).named
    case .eddsa:
      let key = Curve25519.Signing.PrivateKey()
      return RelayKey(.eddsa(key.publicKey, key)).named
    }
  }

  /// The same key, named by its thumbprint if it has a public half.
  var named: RelayKey { thumbprint.map { RelayKey(material, id: $0) } ?? self }

  /// What a private file holds: PEM, or the secret of HS256 in base64url. Nil if only the public half is known.
  ///
  /// Whoever reads it can make tokens: write it to a file that only its owner may read.
  public var privateText: String? {
    switch material {
    case .secret(let bytes): Base64URL.encode(bytes)
    case .es256(_, let key): key?.pemRepresentation
    case .eddsa(_, let key): key?.pemRepresentation
    }
  }

  /// The public half as a member of a JSON Web Key Set; nil for HS256, which has none.
  public var publicJWK: String? {
    guard let fields = publicFields else { return nil }
    let own = [("alg", algorithm.rawValue), ("kid", id ?? thumbprint ?? ""), ("use", "sig")]
    return Self.json((fields + own).sorted { $0.0 < $1.0 })
  }

  /// RFC 7638; nil for HS256.
  var thumbprint: String? {
    publicFields.map { Base64URL.encode(SHA256.hash(data: Data(Self.json($0).utf8))) }
  }

  /// The required fields, in the order of their names.
  private var publicFields: [(String, String)]? {
    switch material {
    case .secret: return nil
    case .es256(let key, _):
      let point = [UInt8](key.x963Representation)
      return [
        ("crv", "P-256"), ("kty", "EC"), ("x", Base64URL.encode(point[1..<33])),
        ("y", Base64URL.encode(point[33...])),
      ]
    case .eddsa(let key, _):
      return [("crv", "Ed25519"), ("kty", "OKP"), ("x", Base64URL.encode(key.rawRepresentation))]
    }
  }

  /// None of the values needs an escape.
  private static func json(_ fields: [(String, String)]) -> String {
    "{" + fields.map { "\"\($0.0)\":\"\($0.1)\"" }.joined(separator: ",") + "}"
  }
}
