import RopewalkCore
import RopewalkReplica
import RopewalkSync

/// A live connection between a replica and a relay: it joins rooms, pushes what was edited, merges what others did, and
/// connects again when the network fails, until it is disconnected.
///
/// Edits go to the replica, and changes come from it (`ReplicaDocument.changes`); the client moves them. Edits that other
/// processes make in the same file are pushed as well.
///
/// ```swift
/// let client = try Client(replica: replica, relay: "ws://127.0.0.1:7717/sync")
/// try await client.join("team")
/// try await client.sync()
/// ```
public actor Client {
  /// The replica.
  public nonisolated let replica: Replica

  /// A client that is not connected yet.
  ///
  /// - Parameter relay: `ws://host:port/sync`; the path may be left out.
  /// - Parameter token: presented in the hello; none for a relay without keys.
  public init(replica: Replica, relay: String, token: String? = nil, options: ClientOptions = ClientOptions())
    throws(ClientError)
  { fatalError() }

  /// Becomes a member of a room, now or when the connection is made.
  public func join(_ room: String) throws(ClientError) { fatalError() }
  /// Gives up membership. What is in the replica stays.
  public func leave(_ room: String) throws(ClientError) { fatalError() }

  /// Begins to connect, and keeps the connection up from then on. Returns at once: watch `states()`.
  public func connect() { fatalError() }
  /// Ends the connection and stops connecting again.
  public func disconnect() { fatalError() }
  /// Ends everything, its streams too; the client cannot be used again. The replica stays open.
  public func close() async { fatalError() }

  /// Exchanges with the relay until every room that was joined has been read to its end and the relay has acknowledged
  /// everything that was in the outbox, then returns. Connects for that long if `connect` was not called.
  ///
  /// Tries `attempts` times to reach the relay before it throws.
  public func sync(attempts: Int = 1) async throws(ClientError) { fatalError() }

  /// Another token: used for this connection and the next ones.
  public func renew(token: String?) { fatalError() }

  /// What the connection is doing now.
  public var state: ConnectionState { fatalError() }
  /// What the connection is doing, beginning with now.
  public nonisolated func states() -> AsyncStream<ConnectionState> { fatalError() }
  /// Everything that happens from now on.
  public nonisolated func events() -> AsyncStream<ClientEvent> { fatalError() }

  /// What others in the room see of this session, at most 4096 bytes; nil withdraws it. Kept over reconnections.
  public func setPresence(_ value: [UInt8]?, in room: String) throws(ClientError) { fatalError() }
  /// Who else is in the room, with what they show; beginning with now.
  public nonisolated func presence(in room: String) -> AsyncStream<[Presence]> { fatalError() }
}
