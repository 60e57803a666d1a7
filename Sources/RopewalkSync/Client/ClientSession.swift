import RopewalkCore

/// The client's end of one connection, for any number of rooms: messages and wishes in, effects out.
///
/// A session lives as long as its connection; after a reconnect a new one is made and the rooms are joined
/// anew from what is stored. It reads no clock and touches no socket: `now` is in milliseconds of any clock
/// that never goes back. The caller performs the effects **in order** before it hands in the next message.
/// What must happen for each is said at `Effect`.
///
/// ```
/// connected ─▶ hello ─▶ welcomed ─▶ join ─▶ joined ─▶ deliver … caughtUp ─▶ deliver …
///                                              └─▶ pushReady ─▶ push … acknowledged / refused
/// ```
public struct ClientSession: Sendable {
  /// How a session introduces itself and how much it sends ahead.
  public struct Configuration: Sendable {
    /// The token, empty for none.
    public var token: [UInt8]
    /// The compression that the caller can open.
    public var codecs: Codecs
    /// Name and version of the program, UTF-8, at most 64 bytes.
    public var agent: [UInt8]
    /// By what a relay knows a client without a token again: 16 to 32 secret random bytes, or none.
    public var identity: [UInt8]
    /// The most pushes in flight; the relay's limit holds where it is smaller.
    public var pushWindow: Int
    /// How long to wait for the welcome, in milliseconds.
    public var patience: UInt64

    /// Makes a configuration.
    public init(
      token: [UInt8] = [], codecs: Codecs = [], agent: [UInt8] = [], identity: [UInt8] = [],
      pushWindow: Int = 64, patience: UInt64 = 15_000
    ) {
      self.identity = identity
      self.token = token
      self.codecs = codecs
      self.agent = agent
      self.pushWindow = max(1, pushWindow)
      self.patience = patience
    }
  }

  /// Where a connection stands.
  public enum State: Hashable, Sendable {
    /// Not connected yet.
    case idle
    /// The hello is on its way.
    case greeting
    /// Rooms can be joined.
    case open
    /// Over. Make a new session.
    case closed
  }

  let configuration: Configuration
  /// Where the connection stands.
  public internal(set) var state = State.idle
  /// The relay's introduction; nil before it.
  public internal(set) var welcome: RelayMessage.Welcome?
  var memberships: [RoomName: Membership] = [:]
  var namesByNumber: [RoomNumber: RoomName] = [:]
  /// Joins that the relay has not answered. There is one per room at a time: a room that was left and
  /// joined again meanwhile is joined when the answer to the first has come.
  var unansweredJoins: Set<RoomName> = []
  var inFlight: [UInt64: InFlight] = [:]
  var inFlightBytes = 0
  var nextPush: UInt64 = 1
  var lastReceived: UInt64 = 0
  var lastSent: UInt64 = 0
  var lastPing: UInt64 = 0
  /// A token whose check the relay has not answered, and what is to be checked after it.
  var isRefreshing = false
  var nextToken: [UInt8]?

  /// A session for a connection that is about to be made.
  public init(_ configuration: Configuration) { self.configuration = configuration }

  /// What the relay accepts; the defaults before the welcome.
  public var limits: Limits { welcome?.limits ?? Limits() }

  /// The WebSocket is open.
  public mutating func connected(now: UInt64) -> [Effect] {
    precondition(state == .idle, "a session serves one connection")
    state = .greeting
    lastReceived = now
    lastPing = now
    let hello = ClientMessage.Hello(
      codecs: configuration.codecs, token: configuration.token, agent: configuration.agent,
      identity: configuration.identity)
    return [send(.hello(hello), now)]
  }

  /// The WebSocket is gone. Pushes that were in flight are unanswered: they are sent again, unchanged, in
  /// the next session.
  public mutating func disconnected() {
    state = .closed
    memberships = [:]
    namesByNumber = [:]
    unansweredJoins = []
    inFlight = [:]
    inFlightBytes = 0
  }

  /// Becomes a member of a room, now or as soon as the relay has said welcome.
  ///
  /// - Parameters:
  ///   - cursor: the last entry that is stored, 0 for none.
  ///   - digest: the log's digest at that cursor, as it was stored with it.
  public mutating func join(_ room: RoomName, cursor: UInt64, digest: LogDigest, now: UInt64) -> [Effect] {
    precondition(memberships[room] == nil, "a room is joined once per session")
    guard state != .closed else { return [] }
    memberships[room] = Membership(cursor: cursor, digest: digest)
    return sendJoin(room, now)
  }

