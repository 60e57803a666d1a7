import RopewalkPlainText
import RopewalkSync

/// The claims of a token that a relay reads. Strings are bytes: names that differ only in their Unicode
/// normalisation are two names.
struct Claims: Hashable, Sendable {
  struct Room: Hashable, Sendable {
    /// A room's name, or a prefix followed by `*`.
    let pattern: [UInt8]
    /// A role's word.
    let role: [UInt8]
  }

  let sub: [UInt8]
  /// Seconds since 1970, as are `nbf` and `iat`.
  let exp: Double
  let rooms: [Room]
  var nbf: Double?
  var iat: Double?
  var jti: [UInt8]?
  var iss: [UInt8]?
  var aud: [[UInt8]] = []

  init(sub: [UInt8], exp: Double, rooms: [Room]) {
    self.sub = sub
    self.exp = exp
    self.rooms = rooms
  }

  /// Reads a token's payload; nil for what is no JSON, names a member twice, or gives a claim another type.
  init?(json bytes: [UInt8]) {
    guard let json = try? JSONValue(bytes), let sub = json["sub"]?.utf8, case .number(let exp)? = json["exp"],
      case .object(let members)? = json["rooms"]
    else { return nil }
    var rooms: [Room] = []
    for member in members {
      guard let role = member.value.utf8 else { return nil }
      rooms.append(Room(pattern: member.name, role: role))
    }
    self.init(sub: sub, exp: exp, rooms: rooms)
    guard let nbf = Self.seconds(json["nbf"]), let iat = Self.seconds(json["iat"]),
      let jti = Self.string(json["jti"]), let iss = Self.string(json["iss"]),
      let aud = Self.audience(json["aud"])
    else { return nil }
    (self.nbf, self.iat, self.jti, self.iss, self.aud) = (nbf, iat, jti, iss, aud)
  }

  /// The payload of a token with these claims.
  var json: [UInt8] {
    var members: [(String, [UInt8])] = [("exp", Self.number(exp))]
    if let iat { members.append(("iat", Self.number(iat))) }
    if let jti { members.append(("jti", JSONValue.quoted(jti))) }
    members.append(("rooms", Self.object(rooms.map { ($0.pattern, JSONValue.quoted($0.role)) })))
    members.append(("sub", JSONValue.quoted(sub)))
    return Self.object(members.map { (Array($0.0.utf8), $0.1) })
  }

  /// What the claims allow, beside the rooms that are open to all; nil if they make no sense. Roles that
  /// are not known here allow nothing.
  func access(open: [Access.Grant]) -> Access? {
    guard WireProtocol.isName(sub, maximumBytes: WireProtocol.maximumSubjectBytes) else { return nil }
    // What has no name that can be written down cannot be revoked by it.
    guard jti.map({ (1...Revocations.longestName).contains($0.count) }) ?? true else { return nil }
    guard let expires = Self.milliseconds(exp), expires > 0 else { return nil }
    let grants = rooms.compactMap { room in
      Role(name: String(decoding: room.role, as: UTF8.self)).map {
        Access.Grant(pattern: room.pattern, role: $0)
      }
    }
    return Access(subject: sub, expires: expires, grants: grants, open: open)
  }

  /// Nil for what is no moment.
  static func milliseconds(_ seconds: Double) -> UInt64? {
    seconds.isFinite && seconds >= 0 && seconds < 1e12 ? UInt64(seconds * 1000) : nil
  }

  // MARK: Members

  /// Nil for a value of another type; a member that is not there, or null, is nothing.
  private static func seconds(_ value: JSONValue?) -> Double?? {
    switch value {
    case nil, .null?: .some(nil)
    case .number(let seconds)?: seconds
    default: nil
    }
  }

  private static func string(_ value: JSONValue?) -> [UInt8]?? {
    switch value {
    case nil, .null?: .some(nil)
    case .string(let bytes)?: bytes
    default: nil
    }
  }

  /// One string or several.
  private static func audience(_ value: JSONValue?) -> [[UInt8]]? {
    switch value {
    case nil, .null?: return []
    case .string(let bytes)?: return [bytes]
    case .array(let values)?:
      let strings = values.compactMap(\.utf8)
      return strings.count == values.count ? strings : nil
    default: return nil
    }
  }

  private static func number(_ value: Double) -> [UInt8] {
    Array((Int64(exactly: value).map { "\($0)" } ?? "\(value)").utf8)
  }

  private static func object(_ members: [(name: [UInt8], value: [UInt8])]) -> [UInt8] {
    let parts = members.map { JSONValue.quoted($0.name) + [0x3a] + $0.value }
    return [0x7b] + Array(parts.joined(separator: [0x2c])) + [0x7d]
  }
}
