/// How far members are behind the logs of their rooms.
public struct RoomLag: Hashable, Sendable {
  /// How many members there are.
  public var members = 0
  /// How many of them have not been sent everything that is durable.
  public var behind = 0
  /// How many entries the last of them lacks.
  public var most: UInt64 = 0

  /// Nobody is behind.
  public init() {}

  /// Adds another room's.
  public mutating func add(_ other: RoomLag) {
    members += other.members
    behind += other.behind
    most = max(most, other.most)
  }
}

extension RelayRoom {
  /// How far the members are behind. Looks at each of them.
  public var lag: RoomLag {
    var lag = RoomLag()
    lag.members = members.count
    for member in members.values where member.claim == nil && member.place < durable.cursor {
      lag.behind += 1
      lag.most = max(lag.most, durable.cursor - member.place)
    }
    return lag
  }
}
