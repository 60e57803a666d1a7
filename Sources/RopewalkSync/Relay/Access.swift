/// What a token says: who, until when, and which rooms.
public struct Access: Hashable, Sendable {
  /// A right to one room, or to all rooms whose names begin in one way.
  public struct Grant: Hashable, Sendable {
    /// The name, or the prefix.
    public let name: [UInt8]
    /// `name` is a prefix.
    public let isPrefix: Bool
    /// What is allowed.
    public let role: Role

    /// Whether there can be a room that a pattern is about. Of tokens that others make, those that are about none are of no
    /// use and do no harm.
    public static func isPattern(_ pattern: [UInt8]) -> Bool {
      guard pattern.last == 0x2a else { return RoomName(utf8: pattern) != nil }
      let prefix = Array(pattern.dropLast())
      return prefix.isEmpty || WireProtocol.isName(prefix, maximumBytes: RoomName.maximumBytes)
    }

    /// Reads a pattern: a room's name, or a prefix followed by `*`.
    public init(pattern: [UInt8], role: Role) {
      isPrefix = pattern.last == 0x2a
      name = isPrefix ? Array(pattern.dropLast()) : pattern
      self.role = role
    }
  }

  /// Who, UTF-8.
  public let subject: [UInt8]
  /// Until when, milliseconds since 1970; nil for ever.
  public let expires: UInt64?
  /// Which rooms.
  public let grants: [Grant]
  /// What everybody may.
  public let open: [Grant]
  /// There is no token: `subject` stands for many.
  public let isAnonymous: Bool

  /// Describes an access.
  ///
  /// - Parameter open: what everybody may; nobody has less than that.
  public init(
    subject: [UInt8], expires: UInt64?, grants: [Grant], open: [Grant] = [], isAnonymous: Bool = false
  ) {
    self.isAnonymous = isAnonymous
    self.subject = subject
    self.expires = expires
    self.grants = grants
    self.open = open
  }

  /// The role in a room, nil for none. The most specific grant counts: the exact name, else the longest
  /// prefix. Of what the token and what everybody may, the higher role counts.
  public func role(in room: RoomName) -> Role? {
    guard let own = Self.role(in: room, grants) else { return Self.role(in: room, open) }
    return max(own, Self.role(in: room, open) ?? own)
  }

  private static func role(in room: RoomName, _ grants: [Grant]) -> Role? {
    var best: Grant?
    for grant in grants {
      if !grant.isPrefix {
        if grant.name == room.utf8 { return grant.role }
      } else if room.utf8.starts(with: grant.name), grant.name.count >= best?.name.count ?? 0 {
        best = grant
      }
    }
    return best?.role
  }
}
