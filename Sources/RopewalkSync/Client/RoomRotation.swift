/// Which rooms hold a place, where a relay lets one connection join fewer rooms than are wanted.
///
/// Rooms take turns. A room **holds a place** from the moment that it is joined until it makes way for another; it is
/// **settled** while its log is read and everything of it acknowledged. Of the rooms that wait,
///
/// - those with unsent edits, those in which somebody shows something or waits for an answer, and those that had no turn
///   yet since the connection was made or `hurry` was called want a place **at once**;
/// - the others want one when they have waited for `Pace.rest`, which is longer where many wait, and while nothing
///   happens.
///
/// First come rooms that have waited for so long that they are overdue, then those with unsent edits, then whoever had
/// no turn for longest. They get the place of the settled room that was inactive for longest; if no room is settled,
/// that of a room that has held its own for `Pace.longest`. So on `p` places a room waits at most about
/// `longest · (n / p + 1)` beyond its rest, whatever happens in the other `n`; and rooms in which nothing happens cost
/// a join each now and then.
///
/// Knows no clock: `now` is in milliseconds of any clock that never goes back. Joins are put off as far as the
/// relay's limit of messages asks for. Every call is linear in the number of rooms at most, but for sorting those that
/// move.
public struct RoomRotation: Sendable {
  /// How fast places change hands, in milliseconds. Matters only while rooms wait.
  public struct Pace: Hashable, Sendable {
    /// How long a settled room keeps its place at least, and after something happened in it.
    public var turn: UInt64
    /// A settled room in which something happened keeps its place for so long after that, while no room waits that
    /// wants a place at once.
    public var quiet: UInt64
    /// After so long a room makes way in any case.
    public var longest: UInt64
    /// How long a room waits that has nothing to send, where at most 20 wait. Five times as long where 100 or more
    /// do; and up to four times as long while nothing happens in any room for minutes.
    public var rest: UInt64

    /// Makes a pace.
    public init(turn: UInt64, quiet: UInt64, longest: UInt64, rest: UInt64) {
      (self.turn, self.quiet) = (turn, max(turn, quiet))
      (self.longest, self.rest) = (max(turn, quiet, longest), rest)
    }

    /// For a client that stays connected.
    public static let live = Pace(turn: 250, quiet: 3000, longest: 10_000, rest: 4000)
    /// For an exchange that ends: who is settled makes way at once.
    public static let passing = Pace(turn: 0, quiet: 0, longest: 10_000, rest: 4000)
  }

  /// What to do next.
  public enum Move: Hashable, Sendable {
    /// Join the room.
    case join(RoomName)
    /// Leave it; its turn will come again.
    case leave(RoomName)
  }

  struct Room: Sendable {
    /// Since when it holds a place; nil if it waits.
    var seatedSince: UInt64?
    var waitingSince: UInt64
    /// Orders the ends of turns; 0 for no turn yet.
    var lastTurn: UInt64 = 0
    /// Orders the moments at which it was last settled; 0 for never.
    var lastSettled: UInt64 = 0
    var isSettled = false
    /// What it takes in does not count before it has all of it.
    var isPartway = false
    var hasUnsent = false
    /// Somebody waits for an answer from there.
    var isAwaited = false
    /// Somebody shows something there.
    var isAttended = false
    var lastActive: UInt64?
    /// It cannot be joined before this; `max` for not at all.
    var refusedUntil: UInt64 = 0
  }

  /// How fast places change hands.
  public var pace = Pace.live
  var rooms: [RoomName: Room] = [:]
  /// How many rooms may hold a place; 0 without a connection.
  var places = 0
  /// By the relay's word.
  private var mostPlaces = 0
  /// When to find out whether the relay allows more than it did.
  var morePlacesAt = UInt64.max
  var joins = JoinBudget()
  private var ordinal: UInt64 = 0
  /// Rooms that were not settled since want a turn at once.
  private(set) var hurriedSince: UInt64 = 0
  private(set) var lastActive: UInt64 = 0

  /// No rooms, and no connection.
  public init() {}

  // MARK: What happens

  /// A room is wanted.
  public mutating func want(_ room: RoomName, now: UInt64) {
    guard rooms[room] == nil else {
      rooms[room]?.refusedUntil = 0
      return
    }
    rooms[room] = Room(waitingSince: now)
  }

  /// A room is not wanted any more.
  public mutating func forget(_ room: RoomName) { rooms[room] = nil }