  /// Gives up membership. Pushes in flight stay unanswered.
  public mutating func leave(_ room: RoomName, now: UInt64) -> [Effect] {
    guard let number = forget(room), state == .open else { return [] }
    return [send(.leave(number), now)]
  }

  /// Sends a new token before the old one expires. While the relay is checking one, the newest waits.
  public mutating func refreshToken(_ token: [UInt8], now: UInt64) -> [Effect] {
    guard state == .open else { return [] }
    guard !isRefreshing else {
      nextToken = token
      return []
    }
    isRefreshing = true
    return [send(.token(token), now)]
  }

  /// Sets what the others in a room see of this session; nil withdraws it. Kept, and sent again, until it
  /// changes.
  ///
  /// - Parameter value: at most `limits.largestPresence` bytes; a larger value changes nothing.
  public mutating func setPresence(_ value: [UInt8]?, in room: RoomName, now: UInt64) -> [Effect] {
    guard memberships[room] != nil, (value?.count ?? 0) <= Int(limits.largestPresence) else { return [] }
    if memberships[room]?.presence.value == nil, value == nil { return [] }
    memberships[room]?.presence.value = value
    memberships[room]?.presence.isDirty = true
    return sendPresence(of: room, now)
  }

  /// Sends a checkpoint that the relay wanted whole, in messages of about `maximumBytes`.
  public mutating func sendCheckpoint(
    _ parts: [CheckpointPart], of room: RoomName, at cursor: UInt64, maximumBytes: Int = 256 << 10,
    now: UInt64
  ) -> [Effect] {
    guard state == .open, let number = memberships[room]?.number else { return [] }
    var effects: [Effect] = []
    var (start, end, bytes) = (0, 0, 0)
    repeat {
      while end < parts.count, end == start || bytes + parts[end].payload.count <= maximumBytes {
        bytes += parts[end].payload.count + 64
        end += 1
      }
      let message = ClientMessage.Checkpoint(
        room: number, cursor: cursor, first: UInt64(start), isLast: end == parts.count,
        parts: Array(parts[start..<end]))
      effects.append(send(.checkpoint(message), now))
      (start, bytes) = (end, 0)
    } while start < parts.count
    return effects
  }

  /// Says what a checkpoint must be: `Checkpoint.digest` of the parts that this replica would send.
  public mutating func sendCheckpointDigest(
    _ digest: LogDigest, of room: RoomName, at cursor: UInt64, now: UInt64
  ) -> [Effect] {
    guard state == .open, let number = memberships[room]?.number else { return [] }
    return [send(.checkpointDigest(room: number, cursor: cursor, digest: digest), now)]
  }

  /// Says that a checkpoint, asked for or announced, is not what this replica has read of the log.
  public mutating func sendObjection(to cursor: UInt64, of room: RoomName, now: UInt64) -> [Effect] {
    guard state == .open, let number = memberships[room]?.number else { return [] }
    return [send(.objection(room: number, cursor: cursor), now)]
  }

  /// Asks what the relay may forget of a room's log, or sets it, which takes the role *own*.
  public mutating func requestRetention(_ retention: Retention?, of room: RoomName, now: UInt64) -> [Effect] {
    guard state == .open, let number = memberships[room]?.number else { return [] }
    return [send(.retention(room: number, retention), now)]
  }

  /// Asks for membership, unless an earlier request must be answered first.
  mutating func sendJoin(_ room: RoomName, _ now: UInt64) -> [Effect] {
    guard state == .open, let held = memberships[room], held.number == nil else { return [] }
    guard unansweredJoins.insert(room).inserted else {
      memberships[room]?.isDeferred = true
      return []
    }
    memberships[room]?.isDeferred = false
    return [send(.join(ClientMessage.Join(room: room, cursor: held.cursor, digest: held.digest)), now)]
  }

  mutating func send(_ message: ClientMessage, _ now: UInt64) -> Effect {
    lastSent = now
    return .send(message.encoded)
  }

  /// Ends the connection from this side.
  mutating func close(_ code: ErrorCode, retry: Retry, _ sentence: StaticString) -> [Effect] {
    disconnected()
    return [.close(ProtocolError(code, retry: retry, sentence))]
  }

  /// Drops a membership, and returns its number if the relay knows of it.
  mutating func forget(_ room: RoomName) -> RoomNumber? {
    guard let membership = memberships.removeValue(forKey: room) else { return nil }
    for (number, push) in inFlight where push.room == room {
      inFlight[number] = nil
      inFlightBytes -= push.bytes
    }
    guard let number = membership.number else { return nil }
    namesByNumber[number] = nil
    return number
  }
}
