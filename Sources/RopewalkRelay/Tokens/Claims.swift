import Foundation
import JWTKit
import RopewalkSync

/// The claims that a relay reads.
struct Claims: JWTPayload {
  let sub: String
  /// Seconds since 1970, as are `nbf` and `iat`.
  let exp: Double
  let rooms: [String: String]
  var nbf: Double?
  var iat: Double?
  var jti: String?
  var iss: String?
  var aud: Audience?

  init(sub: String, exp: Double, rooms: [String: String]) {
    self.sub = sub
    self.exp = exp
    self.rooms = rooms
  }

  /// One string or several.
  struct Audience: Codable, Sendable {
    let values: [String]

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      values = try (try? [container.decode(String.self)]) ?? container.decode([String].self)
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      try container.encode(values)
    }
  }

  /// Expiry is checked by the session, by the relay's clock.
  func verify(using algorithm: some JWTAlgorithm) async throws {}

  /// What the claims allow, beside the rooms that are open to all; nil if they make no sense. Roles that
  /// are not known here allow nothing.
  func access(open: [Access.Grant]) -> Access? {
    let subject = Array(sub.utf8)
    guard (1...WireProtocol.maximumSubjectBytes).contains(subject.count) else { return nil }
    guard !subject.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { return nil }
    guard let expires = Self.milliseconds(exp), expires > 0 else { return nil }
    let grants = rooms.sorted { $0.key < $1.key }.compactMap { pattern, name in
      Role(name: name).map { Access.Grant(pattern: Array(pattern.utf8), role: $0) }
    }
    return Access(subject: subject, expires: expires, grants: grants, open: open)
  }

  /// Nil for what is no moment.
  static func milliseconds(_ seconds: Double) -> UInt64? {
    seconds.isFinite && seconds >= 0 && seconds < 1e12 ? UInt64(seconds * 1000) : nil
  }
}
