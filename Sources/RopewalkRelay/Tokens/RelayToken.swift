import Foundation
import JWTKit
import RopewalkSync

/// Makes tokens for development. In production a sign-in service that holds the private key does.
public enum RelayToken {
  /// Signs a token.
  ///
  /// - Parameters:
  ///   - key: one that can sign.
  ///   - subject: who, 1 to 255 bytes.
  ///   - rooms: roles by room name, or by prefix followed by `*`.
  ///   - issued: when, in milliseconds since 1970; nil to leave it out.
  ///   - expires: milliseconds since 1970.
  ///   - id: names the token, so that it can be revoked alone; nil to leave it out.
  public static func mint(
    key: RelayKey, subject: String, rooms: [String: Role], issued: UInt64? = nil, expires: UInt64,
    id: String? = nil
  ) async throws(RelayError) -> String {
    var claims = Claims(sub: subject, exp: Double(expires / 1000), rooms: rooms.mapValues { $0.name })
    claims.iat = issued.map { Double($0 / 1000) }
    claims.jti = id
    guard claims.access(open: []) != nil else {
      throw .badSetting(
        "A token needs a subject of 1 to \(WireProtocol.maximumSubjectBytes) bytes and an expiry.")
    }
    guard key.canSign else { throw .badSetting("A token is signed with a secret or a private key.") }
    do {
      let signer = try await TokenKey(key.named)
      var header = JWTHeader()
      header.kid = signer.key.id
      return try await signer.collection.sign(claims, header: header)
    } catch { throw .badSetting("The token cannot be signed.") }
  }
}

/// A key as JWTKit takes it: alone, so that no token is checked against a key it was not signed for.
struct TokenKey: Sendable {
  let key: RelayKey
  let collection: JWTKeyCollection

  /// Throws for a key that JWTKit does not take, which does not happen with those that were read.
  init(_ key: RelayKey) async throws {
    self.key = key
    let collection = JWTKeyCollection()
    switch key.material {
    case .secret(let bytes): await collection.add(hmac: HMACKey(from: bytes), digestAlgorithm: .sha256)
    case .es256(_, let privateKey?): await collection.add(ecdsa: try ES256PrivateKey(backing: privateKey))
    case .es256(let publicKey, nil): await collection.add(ecdsa: try ES256PublicKey(backing: publicKey))
    case .eddsa(_, let privateKey?): await collection.add(eddsa: EdDSA.PrivateKey(backing: privateKey))
    case .eddsa(let publicKey, nil): await collection.add(eddsa: EdDSA.PublicKey(backing: publicKey))
    }
    self.collection = collection
  }
}

extension Role {
  /// The word in tokens: `view`, `edit`, `run`, `own`.
  public var name: String {
    switch self {
    case .view: "view"
    case .edit: "edit"
    case .run: "run"
    case .own: "own"
    }
  }

  /// Reads the word.
  public init?(name: String) {
    switch name {
    case "view": self = .view
    case "edit": self = .edit
    case "run": self = .run
    case "own": self = .own
    default: return nil
    }
  }
}
