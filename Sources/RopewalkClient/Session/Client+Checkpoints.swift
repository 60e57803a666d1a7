import RopewalkCore
import RopewalkReplica
import RopewalkSync

/// What a relay may forget of a room's log, and has forgotten.
public struct RoomRetention: Hashable, Sendable {
  /// The rule.
  public let retention: Retention
  /// The first entry that was not forgotten.
  public let oldest: UInt64
  /// The last entry that the checkpoint in use holds, 0 if there is none.
  public let checkpoint: UInt64
  /// A newer checkpoint, which any editor who has read the log can still object to.
  public let announced: Announced?

  /// A checkpoint that members have confirmed and that is not in use yet.
  public struct Announced: Hashable, Sendable {
    /// The last entry that it holds.
    public let cursor: UInt64
    /// From when on it is used unless somebody objects, milliseconds since 1970 by the relay's clock; nil while everything
    /// is kept.
    public let usable: UInt64?
  }

  init(_ message: RelayMessage.Retention) {
    retention = message.retention
    oldest = message.oldest
    checkpoint = message.checkpoint
    announced =
      message.announced == 0
      ? nil : Announced(cursor: message.announced, usable: message.usable == 0 ? nil : message.usable)
  }
}

extension Client {
  /// Who waits for the rule of a room, or for its change.
  struct RetentionWaiter {
    let wanted: Retention?
    let continuation: CheckedContinuation<Result<RoomRetention, ClientError>, Never>
  }

  /// Asks what the relay may forget of a room's log. Joins the room, and connects, if need be.
  public func retention(of room: String) async throws(ClientError) -> RoomRetention {
    try await exchangeRetention(nil, of: room)
  }

  /// Sets what the relay may forget of a room's log. Takes the role *own*: without it the relay ends the
  /// membership, which is thrown as `refused`.
  public func setRetention(_ retention: Retention, of room: String) async throws(ClientError) -> RoomRetention
  {
    try await exchangeRetention(retention, of: room)
  }

  private func exchangeRetention(_ wanted: Retention?, of room: String) async throws(ClientError)
    -> RoomRetention
  {
    guard !isClosed else { throw .closed }
    guard let name = RoomName(room) else { throw .invalidRoomName }
    try join(room)
    if running == nil { connect() }
    let result = await withCheckedContinuation { continuation in
      retentionWaiters[name, default: []].append(RetentionWaiter(wanted: wanted, continuation: continuation))
      if rooms[name]?.isJoined == true { requestRetention(of: name) }
      evaluate()
      arm()
    }
    return try result.get()
  }

  /// Sends what is waited for; the answers come in this order.
  func requestRetention(of room: RoomName) {
    guard var session, let waiter = retentionWaiters[room]?.first else { return }
    let effects = session.requestRetention(waiter.wanted, of: room, now: options.now())
    self.session = session
    perform(effects)
  }

  func answerRetention(of room: RoomName, _ result: Result<RoomRetention, ClientError>) {
    switch result {
    case .success:
      guard var waiters = retentionWaiters[room], !waiters.isEmpty else { return }
      let first = waiters.removeFirst()
      retentionWaiters[room] = waiters.isEmpty ? nil : waiters
      first.continuation.resume(returning: result)
      requestRetention(of: room)
    case .failure:
      for waiter in retentionWaiters.removeValue(forKey: room) ?? [] {
        waiter.continuation.resume(returning: result)
      }
    }
  }

  /// Nobody will answer any more.
  func failRetention(_ error: ClientError) {
    for room in retentionWaiters.keys { answerRetention(of: room, .failure(error)) }
  }

  // MARK: Checkpoints

  /// Makes the checkpoint that the relay asks for, if this replica can.
  func makeCheckpoint(of room: RoomName, at cursor: UInt64, _ isWhole: Bool) {
    let made: [CheckpointPart]?
    do throws(ReplicaError) { made = try replica.checkpointParts(of: room, at: cursor) } catch {
      // Damage is told when the document is used; the relay asks another.
      return
    }
    // Nil, and no objection: what is in this file is not only what the log says.
    guard let parts = made, var session else { return }
    let fits = parts.allSatisfy { $0.payload.count + 4096 <= Int(session.limits.largestMessage) }
    guard fits else { return }
    let now = options.now()
    let effects =
      isWhole
      ? session.sendCheckpoint(parts, of: room, at: cursor, now: now)
      : session.sendCheckpointDigest(Checkpoint.digest(of: parts), of: room, at: cursor, now: now)
    self.session = session
    perform(effects)
  }

  /// Looks at what is announced, and objects if the log that was read here gives another checkpoint.
  func check(_ digest: LogDigest, announcedFor room: RoomName, at cursor: UInt64) {
    let found: LogDigest?
    do throws(ReplicaError) {
      found = try replica.checkpointParts(of: room, at: cursor).map { Checkpoint.digest(of: $0) }
    } catch { return }
    guard let found, found != digest, var session else { return }
    let effects = session.sendObjection(to: cursor, of: room, now: options.now())
    self.session = session
    hub.publish(.checkpointObjected(room, cursor: cursor))
    perform(effects)
  }
}
