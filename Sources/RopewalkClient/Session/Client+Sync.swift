import RopewalkReplica
import RopewalkSync

extension Client {
  /// Somebody who waits for an exchange to be complete.
  struct SyncWaiter {
    let continuation: CheckedContinuation<Result<Void, ClientError>, Never>
    var attemptsLeft: Int
    /// Rooms that had a turn since this moment of the rotation are exchanged.
    let moment: UInt64
  }

  /// Exchanges with the relay until every room that was joined has been read to its end and the relay has
  /// acknowledged everything that was in the outbox, then returns. Connects for that long if `connect` was
  /// not called.
  ///
  /// Tries `attempts` times to reach the relay before it throws. Over a connection that was there before,
  /// what others pushed a moment ago may still be on its way. Where the relay refuses a room, or something in it,
  /// all else is exchanged first, and then the first refusal is thrown: `refused` for a room, `pushRefused` for
  /// events. Throws `cancelled` if the task is.
  public func sync(attempts: Int = 1) async throws(ClientError) {
    guard !isClosed else { throw .closed }
    start()
    nextWaiter += 1
    let number = nextWaiter
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        waiters[number] = SyncWaiter(
          continuation: continuation, attemptsLeft: attempts, moment: rotation.hurry())
        if Task.isCancelled { return resume(number, .failure(.cancelled)) }
        do throws(ReplicaError) { try replica.refresh() } catch {
          return resume(number, .failure(.replica(error)))
        }
        pushEverything()
      }
    } onCancel: {
      Task { await self.resume(number, .failure(.cancelled)) }
    }
    if !isAskedFor, waiters.isEmpty {
      disconnect()
      await connectionIsGone()
    }
    try result.get()
  }

  func resume(_ waiter: UInt64, _ result: Result<Void, ClientError>) {
    waiters.removeValue(forKey: waiter)?.continuation.resume(returning: result)
  }

  /// An attempt to connect, or a connection, has failed.
  func attemptFailed(_ error: ClientError) {
    for number in Array(waiters.keys) {
      waiters[number]?.attemptsLeft -= 1
      if let left = waiters[number]?.attemptsLeft, left <= 0 { resume(number, .failure(error)) }
    }
  }

  /// Looks whether all is exchanged; not after every message where that takes long since there are many rooms.
  func evaluateInTime() {
    if options.now() >= evaluation.notBefore { evaluate() } else { evaluation.isDue = true }
  }

  /// Looks whether all is exchanged, and tells those who care.
  func evaluate() {
    guard let session, session.state == .open, ending == nil else { return }
    let began = options.now()
    defer {
      let ended = options.now()
      evaluation = (ended + 3 * (ended - min(began, ended)), false)
    }
    let outboxes: [RoomName: OutboxStanding]
    do { outboxes = try replica.outboxStandings() } catch { return fail(error) }
    rotation.setUrgent(
      unsent: Set(outboxes.filter { $0.value.waiting > 0 }.keys), awaited: Set(retentionWaiters.keys))
    defer { arrange() }
    var isDone = true
    var refusals: [RoomRefusal] = []
    var passing: [RoomRefusal] = []
    for (room, state) in rooms {
      if let error = state.refusal {
        let refusal = RoomRefusal(room: room, reason: .room(error))
        if error.retry == .never { refusals.append(refusal) } else { passing.append(refusal) }
        continue
      }
      let outbox = outboxes[room] ?? OutboxStanding()
      let isExchanged = isExchanged(room, state, outbox)
      if isExchanged { refusals += RoomRefusal.all(outbox.refused, in: room) } else { isDone = false }
      let isCaughtUp = isExchanged && outbox.refused.isEmpty
      if isCaughtUp, !state.wasCaughtUp { hub.publish(.caughtUp(room)) }
      if isCaughtUp != state.wasCaughtUp { rooms[room]?.wasCaughtUp = isCaughtUp }
    }
    refusals.sort { $0.room < $1.room }
    let lacking = refusals.first { $0.lacksRights }
    if lacking != nil || isDone { seekRights(lacking?.room) }
    guard isDone else { return hub.setConnectionState(.online) }
    if passing.isEmpty {
      hub.setConnectionState(refusals.isEmpty ? .caughtUp : .partlyRefused(refusals))
    } else {
      hub.setConnectionState(.online)
    }
    let refusal = refusals.first ?? passing.min { $0.room < $1.room }
    let result: Result<Void, ClientError> = refusal.map { .failure($0.error) } ?? .success(())
    for (number, waiter) in waiters {
      let isDone = rooms.allSatisfy {
        $0.value.refusal != nil || rotation.isDone($0.key, since: waiter.moment)
      }
      if isDone { resume(number, result) }
    }
  }
}
