import RopewalkReplica
import RopewalkSync

// What comes from a log may be much. It is taken in by slices, and between two of them the client does whatever else has
// come up: what is typed goes out, the relay hears of this client, and who wants to stop it does not wait. The messages of
// a connection are worked off in their order, each to its end before the next one; only that entries wait for later ones
// for a while where taking them in takes long (`Gathering`).
extension Client {
  /// Does what one message asks for, in order.
  func work(_ effects: [ClientSession.Effect]) async {
    var rest = effects[...]
    while let index = rest.firstIndex(where: { $0.mayBeLong }), ending == nil {
      perform(Array(rest[..<index]))
      switch rest[index] {
      case .deliver(let room, let entries, let cursor, let digest):
        rooms[room]?.gathering.add(entries, cursor, digest)
        if mayTakeIn(room) { await takeInGathered(room) } else { gathering.insert(room) }
      case .checkpoint(let room, let batch):
        await takeInGathered(room)
        await take(batch, in: room)
      case let effect:
        if let room = effect.roomToBeRead { await takeInGathered(room) }
        if ending == nil { perform([effect]) }
      }
      rest = rest[(index + 1)...]
    }
    perform(Array(rest))
  }

  // MARK: Entries

  /// Whether what has come of a room's log is taken in now.
  private func mayTakeIn(_ room: RoomName) -> Bool {
    guard let state = rooms[room] else { return true }
    return !state.isRead || state.gathering.until <= options.now() || state.gathering.isFull
  }

  private func takeInGathered(_ room: RoomName) async {
    gathering.remove(room)
    guard let state = rooms[room], !state.gathering.isEmpty else { return }
    let new = state.gathering
    rooms[room]?.gathering = Gathering()
    var slices = EntrySlices(new.entries, cursor: new.cursor, digest: new.digest)
    let began = options.now()
    let isDone = await takeIn(room) { () throws(ReplicaError) in
      let received = try replica.receive(&slices, in: room)
      if !received.changes.isEmpty { rotation.touch(room, now: options.now()) }
      return (received, slices.isEmpty)
    }
    if rooms[room]?.turn == state.turn { rooms[room]?.gathering.tookIn(from: began, to: options.now()) }
    guard isDone else { return }
    showPresence(in: room)
    brought(new.entries, in: room)
  }

  /// When the next room may take in what was gathered; nil if none has something.
  var nextTakingIn: UInt64? { isWorking ? nil : gathering.compactMap { rooms[$0]?.gathering.until }.min() }

  /// Takes in what was gathered in rooms whose time has come. The next message waits meanwhile.
  func takeInGathered() {
    guard !isWorking, takingIn == nil else { return }
    let due = gathering.filter(mayTakeIn)
    guard !due.isEmpty else { return }
    isWorking = true
    takingIn = Task {
      for room in due where ending == nil { await takeInGathered(room) }
      (isWorking, takingIn) = (false, nil)
      evaluateInTime()
      arm()
    }
  }

  // MARK: Slices

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
  /// Whether this is taken in by slices, or follows what is.
  fileprivate var mayBeLong: Bool {
    switch self {
    case .deliver, .checkpoint: true
    default: roomToBeRead != nil
    }
  }

  /// The room of which everything before this must have been taken in.
  fileprivate var roomToBeRead: RoomName? {
    switch self {
    case .checkpointWanted(let room, _, _), .checkpointAnnounced(let room, _, _), .caughtUp(let room, _),
      .refused(let room, _, _), .left(let room, _):
      room
    default: nil
    }
  }
}
