import RopewalkPlainText
import RopewalkSync

/// Makes tokens for development. In production a sign-in service that holds the private key does.
public enum RelayToken {
  /// Signs a token.
  ///
  /// - Parameters:
  ///   - key: one that can sign.
  ///   - subject: who, 1 to 255 bytes; not `anonymous`, who is everybody without a token.
  ///   - rooms: roles by room name, or by prefix followed by `*`. Names are compared by their bytes; of two roles
  ///     for one name the higher one counts.
  ///   - issued: when, in milliseconds since 1970; nil to leave it out.
  ///   - expires: milliseconds since 1970.
  ///   - id: names the token, so that it can be revoked alone; nil to leave it out.
  /// - Throws: `RelayError.badSetting`, which says what a token needs.
  public static func mint(
    key: RelayKey, subject: String, rooms: [(pattern: String, role: Role)], issued: UInt64? = nil,
    expires: UInt64, id: String? = nil
  ) throws(RelayError) -> String {
    var roles: [(pattern: [UInt8], role: Role)] = []
    for room in rooms {
      let pattern = Array(room.pattern.utf8)
      if let index = roles.firstIndex(where: { $0.pattern == pattern }) {
        roles[index].role = max(roles[index].role, room.role)
      } else {
        roles.append((pattern, room.role))
      }
    }
    var claims = Claims(
      sub: Array(subject.utf8), exp: Double(expires / 1000),
      rooms: roles.map { Claims.Room(pattern: $0.pattern, role: Array($0.role.name.utf8)) })
    claims.iat = issued.map { Double($0 / 1000) }
    claims.jti = id.map { Array($0.utf8) }
    guard claims.access(open: []) != nil else {
      throw .badSetting(
        "A token needs an expiry, an id of 1 to \(Revocations.longestName) bytes if it has one, and a subject of 1 to "
          + "\(WireProtocol.maximumSubjectBytes) bytes without control characters, separators of lines and characters "
          + "that turn the direction of writing.")
    }
    if Credentials.isStranger(claims.sub) {
      throw .badSetting(
        "The subject \(Credentials.stranger) is everybody without a token; a token needs another one.")
    }
    if let room = roles.first(where: { !Access.Grant.isPattern($0.pattern) }) {
      throw .badSetting(
        "No room can be called \(VisibleName.text(String(decoding: room.pattern, as: UTF8.self))): a name has 1 to "
          + "\(RoomName.maximumBytes) bytes and no * at its end, which makes it a prefix.")
    }
    guard key.canSign else { throw .badSetting("A token is signed with a secret or a private key.") }
    let key = key.named
    guard let token = SignedToken(payload: claims.json, by: key) else {
      throw .badSetting("The token cannot be signed.")
    }
    return token.text
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
