import RopewalkReplica
import RopewalkSync

extension Client {
  /// Somebody who waits for an exchange to be complete.
  struct SyncWaiter {
    let continuation: CheckedContinuation<Result<Void, ClientError>, Never>
    var attemptsLeft: Int
  }

  /// Exchanges with the relay until every room that was joined has been read to its end and the relay has
  /// acknowledged everything that was in the outbox, then returns. Connects for that long if `connect` was
  /// not called.
  ///
  /// Tries `attempts` times to reach the relay before it throws. Over a connection that was there before,
  /// what others pushed a moment ago may still be on its way.
  public func sync(attempts: Int = 1) async throws(ClientError) {
    guard !isClosed else { throw .closed }
    start()
    nextWaiter += 1
    let number = nextWaiter
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        waiters[number] = SyncWaiter(continuation: continuation, attemptsLeft: attempts)
        if Task.isCancelled { return resume(number, .failure(.closed)) }
        do throws(ReplicaError) { try replica.refresh() } catch {
          return resume(number, .failure(.replica(error)))
        }
        pushEverything()
      }
    } onCancel: {
      Task { await self.resume(number, .failure(.closed)) }
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

  /// Looks whether all is exchanged, and tells those who care.
  func evaluate() {
    guard let session, session.state == .open, ending == nil else { return }
    var isCaughtUp = true
    let outboxes: [RoomName: Int]
    do { outboxes = try replica.outboxCounts() } catch { return fail(error) }
    for (room, state) in rooms {
      if let refusal = state.refusal {
        for waiter in waiters.keys { resume(waiter, .failure(.refused(room: room, refusal))) }
        continue
      }
      guard state.isRead, state.inFlight.isEmpty else {
        isCaughtUp = false
        rooms[room]?.wasCaughtUp = false
        continue
      }
      do throws(ReplicaError) {
        if outboxes[room] != nil, try replica.hasUnsent(in: room, excluding: state.refusedRows) {
          guard session.role(in: room) ?? .view < .edit else {
            isCaughtUp = false
            rooms[room]?.wasCaughtUp = false
            continue
          }
          for waiter in waiters.keys { resume(waiter, .failure(.pushRefused(room: room, .forbidden))) }
        } else if let refusal = state.pushRefusal {
          for waiter in waiters.keys { resume(waiter, .failure(.pushRefused(room: room, refusal))) }
        }
      } catch { return fail(error) }
      if rooms[room]?.wasCaughtUp == false {
        rooms[room]?.wasCaughtUp = true
        hub.publish(.caughtUp(room))
      }
    }
    hub.setConnectionState(isCaughtUp ? .caughtUp : .online)
    if isCaughtUp { for waiter in waiters.keys { resume(waiter, .success(())) } }
  }
}
