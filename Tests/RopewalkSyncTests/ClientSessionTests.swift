import RopewalkCore
import RopewalkSync
import Testing

/// A client's session, one rule at a time.
@Suite struct ClientSessionTests {
  private let room = RoomName("room")!
  private let number = RoomNumber(rawValue: 3)

  /// What the session sends, as messages.
  private func sent(_ effects: [ClientSession.Effect]) -> [ClientMessage] {
    effects.compactMap { effect in
      guard case .send(let bytes) = effect else { return nil }
      return try? ClientMessage(decoding: bytes)
    }
  }

  private func welcomed(_ change: (inout Limits) -> Void = { _ in }) -> ClientSession {
    var session = ClientSession(ClientSession.Configuration())
    _ = session.connected(now: 0)
    var limits = Limits()
    change(&limits)
    let welcome = RelayMessage.Welcome(
      version: 1, features: .all, codecs: [], session: 9, subject: [65], expires: nil, time: 0, limits: limits
    )
    _ = session.received(RelayMessage.welcome(welcome).encoded, now: 0)
    return session
  }

  private func joined(restart: Bool = false, role: Role = .edit) -> [UInt8] {
    RelayMessage.joined(
      RelayMessage.Joined(room: room, number: number, role: role, head: 0, isRestart: restart)
    ).encoded
  }

  private func member(_ change: (inout Limits) -> Void = { _ in }) -> ClientSession {
    var session = welcomed(change)
    _ = session.join(room, cursor: 0, digest: .zero, now: 0)
    _ = session.received(joined(), now: 0)
    return session
  }

  private func caughtUp(_ cursor: UInt64 = 0, _ digest: LogDigest = .zero) -> [UInt8] {
    RelayMessage.caughtUp(room: number, cursor: cursor, digest: digest).encoded
  }

  /// One that has read the empty log.
  private func reader(_ change: (inout Limits) -> Void = { _ in }) -> ClientSession {
    var session = member(change)
    _ = session.received(caughtUp(), now: 0)
    return session
  }

  private func header(_ seqs: Range<UInt32>) -> EntryHeader {
    EntryHeader(
      document: DocumentKey(name: DocumentName("doc")!, lineage: .blank),
      span: EventSpan(replica: ReplicaID(rawValue: 5), seqs: seqs))
  }

  private func entry(_ cursor: UInt64) -> LogEntry {
    let seq = UInt32(cursor)
    return LogEntry(cursor: cursor, subject: [], time: 0, header: header(seq..<seq + 1), payload: [1])
  }

  @Test func roomsAskedForBeforeTheWelcomeAreJoinedAfterIt() {
    var session = ClientSession(ClientSession.Configuration())
    guard case .hello? = sent(session.connected(now: 0)).first else {
      Issue.record("no hello")
      return
    }
    #expect(session.join(room, cursor: 0, digest: .zero, now: 0).isEmpty)
    let welcome = RelayMessage.Welcome(
      version: 1, features: .all, codecs: [], session: 9, subject: [], expires: nil, time: 0, limits: Limits()
    )
    let effects = session.received(RelayMessage.welcome(welcome).encoded, now: 0)
    #expect(sent(effects) == [.join(ClientMessage.Join(room: room, cursor: 0, digest: .zero))])
  }

  @Test func aSessionWithNothingToDoWakesForItsPingsAndItsPresenceAlone() {
    var session = reader()
    let hour: UInt64 = 3_600_000
    func wakings(from start: UInt64) -> Int {
      var (count, now) = (0, start)
      while let deadline = session.nextDeadline, deadline < start + hour, count < 10_000 {
        now = deadline
        count += 1
        for case .ping(let number) in sent(session.tick(now: now)) {
          _ = session.received(RelayMessage.pong(number).encoded, now: now)
        }
      }
      return count
    }
    #expect(wakings(from: 0) <= Int(hour) * 3 / Int(Limits().silence) + 1)
    _ = session.setPresence([1], in: room, now: hour)
    let presence = Int(hour) * 3 / Int(Limits().presenceLifetime) + 1
    #expect(wakings(from: hour) <= Int(hour) * 3 / Int(Limits().silence) + 1 + presence)
    #expect(session.state == .open)
  }

