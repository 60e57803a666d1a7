import RopewalkCore
import RopewalkReplica
import RopewalkSync

extension Client {
  /// Does what the session asks for, in order, and at once.
  func perform(_ effects: [ClientSession.Effect]) {
    var index = 0
    while index < effects.count, ending == nil {
      if case .acknowledged(let room, _, _) = effects[index] {
        // Answers come in batches, and are stored in one transaction.
        var batch: [(header: EntryHeader, cursor: UInt64)] = []
        while index < effects.count, case .acknowledged(room, let header, let cursor) = effects[index] {
          batch.append((header, cursor))
          index += 1
        }
        acknowledged(batch, in: room)
      } else if case .pushReady = effects[index] {
        var ready: [RoomName] = []
        while index < effects.count, case .pushReady(let room) = effects[index] {
          ready.append(room)
          index += 1
        }
        push(ready)
      } else {
        perform(effects[index])
        index += 1
      }
    }
  }

  private func perform(_ effect: ClientSession.Effect) {
    switch effect {
    case .send(let message): send(message)
    case .welcomed(let welcome):
      failures = 0
      tokenHolds(until: welcome.expires, now: welcome.time)
      hub.setConnectionState(.online)
      knownLimits = welcome.limits
      rotation.connected(welcome.limits, now: options.now())
      connectedAt = rotation.hurry()
      arrange()
    case .joined(let joined):
      rooms[joined.room]?.isJoined = true
      hub.publish(.joined(joined.room, joined.role))
      if rooms[joined.room]?.role != joined.role { given(joined.role, in: joined.room) }
      requestRetention(of: joined.room)
    case .restart(let room):
      do { try replica.restart(room) } catch { return fail(error) }
      rooms[room]?.hasRestarted = true
      rooms[room]?.carriedUntil = nil
      hub.publish(.restarted(room))
    case .deliver, .checkpoint: assertionFailure("only messages bring these: `work` takes them")
    case .checkpointWanted(let room, let cursor, let isWhole): makeCheckpoint(of: room, at: cursor, isWhole)
    case .checkpointAnnounced(let room, let cursor, let digest): check(digest, announcedFor: room, at: cursor)
    case .retention(let room, let retention): answerRetention(of: room, .success(RoomRetention(retention)))
    case .caughtUp(let room, let cursor):
      do { tell(try replica.settle(room, at: cursor), in: room) } catch { return fail(error) }
      rooms[room]?.isRead = true
      if rooms[room]?.hasToldRefused == false { tellRefused(in: room) }
      showPresence(in: room)
      if rooms[room]?.hasRestarted == true { renewPresence(in: room) }
      push(room)
    case .pushReady(let room): push([room])
    case .acknowledged(let room, let header, let cursor): acknowledged([(header, cursor)], in: room)
    case .refused(let room, let header, let refusal): refused(header, refusal, in: room)
    case .presence(let room, let isComplete, let values): presence(values, isComplete, in: room)
    case .roleChanged(let room, let role):
      hub.publish(.roleChanged(room, role))
      given(role, in: room)
    case .tokenAccepted(let expires): tokenAccepted(expires)
    case .left(let room, let error): left(room, error)
    case .close(let error): end(ending(for: error), code: error.code.closeCode)
    }
  }

  /// Names that mean another document here than in the room; each once over a connection.
  func tell(_ clashes: [DocumentName], in room: RoomName) {
    for name in clashes where rooms[room]?.toldClashes.insert(name).inserted == true {
      hub.publish(.lineageClash(room, name))
    }
  }

  /// Another process has moved the room's place in its log: begins again from what is stored.
  func rejoin(_ room: RoomName) {
    guard var session else { return }
    let effects = session.leave(room, now: options.now())
    self.session = session
    rooms[room]?.turnEnded()
    perform(effects)
    joinNow(room)
  }

  private func left(_ room: RoomName, _ error: ProtocolError) {
    if putOff(room, because: error) { return }
    rooms[room]?.disconnected()
    rooms[room]?.refusal = error
    rotation.refused(room, until: nil, now: options.now())
    answerRetention(of: room, .failure(.refused(room: room, error)))
    hub.setPresence([], in: room)
    hub.setRole(nil, in: room)
    hub.publish(.left(room, error))
    if error.code == .forbidden {
      do { try replica.note(nil as Role?, in: room) } catch { return fail(error) }
      tellRefused(in: room)
      forbid(room)
    }
    guard case .after(let milliseconds) = error.retry else { return }
    let (epoch, sleep) = (epoch, options.sleep)
    Task { [weak self] in
      do { try await sleep(UInt64(milliseconds)) } catch { return }
      await self?.joinAgain(room, epoch)
    }
  }

  private func joinAgain(_ room: RoomName, _ epoch: UInt64) {
    guard epoch == self.epoch, let state = rooms[room], state.refusal != nil else { return }
    rooms[room]?.refusal = nil
    rotation.want(room, now: options.now())
    arrange()
    arm()
  }

  // MARK: Answers to pushes

  private func acknowledged(_ batch: [(header: EntryHeader, cursor: UInt64)], in room: RoomName) {
    do { try replica.acknowledge(batch, in: room) } catch { return fail(error) }
    for (header, cursor) in batch {
      rooms[room]?.inFlight[header] = nil
      hub.publish(.acknowledged(room, header, cursor: cursor))
    }
    if rooms[room]?.holdsPresence == true { sendPresence(in: room) }
  }
}
