import Foundation
import JWTKit
import RopewalkSync

/// Makes tokens for development. In production another service that knows the key does.
public enum RelayToken {
  /// Signs a token.
  ///
  /// - Parameters:
  ///   - subject: who, 1 to 255 bytes.
  ///   - rooms: roles by room name, or by prefix followed by `*`.
  ///   - expires: milliseconds since 1970.
  public static func mint(
    key: RelayKey, subject: String, rooms: [String: Role], expires: UInt64
  ) async throws(RelayError) -> String {
    let claims = Claims(
      sub: subject, exp: Double(expires / 1000), rooms: rooms.mapValues { $0.name })
    guard claims.access != nil else {
      throw .badSetting(
        "A token needs a subject of 1 to \(WireProtocol.maximumSubjectBytes) bytes and an expiry.")
    }
    let keys = await JWTKeyCollection().add(hmac: HMACKey(from: key.bytes), digestAlgorithm: .sha256)
    do { return try await keys.sign(claims) } catch { throw .badSetting("The token cannot be signed.") }
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

/// The claims that a relay reads.
struct Claims: JWTPayload {
  let sub: String
  /// Seconds since 1970.
  let exp: Double
  let rooms: [String: String]

  /// Expiry is checked by the session, by the relay's clock.
  func verify(using algorithm: some JWTAlgorithm) async throws {}

  /// What the claims allow; nil if they make no sense. Roles that are not known here allow nothing.
  var access: Access? {
    let subject = Array(sub.utf8)
    guard (1...WireProtocol.maximumSubjectBytes).contains(subject.count) else { return nil }
    guard !subject.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { return nil }
    guard exp.isFinite, exp > 0, exp < 1e12 else { return nil }
    let grants = rooms.sorted { $0.key < $1.key }.compactMap { pattern, name in
      Role(name: name).map { Access.Grant(pattern: Array(pattern.utf8), role: $0) }
    }
    return Access(subject: subject, expires: UInt64(exp * 1000), grants: grants)
  }
}

/// Checks tokens. Without a key everybody is `anonymous`, who may edit.
struct TokenVerifier: Sendable {
  private let keys: JWTKeyCollection?

  init(key: RelayKey?) async {
    guard let key else {
      keys = nil
      return
    }
    keys = await JWTKeyCollection().add(hmac: HMACKey(from: key.bytes), digestAlgorithm: .sha256)
  }

  /// The access of everybody, if there is no key.
  var openAccess: Access? {
    guard keys == nil else { return nil }
    return Access(
      subject: Array("anonymous".utf8), expires: nil, grants: [Access.Grant(pattern: [0x2a], role: .edit)])
  }

  /// What a token allows; nil if it does not hold.
  func access(of token: [UInt8]) async -> Access? {
    guard let keys else { return openAccess }
    guard !token.isEmpty, let claims = try? await keys.verify(token, as: Claims.self) else { return nil }
    return claims.access
  }
}