  @Test func entriesAreDeliveredWithTheDigestThatTheyMake() {
    var session = member()
    let entries = [entry(1), entry(2)]
    let digest = entries.reduce(LogDigest.zero) { $1.digest(after: $0) }
    let effects = session.received(RelayMessage.entries(room: number, entries).encoded, now: 0)
    #expect(effects == [.deliver(room: room, entries: entries, cursor: 2, digest: digest)])
    #expect(
      session.received(caughtUp(2, digest), now: 0) == [.caughtUp(room: room, cursor: 2), .pushReady(room)])
  }

  @Test func aGapInTheLogEndsTheConnection() {
    var session = member()
    let effects = session.received(RelayMessage.entries(room: number, [entry(2)]).encoded, now: 0)
    guard case .close(let error)? = effects.first else {
      Issue.record("the gap was taken")
      return
    }
    #expect(error.code == .protocolViolation && session.state == .closed)
  }

  @Test func anotherDigestThanPromisedEndsMembership() {
    var session = member()
    _ = session.received(RelayMessage.entries(room: number, [entry(1)]).encoded, now: 0)
    let effects = session.received(
      RelayMessage.caughtUp(room: number, cursor: 1, digest: .zero).encoded, now: 0)
    #expect(sent(effects) == [.leave(number)])
    guard case .left(_, let error)? = effects.last else {
      Issue.record("still a member")
      return
    }
    #expect(error.code == .digestMismatch)
  }

  @Test func nothingIsPushedBeforeTheLogWasRead() {
    var session = member()
    #expect(!session.canPush(to: room, now: 0))
    let digest = entry(1).digest(after: .zero)
    _ = session.received(RelayMessage.entries(room: number, [entry(1)]).encoded, now: 0)
    #expect(!session.canPush(to: room, now: 0))
    _ = session.received(caughtUp(1, digest), now: 0)
    #expect(session.canPush(to: room, now: 0))
    // What it lacks was forgotten meanwhile: it reads anew.
    #expect(!session.received(joined(restart: true), now: 0).contains(.pushReady(room)))
    #expect(!session.canPush(to: room, now: 0))
  }

  @Test func afterARestartNothingIsPushedBeforeTheLogWasRead() {
    var session = welcomed()
    _ = session.join(room, cursor: 7, digest: .zero, now: 0)
    let effects = session.received(joined(restart: true), now: 0)
    #expect(effects.contains(.restart(room)) && !effects.contains(.pushReady(room)))
    #expect(!session.canPush(to: room, now: 0))
    let digest = entry(1).digest(after: .zero)
    _ = session.received(RelayMessage.entries(room: number, [entry(1)]).encoded, now: 0)
    let end = session.received(caughtUp(1, digest), now: 0)
    #expect(end == [.caughtUp(room: room, cursor: 1), .pushReady(room)])
  }

  @Test func theWindowBoundsWhatIsInFlight() {
    var session = reader { $0.pushWindow = 2 }
    for seq in 0..<2 as Range<UInt32> {
      #expect(session.canPush(to: room, now: 0))
      _ = session.push(header(seq..<seq + 1), payload: [1], to: room, now: 0)
    }
    #expect(!session.canPush(to: room, now: 0))
    let acknowledgement = RelayMessage.Acknowledgement(push: 1, cursor: 1)
    let effects = session.received(RelayMessage.acknowledged(room: number, [acknowledgement]).encoded, now: 0)
    #expect(effects == [.acknowledged(room: room, header: header(0..<1), cursor: 1), .pushReady(room)])
  }

  @Test func anOverloadedRelayIsLeftAloneForAsLongAsItAsks() {
    var session = reader()
    _ = session.push(header(0..<1), payload: [1], to: room, now: 0)
    let refused = RelayMessage.refused(room: number, push: 1, .overloaded(retryAfter: 500)).encoded
    #expect(
      session.received(refused, now: 1000)
        == [.refused(room: room, header: header(0..<1), .overloaded(retryAfter: 500))])
    #expect(!session.canPush(to: room, now: 1499))
    #expect(session.nextDeadline == 1500)
    #expect(session.tick(now: 1500) == [.pushReady(room)])
  }

  @Test func refusalsAreCountedInLaterPushesWhateverTheReason() {
    let reasons: [Refusal] = [
      .idClash(at: 4), .covered(missing: [], through: 4), .overtaken, .forbidden, .tooLarge,
      .overloaded(retryAfter: 0),
    ]
    var session = reader()
    for (count, reason) in reasons.enumerated() {
      let number = UInt64(count) + 1
      _ = session.push(header(0..<1), payload: [1], to: room, now: 0)
      _ = session.received(RelayMessage.refused(room: self.number, push: number, reason).encoded, now: 0)
    }
    guard case .push(let push)? = sent(session.push(header(1..<2), payload: [1], to: room, now: 0)).first
    else {
      Issue.record("no push")
      return
    }
    #expect(push.refusalsSeen == 5 && push.number == 7)
  }

  @Test func viewersCannotPush() {
    var session = welcomed()
    _ = session.join(room, cursor: 0, digest: .zero, now: 0)
    _ = session.received(joined(role: .view), now: 0)
    #expect(session.received(caughtUp(), now: 0) == [.caughtUp(room: room, cursor: 0)])
    #expect(!session.canPush(to: room, now: 0))
    let effects = session.received(RelayMessage.role(room: number, .edit).encoded, now: 0)
    #expect(effects == [.roleChanged(room: room, .edit), .pushReady(room)])
  }

  @Test func aRoomLeftAndJoinedAgainBeforeTheAnswerIsJoinedOnce() {
    var session = welcomed()
    _ = session.join(room, cursor: 1, digest: .zero, now: 0)
    #expect(session.leave(room, now: 0).isEmpty)
    #expect(session.join(room, cursor: 2, digest: .zero, now: 0).isEmpty)
    let effects = session.received(joined(), now: 0)
    #expect(
      sent(effects) == [.leave(number), .join(ClientMessage.Join(room: room, cursor: 2, digest: .zero))])
    #expect(session.role(in: room) == nil)
    _ = session.received(joined(), now: 0)
    #expect(session.role(in: room) == .edit)
  }

  @Test func whatTheRelaySendsAfterALeaveIsNotDelivered() {
    var session = member()
    #expect(sent(session.leave(room, now: 0)) == [.leave(number)])
    #expect(session.received(RelayMessage.entries(room: number, [entry(1)]).encoded, now: 0).isEmpty)
  }

  /// What the relay had sent before it read of the leave, and answers to pushes of the membership that has ended.
  @Test func whatCrossesALeaveIsPassedOverUntilTheRoomIsJoinedAnew() {
    var session = reader()
    _ = session.push(header(0..<1), payload: [1], to: room, now: 0)
    _ = session.leave(room, now: 0)
    #expect(sent(session.join(room, cursor: 0, digest: .zero, now: 0)).count == 1)
    let late = [
      RelayMessage.entries(room: number, [entry(7)]).encoded, caughtUp(9),
      RelayMessage.acknowledged(room: number, [RelayMessage.Acknowledgement(push: 1, cursor: 7)]).encoded,
      RelayMessage.refused(room: number, push: 1, .idClash(at: 7)).encoded,
      RelayMessage.presence(
        room: number, isComplete: false, [RelayMessage.PresenceValue(session: 4, subject: [], value: [1])]
      ).encoded, RelayMessage.role(room: number, .view).encoded,
      RelayMessage.checkpointWanted(room: number, cursor: 0, isWhole: true).encoded,
    ]
    for message in late { #expect(session.received(message, now: 0).isEmpty) }
    _ = session.received(joined(), now: 0)
    // Answers may still come; they count for nothing in this membership.
    for message in late[2...3] { #expect(session.received(message, now: 0).isEmpty) }
    _ = session.received(caughtUp(), now: 0)
    let pushed = sent(session.push(header(0..<1), payload: [1], to: room, now: 0))
    guard case .push(let push)? = pushed.first else {
      Issue.record("no push")
      return
    }
    #expect(push.number == 2 && push.refusalsSeen == 0)
  }

  @Test func silenceIsBrokenByPingsAndEndsTheConnection() {
    var session = welcomed { $0.silence = 3000 }
    #expect(session.nextDeadline == 1000)
    #expect(sent(session.tick(now: 1000)) == [.ping(1000)])
    _ = session.received(RelayMessage.pong(1000).encoded, now: 1100)
    #expect(sent(session.tick(now: 2000)) == [.ping(2000)])
    guard case .close(let error)? = session.tick(now: 4100).first else {
      Issue.record("still open")
      return
    }
    #expect(error.code == .timedOut && error.retry == .after(milliseconds: 0))
  }

  @Test func presenceIsConflatedAndRepeated() {
    var session = member()
    #expect(sent(session.setPresence([1], in: room, now: 100)) == [.presence(room: number, value: [1])])
    #expect(session.setPresence([2], in: room, now: 110).isEmpty)
    #expect(session.setPresence([3], in: room, now: 120).isEmpty)
    #expect(session.nextDeadline == 150)
    #expect(sent(session.tick(now: 150)) == [.presence(room: number, value: [3])])
    #expect(sent(session.tick(now: 10_150)) == [.presence(room: number, value: [3])])
    let others = [
      RelayMessage.PresenceValue(session: 9, subject: [], value: [3]),
      RelayMessage.PresenceValue(session: 8, subject: [], value: [4]),
    ]
    let effects = session.received(
      RelayMessage.presence(room: number, isComplete: false, others).encoded, now: 10_200)
    #expect(effects == [.presence(room: room, isComplete: false, [others[1]])])
  }

  @Test func aDamagedMessageEndsTheConnection() {
    var session = member()
    guard case .close? = session.received([99, 1], now: 0).first else {
      Issue.record("still open")
      return
    }
    #expect(session.received(joined(), now: 0).isEmpty)
  }

  @Test func aRelayChecksOneTokenAtATimeAndThenTheNewest() {
    var session = reader()
    #expect(sent(session.refreshToken([1], now: 0)) == [.token([1])])
    #expect(session.refreshToken([2], now: 0) == [])
    #expect(session.refreshToken([3], now: 0) == [])
    let accepted = RelayMessage.tokenAccepted(expires: 5).encoded
    let effects = session.received(accepted, now: 0)
    #expect(effects.first == .tokenAccepted(expires: 5))
    #expect(sent(effects) == [.token([3])])
    #expect(session.received(accepted, now: 0) == [.tokenAccepted(expires: 5)])
    #expect(sent(session.refreshToken([4], now: 0)) == [.token([4])])
  }
}
