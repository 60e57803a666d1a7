import RopewalkReplica
import RopewalkSync

// What comes from a log may be much. It is taken in by slices, and between two of them the client does whatever else has
// come up: what is typed goes out, the relay hears of this client, and who wants to stop it does not wait. The messages of
// a connection are worked off in their order, each to its end before the next one.
extension Client {
  /// Does what one message asks for, in order.
  func work(_ effects: [ClientSession.Effect]) async {
    var rest = effects[...]
    while let index = rest.firstIndex(where: { $0.mayBeLong }), ending == nil {
      perform(Array(rest[..<index]))
      switch rest[index] {
      case .deliver(let room, let entries, let cursor, let digest):
        await deliver(entries, cursor, digest, in: room)
      case .checkpoint(let room, let batch): await take(batch, in: room)
      default: break
      }
      rest = rest[(index + 1)...]
    }
    perform(Array(rest))
  }

  private func deliver(_ entries: [LogEntry], _ cursor: UInt64, _ digest: LogDigest, in room: RoomName) async
  {
    var slices = EntrySlices(entries, cursor: cursor, digest: digest)
    let isDone = await takeIn(room) { () throws(ReplicaError) in
      let received = try replica.receive(&slices, in: room)
      if !received.changes.isEmpty { rotation.touch(room, now: options.now()) }
      return (received, slices.isEmpty)
    }
    guard isDone else { return }
    showPresence(in: room)
    brought(entries, in: room)
  }

  /// Merges parts of a checkpoint. What is only here stays, and is pushed when the room's log has been read.
  private func take(_ batch: CheckpointBatch, in room: RoomName) async {
    var slices = CheckpointSlices(batch)
    _ = await takeIn(room) { () throws(ReplicaError) in
      rotation.touch(room, isPartway: !batch.isLast, now: options.now())
      return (try replica.receive(&slices, in: room), slices.isEmpty)
    }
  }

  /// Takes in slices until the last one, or until the room is left, or joined anew from what is stored.
  ///
  /// - Parameter next: takes in one slice, and says whether it was the last.
  /// - Returns: whether all was taken in.
  private func takeIn(
    _ room: RoomName, _ next: () throws(ReplicaError) -> (received: ReceivedEntries, isLast: Bool)
  ) async -> Bool {
    guard let turn = rooms[room]?.turn else { return false }
    rooms[room]?.isTakingIn = true
    while true {
      do throws(ReplicaError) {
        let (received, isLast) = try next()
        tell(received, in: room)
        if isLast { break }
      } catch .outOfStep {
        rejoin(room)
        return false
      } catch {
        fail(error)
        return false
      }
      await options.betweenSlices()
      guard ending == nil, rooms[room]?.turn == turn else { return false }
    }
    rooms[room]?.isTakingIn = false
    return true
  }

  private func tell(_ received: ReceivedEntries, in room: RoomName) {
    for change in received.changes { hub.publish(.changed(change)) }
    tell(received.lineageClashes, in: room)
    for cursor in received.held { hub.publish(.entryHeld(room, cursor: cursor)) }
    for cursor in received.waiting { hub.publish(.entryWaits(room, cursor: cursor)) }
    tell(received.reauthored)
  }
}

extension ClientSession.Effect {
  /// Whether this is taken in by slices.
  fileprivate var mayBeLong: Bool {
    switch self {
    case .deliver, .checkpoint: true
    default: false
    }
  }
}