  /// A connection is open: nobody holds a place on it yet.
  public mutating func connected(_ limits: Limits, now: UInt64) {
    disconnected(now: now)
    mostPlaces = max(1, Int(clamping: limits.rooms))
    places = mostPlaces
    joins = JoinBudget(messagesPerSecond: UInt64(limits.messagesPerSecond), now: now)
    lastActive = now
    hurry()
  }

  /// The connection is gone.
  public mutating func disconnected(now: UInt64) {
    (places, morePlacesAt) = (0, .max)
    for room in rooms.keys {
      rooms[room]?.refusedUntil = 0
      endTurn(of: room, now)
    }
  }

  /// The relay does not let the room in, or has ended its membership.
  ///
  /// - Parameter until: when to try again; nil for not over this connection, unless it is wanted again.
  public mutating func refused(_ room: RoomName, until: UInt64?, now: UInt64) {
    endTurn(of: room, now)
    rooms[room]?.refusedUntil = until ?? .max
  }

  /// The relay says that these are too many rooms: those that hold a place now are as many as it allows. In a minute
  /// one more is tried.
  public mutating func tooMany(_ room: RoomName, now: UInt64) {
    refused(room, until: now + 1000, now: now)
    places = max(1, min(places, rooms.values.count { $0.seatedSince != nil }))
    morePlacesAt = now + 60_000
  }

  /// Whether a room's log is read and everything in it acknowledged.
  public mutating func settle(_ room: RoomName, _ isSettled: Bool) {
    guard rooms[room]?.seatedSince != nil else { return }
    rooms[room]?.isSettled = isSettled
    guard isSettled else { return }
    ordinal += 1
    rooms[room]?.lastSettled = ordinal
  }

  /// Something happened in a room.
  ///
  /// - Parameter isPartway: more must come before any of it counts, as with a checkpoint: the room keeps its place
  ///   as long as something comes.
  public mutating func touch(_ room: RoomName, isPartway: Bool = false, now: UInt64) {
    guard rooms[room] != nil else { return }
    rooms[room]?.lastActive = now
    rooms[room]?.isPartway = isPartway
    lastActive = now
  }

  /// Whether somebody shows something in a room: it wants a place at once, and keeps it while others have one to give.
  public mutating func attend(_ room: RoomName, _ isAttended: Bool) { rooms[room]?.isAttended = isAttended }

  /// These rooms have unsent edits, and from these somebody waits for an answer; no others.
  public mutating func setUrgent(unsent: Set<RoomName>, awaited: Set<RoomName> = []) {
    for room in rooms.keys {
      rooms[room]?.hasUnsent = unsent.contains(room)
      rooms[room]?.isAwaited = awaited.contains(room)
    }
  }

  /// Every room shall be settled once more as soon as possible, or is so now. Returns a moment, for `isDone`.
  @discardableResult public mutating func hurry() -> UInt64 {
    let moment = ordinal
    hurriedSince = moment
    ordinal += 1
    for (name, room) in rooms where room.isSettled { rooms[name]?.lastSettled = ordinal }
    return moment
  }

  // MARK: What is so

  /// Whether a room holds a place.
  package func holdsPlace(_ room: RoomName) -> Bool { rooms[room]?.seatedSince != nil }

  /// Whether a room is settled; or was since a moment, and has nothing unsent.
  public func isDone(_ room: RoomName, since moment: UInt64) -> Bool {
    guard let room = rooms[room] else { return true }
    return room.isSettled || room.lastSettled > moment && !room.hasUnsent
  }

  // MARK: Inside

  mutating func endTurn(of room: RoomName, _ now: UInt64) {
    guard rooms[room]?.seatedSince != nil else { return }
    ordinal += 1
    rooms[room]?.seatedSince = nil
    rooms[room]?.isSettled = false
    rooms[room]?.isPartway = false
    rooms[room]?.lastTurn = ordinal
    rooms[room]?.waitingSince = now
  }

  mutating func beginTurn(of room: RoomName, _ now: UInt64) {
    rooms[room]?.seatedSince = now
    rooms[room]?.isSettled = false
  }

  /// Tries one place more, if it is time.
  mutating func tryMorePlaces(_ now: UInt64) {
    guard now >= morePlacesAt else { return }
    places += 1
    morePlacesAt = places < mostPlaces ? now + 60_000 : .max
  }
}
