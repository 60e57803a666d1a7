import RopewalkCore
import RopewalkReplica
import RopewalkSync

/// A live connection between a replica and a relay: it joins rooms, pushes what was edited, merges what
/// others did, and connects again when the network fails, until it is disconnected.
///
/// Edits go to the replica, and changes come from it (`ReplicaDocument.changes`); the client moves them.
/// Edits that other processes make in the same file are pushed as well.
///
/// ```swift
/// let client = try Client(replica: replica, relay: "ws://127.0.0.1:7717/sync")
/// try await client.join("team")
/// try await client.sync()
/// ```
public actor Client {
  /// The replica.
  public nonisolated let replica: Replica

  let options: ClientOptions
  let address: RelayAddress
  let transport: any Transport
  nonisolated let hub = ClientHub()
  private nonisolated let executor = ClientExecutor()
  var token: String?
  var tokens = TokenKeeping()

  /// The rooms that are wanted.
  var rooms: [RoomName: RoomSession] = [:]
  /// Which of them hold a place at the relay.
  var rotation = RoomRotation()
  /// The moment of the rotation at which the connection was made.
  var connectedAt: UInt64 = 0
  /// When rooms change places next.
  var nextMoves: UInt64?
  /// When to look again whether all is exchanged, and whether something has happened since the last look.
  var evaluation = (notBefore: UInt64(0), isDue: false)
  /// What the relay allowed when it last said so.
  var knownLimits = Limits()
  /// Whether a connection is wanted: by `connect`, or for an exchange.
  var isWanted = false
  /// Whether `connect` was called, and `disconnect` was not.
  var isAskedFor = false
  /// Why the connection is not wanted any more, if nobody has asked for that.
  var offlineReason: ClientError?
  /// Whether a connection is being made.
  var isOpening = false
  var isClosed = false

  // The connection there is:
  var session: ClientSession?
  var connection: (any TransportConnection)?
  /// Counts connections, so that what was meant for an earlier one is recognised.
  var epoch: UInt64 = 0
  /// Whether a message, or what was gathered of several, is being worked off.
  var isWorking = false
  /// Rooms in which entries wait for later ones.
  var gathering: Set<RoomName> = []
  /// Takes in what was gathered.
  var takingIn: Task<Void, Never>?
  /// Counts the turns that rooms have had, so that what came in an earlier one is recognised.
  var turns: UInt64 = 0
  /// Why the connection is being closed from this side.
  var ending: Ending?
  var timer: (deadline: UInt64, task: Task<Void, Never>)?

  // The attempts to connect:
  var running: Task<Void, Never>?
  var pause: Task<Void, Never>?
  var failures = 0
  var background: [Task<Void, Never>] = []
  var waiters: [UInt64: SyncWaiter] = [:]
  var nextWaiter: UInt64 = 0
  var retentionWaiters: [RoomName: [RetentionWaiter]] = [:]

  /// Runs on a thread of the client's own.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// A client that is not connected yet.
  ///
  /// - Parameter relay: `wss://host:port/sync`, or `ws://` without encryption; the path may be left out.
  /// - Parameter token: presented in the hello; none for a relay without keys, or where
  ///   `ClientOptions.token` supplies it.
  /// - Throws: `ClientError.invalidAddress`.
  public init(
    replica: Replica, relay: String, token: String? = nil, options: ClientOptions = ClientOptions()
  ) throws(ClientError) {
    try self.init(
      replica: replica, relay: relay, token: token, options: options,
      transport: WebSocketTransport(trustFile: options.trustFile))
  }

  init(
    replica: Replica, relay: String, token: String?, options: ClientOptions, transport: any Transport
  ) throws(ClientError) {
    guard let address = RelayAddress(relay) else { throw .invalidAddress }
    self.replica = replica
    self.address = address
    self.token = token
    self.options = options
    self.transport = transport
  }

  // MARK: Rooms

  /// Becomes a member of a room, now or when the connection is made. Where that is more rooms than the relay
  /// allows on one connection, they take turns: each is read and pushed to its end, and makes way when it is
  /// quiet. One that is edited gets its turn at once. What others write in a room that waits comes some seconds
  /// later: 4 to 16 where up to 20 wait, 20 to 80 where 100 or more do, the longer the less happens anywhere.
  /// Others' presence is seen only during a turn; a room in which this client shows presence keeps its place
  /// while others have one to give. `ClientEvent.joined` comes with each turn.
  public func join(_ room: String) throws(ClientError) {
    let room = try Self.roomName(room)
    guard rooms[room] == nil || rooms[room]?.refusal != nil else { return }
    rooms[room] = RoomSession(presence: rooms[room]?.presence)
    rotation.want(room, now: options.now())
    evaluateInTime()
    arm()
  }

  /// Gives up membership. What is in the replica stays.
  public func leave(_ room: String) throws(ClientError) {
    let room = try Self.roomName(room)
    guard rooms.removeValue(forKey: room) != nil else { return }
    rotation.forget(room)
    hub.setPresence([], in: room)
    hub.setRole(nil, in: room)
    if var session {
      let effects = session.leave(room, now: options.now())
      self.session = session
      perform(effects)
    }
    evaluate()
    arm()
  }

  // MARK: Connecting

  /// Begins to connect, and keeps the connection up from then on. Returns at once: watch `states()`. While
  /// the client waits to connect again, it tries at once.
  ///
  /// A client that is connected lives until `disconnect` or `close`, whether or not anybody holds it.
  public func connect() {
    guard !isClosed else { return }
    isAskedFor = true
    start()
  }

  func start() {
    isWanted = true
    offlineReason = nil
    failures = 0
    pause?.cancel()
    if running == nil { running = Task { await self.run() } }
    if background.isEmpty { startBackground() }
  }

  /// Ends the connection and stops connecting again. What was edited stays in the replica's outbox.
  public func disconnect() { disconnect(because: nil) }

  /// - Parameter reason: shown by the state; nil where it was asked for.
  func disconnect(because reason: ClientError?) {
    isAskedFor = false
    guard isWanted else { return }
    isWanted = false
    offlineReason = reason
    end(.closedHere)
    hub.setConnectionState(.offline(reason))
    pause?.cancel()
    stopAskingForTokens()
    for task in background { task.cancel() }
    background = []
    for waiter in waiters.keys { resume(waiter, .failure(.closed)) }
    failRetention(.closed)
  }

  /// Ends everything, its streams too; the client cannot be used again. The replica stays open.
  public func close() async {
    disconnect()
    isClosed = true
    await connectionIsGone()
    hub.finish()
  }

  /// Another token: used for this connection and the next ones. What the old one did not allow is tried
  /// again. See also `ClientOptions.token`.
  public func renew(token: String?) {
    stopAskingForTokens()
    use(token)
    if isWanted, running == nil { start() } else { pause?.cancel() }
  }

  // MARK: Watching

  /// What the connection is doing now.
  public nonisolated var state: ConnectionState { hub.connectionState }
  /// What the relay allows in a room, where rooms take turns by its word at the last turn; nil while the room is
  /// not joined. `RoomStatus.role` remembers it without a connection.
  public nonisolated func role(in room: String) -> Role? { RoomName(room).flatMap { hub.role(in: $0) } }
  /// What the connection is doing, beginning with now.
  public nonisolated func states() -> AsyncStream<ConnectionState> { hub.states() }
  /// Everything that happens from now on.
  public nonisolated func events() -> AsyncStream<ClientEvent> { hub.events() }

  /// Who else is in the room, with what they show; beginning with now. Sees only the newest of what changes
  /// quickly.
  public nonisolated func presence(in room: String) throws(ClientError) -> AsyncStream<[Presence]> {
    hub.presence(in: try Self.roomName(room))
  }

  private static func roomName(_ room: String) throws(ClientError) -> RoomName {
    guard let name = RoomName(room) else { throw .invalidRoomName }
    return name
  }
}
