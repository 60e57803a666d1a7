import RopewalkCore
import Testing

@testable import RopewalkSync

/// A room's rules, one at a time.
@Suite struct RelayRoomTests {
  private let name = RoomName("room")!

  private func makeRoom(
    head: LogHead = .empty, _ change: (inout RelayRoom.Configuration) -> Void = { _ in }
  ) -> RelayRoom {
    var configuration = RelayRoom.Configuration()
    change(&configuration)
    return RelayRoom(name, number: RoomNumber(rawValue: 3), head: head, configuration: configuration)
  }

  private func push(
    _ number: UInt64, _ seqs: Range<UInt32>, seen: UInt64 = 0, payload: [UInt8] = [1], replica: UInt64 = 5
  ) -> ClientMessage.Push {
    let key = DocumentKey(name: DocumentName("doc")!, lineage: .blank)
    let header = EntryHeader(
      document: key, span: EventSpan(replica: ReplicaID(rawValue: replica), seqs: seqs))
    return ClientMessage.Push(
      room: RoomNumber(rawValue: 3), number: number, refusalsSeen: seen, header: header, payload: payload)
  }

  private func messages(_ effects: [RelayRoom.Effect], to session: UInt64) -> [RelayMessage] {
    effects.compactMap { effect in
      switch effect {
      case .send(let sessions, let message), .feed(let sessions, let message):
        sessions.contains(session) ? try? RelayMessage(decoding: message) : nil
      case .answer(session, let message, _, _), .remove(session, _, let message):
        try? RelayMessage(decoding: message)
      default: nil
      }
    }
  }

  private func join(
    _ room: inout RelayRoom, _ session: UInt64, at head: LogHead = .empty,
    as owner: Owner = Owner(subject: [65])
  ) -> [RelayRoom.Effect] {
    room.join(
      session, owner: owner, role: .edit, features: [.presence], cursor: head.cursor, digest: head.digest)
  }

  @Test func nothingIsAcknowledgedOrSentBeforeItIsDurable() {
    var room = makeRoom()
    _ = join(&room, 1)
    _ = join(&room, 2)
    let effects = room.push(push(1, 0..<2), from: 1, now: 0)
    #expect(messages(effects, to: 1).isEmpty && messages(effects, to: 2).isEmpty)
    // Repeated by another connection while it is being appended: one entry, two answers.
    #expect(room.push(push(9, 0..<2), from: 2, now: 0).isEmpty)
    let done = room.appended(through: 1)
    let acknowledgement = RelayMessage.Acknowledgement(push: 1, cursor: 1)
    #expect(messages(done, to: 1).first == .acknowledged(room: room.number, [acknowledgement]))
    let repeated = RelayMessage.Acknowledgement(push: 9, cursor: 1)
    #expect(messages(done, to: 2).first == .acknowledged(room: room.number, [repeated]))
    #expect(messages(done, to: 2).count == 2)
  }

  @Test func whatFollowsARefusedPushIsNotTakenUntilTheClientKnows() {
    var room = makeRoom()
    _ = join(&room, 1)
    _ = join(&room, 2)
    _ = room.push(push(1, 5..<8, payload: [1]), from: 1, now: 0)
    let clash = room.push(push(1, 5..<8, payload: [2]), from: 2, now: 0)
    #expect(messages(clash, to: 2) == [.refused(room: room.number, push: 1, .idClash(at: 1))])
    let ahead = room.push(push(2, 8..<10), from: 2, now: 0)
    #expect(messages(ahead, to: 2) == [.refused(room: room.number, push: 2, .overtaken)])
    // Another replica's events may follow those that were refused.
    let other = room.push(push(3, 0..<1, replica: 6), from: 2, now: 0)
    #expect(messages(other, to: 2) == [.refused(room: room.number, push: 3, .overtaken)])
    // Others know nothing of it.
    #expect(messages(room.push(push(7, 0..<1, replica: 7), from: 1, now: 0), to: 1).isEmpty)
    let later = room.push(push(4, 8..<10, seen: 1), from: 2, now: 0)
    #expect(messages(later, to: 2).isEmpty)
    #expect(room.tail.cursor == 3)
  }

  @Test func whatTheSessionRefusesIsAnsweredInItsTurnAndHoldsBackWhatFollows() {
    let digest = LogDigest(bytes: [UInt8](repeating: 1, count: 16))!
    var room = makeRoom(head: LogHead(cursor: 9, digest: digest))
    _ = join(&room, 1, at: LogHead(cursor: 9, digest: digest))
    let first = push(1, 0..<4)
    let key = CoverageKey(first.header)
    #expect(room.push(first, from: 1, now: 0) == [.findCoverage(key)])
    // All that comes waits for it, whatever it is about.
    #expect(room.push(push(2, 4..<5), refusal: .overloaded(retryAfter: 7), from: 1, now: 0).isEmpty)
    #expect(room.push(push(3, 0..<1, replica: 6), from: 1, now: 0).isEmpty)
    let effects = room.foundCoverage([], of: key)
    #expect(room.tail.cursor == 10)
    #expect(
      messages(effects, to: 1) == [
        .refused(room: room.number, push: 2, .overloaded(retryAfter: 7)),
        .refused(room: room.number, push: 3, .overtaken),
      ])
    // The session does not count what it refused itself.
    #expect(effects.contains { if case .answer(1, _, 0, 0) = $0 { true } else { false } })
  }

  @Test func whatWaitsWhenAMemberLeavesIsNeitherTakenNorAnswered() {
    var room = makeRoom(head: LogHead(cursor: 9, digest: .zero))
    _ = join(&room, 1, at: LogHead(cursor: 9, digest: .zero))
    let first = push(1, 0..<4)
    _ = room.push(first, from: 1, now: 0)
    _ = room.push(push(2, 4..<5), from: 1, now: 0)
    let dropped = RelayRoom.Effect.answer(1, [], pushes: 1, bytes: 1)
    #expect(room.leave(1, now: 0) == [dropped, dropped])
    #expect(room.foundCoverage([], of: CoverageKey(first.header)).isEmpty)
    #expect(room.tail.cursor == 9 && room.isIdle)
  }

  @Test func whoSendsFarBeyondTheWindowWhileTheLogIsAskedIsSentAway() {
    var room = makeRoom(head: LogHead(cursor: 9, digest: .zero)) { $0.limits.pushWindow = 4 }
    _ = join(&room, 1, at: LogHead(cursor: 9, digest: .zero))
    var effects: [RelayRoom.Effect] = []
    for number: UInt64 in 0...64 {
      effects += room.push(push(number, 0..<4), refusal: number == 0 ? nil : .forbidden, from: 1, now: 0)
    }
    #expect(room.memberCount == 0)
    guard case .error(_, let error)? = messages(effects, to: 1).last else {
      Issue.record("still a member")
      return
    }
    #expect(error.code == .overloaded)
  }

  @Test func membersThatLackTheSameEntriesShareOneReadAndOneMessage() {
    let digest = LogDigest(bytes: [UInt8](repeating: 1, count: 16))!
    var room = makeRoom(head: LogHead(cursor: 2, digest: digest))
    #expect(join(&room, 1).contains(.read(from: 1, maximumBytes: 256 << 10)))
    #expect(!join(&room, 2).contains { if case .read = $0 { true } else { false } })
    let entries = (1...2).map { cursor in
      LogEntry(cursor: cursor, subject: [], time: 0, header: push(0, 0..<1).header, payload: [])
    }
    let fed = room.found(.entries(entries), from: 1)
    guard case .feed(let sessions, _) = fed.first else {
      Issue.record("nothing was fed")
      return
    }
    #expect(sessions == [1, 2] && fed.count == 1)
    // Nothing more until the socket has taken it.
    #expect(room.appended(through: 2).isEmpty)
    #expect(messages(room.ready(1), to: 1) == [.caughtUp(room: room.number, cursor: 2, digest: digest)])
  }

  @Test func aBusyMemberIsLeftBehindAndReadsLater() {
    var room = makeRoom()
    _ = join(&room, 1)
    _ = join(&room, 2)
    room.busy(2)
    _ = room.push(push(1, 0..<2), from: 1, now: 0)
    let done = room.appended(through: 1)
    #expect(messages(done, to: 1).count == 2 && messages(done, to: 2).isEmpty)
    #expect(room.ready(2) == [.read(from: 1, maximumBytes: 256 << 10)])
  }

  @Test func oldDigestsAndCoverageAreLookedUp() {
    let digest = LogDigest(bytes: [UInt8](repeating: 1, count: 16))!
    let other = LogDigest(bytes: [UInt8](repeating: 2, count: 16))!
    var room = makeRoom(head: LogHead(cursor: 9, digest: digest))
    #expect(join(&room, 1, at: LogHead(cursor: 4, digest: other)) == [.findDigest(at: 4)])
    let found = room.foundDigest(digest, at: 4)
    guard case .joined(let joined)? = messages(found, to: 1).first else {
      Issue.record("not joined")
      return
    }
    #expect(joined.isRestart)
    let wanted = push(1, 0..<4)
    let key = CoverageKey(wanted.header)
    #expect(room.push(wanted, from: 1, now: 0) == [.findCoverage(key)])
    let range = CoveredRange(seqs: 0..<4, cursor: 7, payloadHash: PayloadHash(of: [1]))
    let answer = room.foundCoverage([range], of: key)
    let acknowledgement = RelayMessage.Acknowledgement(push: 1, cursor: 7)
    #expect(messages(answer, to: 1) == [.acknowledged(room: room.number, [acknowledgement])])
  }

  @Test func whatADamagedLogHoldsBeyondItsTailIsNotBelieved() {
    var room = makeRoom(head: LogHead(cursor: 9, digest: LogDigest.zero))
    _ = join(&room, 1, at: LogHead(cursor: 9, digest: .zero))
    let wanted = push(1, 0..<4)
    let key = CoverageKey(wanted.header)
    #expect(room.push(wanted, from: 1, now: 0) == [.findCoverage(key)])
    let found = [10, 1 << 62, .max].map { (cursor: UInt64) in
      CoveredRange(seqs: 0..<4, cursor: cursor, payloadHash: PayloadHash(of: [1]))
    }
    let appended = room.foundCoverage(found, of: key).compactMap {
      if case .append(let new) = $0 { new.entry.cursor } else { nil }
    }
    #expect(appended == [10])
  }

  @Test func entriesThatADamagedLogHasOutOfOrderEndTheRoom() {
    var room = makeRoom(head: LogHead(cursor: 9, digest: LogDigest.zero))
    _ = join(&room, 1)
    let entries = [1, 9, 0].map { (cursor: UInt64) in
      LogEntry(cursor: cursor, subject: [65], time: 0, header: push(1, 0..<4).header, payload: [1])
    }
    #expect(!room.found(.entries(entries), from: 1).isEmpty)
    #expect(room.hasFailed)
  }

  @Test func whoGoesOnWritingNeedsNoLookUpHoweverLong() {
    var room = makeRoom { $0.coverageBound = 16 }
    _ = join(&room, 1)
    for seq: UInt32 in 0..<2000 {
      let effects = room.push(push(UInt64(seq), seq..<seq + 1), from: 1, now: 0)
      guard case .append = effects.first, effects.count == 1 else {
        Issue.record("\(seq): \(effects)")
        return
      }
      _ = room.appended(through: UInt64(seq) + 1)
      #expect(room.coveredRanges <= 17)
    }
    // The newest are known by their entries.
    let repeated = RelayMessage.Acknowledgement(push: 3000, cursor: 2000)
    let answer = room.push(push(3000, 1999..<2000), from: 1, now: 0)
    #expect(messages(answer, to: 1) == [.acknowledged(room: room.number, [repeated])])
  }

  @Test func whatWasSettledIsLookedUpWhenItComesAgain() {
    var room = makeRoom { $0.coverageBound = 16 }
    _ = join(&room, 1)
    for seq: UInt32 in 0..<100 {
      _ = room.push(push(UInt64(seq), seq..<seq + 1), from: 1, now: 0)
      _ = room.appended(through: UInt64(seq) + 1)
    }
    // One that is on its way when the log is asked.
    _ = room.push(push(100, 100..<101), from: 1, now: 0)
    let old = push(200, 3..<4)
    let key = CoverageKey(old.header)
    #expect(room.push(old, from: 1, now: 0) == [.findCoverage(key)])
    // What comes meanwhile waits in its order, whether it is new or not.
    #expect(room.push(push(201, 101..<102), from: 1, now: 0).isEmpty)
    #expect(room.push(push(202, 100..<101), from: 1, now: 0).isEmpty)
    _ = room.appended(through: 101)
    let found = (UInt32(0)..<100).map {
      CoveredRange(seqs: $0..<$0 + 1, cursor: UInt64($0) + 1, payloadHash: PayloadHash(of: [1]))
    }
    let effects = room.foundCoverage(found, of: key)
    let acknowledgements = messages(effects, to: 1)
    #expect(
      acknowledgements == [
        .acknowledged(room: room.number, [.init(push: 200, cursor: 4)]),
        .acknowledged(room: room.number, [.init(push: 202, cursor: 101)]),
      ])
    let appended = effects.compactMap { if case .append(let new) = $0 { new.entry.cursor } else { nil } }
    #expect(appended == [102])
  }

  @Test func coverageWithHolesIsAskedForAgainAndForgetsNothing() {
    var room = makeRoom { $0.coverageBound = 16 }
    _ = join(&room, 1)
    var log: [CoveredRange] = []
    var lookUps = 0
    func take(_ effects: [RelayRoom.Effect]) {
      for effect in effects {
        switch effect {
        case .findCoverage(let key):
          lookUps += 1
          take(room.foundCoverage(log, of: key))
        case .append(let new):
          let range = CoveredRange(
            seqs: new.entry.header.span.seqs, cursor: new.entry.cursor, payloadHash: new.payloadHash)
          log.append(range)
          take(room.appended(through: new.entry.cursor))
        default: break
        }
      }
    }
    for seq: UInt32 in 0..<200 { take(room.push(push(UInt64(seq), 2 * seq..<2 * seq + 1), from: 1, now: 0)) }
    #expect(log.count == 200 && lookUps > 0)
    for seq: UInt32 in 0..<200 { take(room.push(push(UInt64(seq), 2 * seq..<2 * seq + 1), from: 1, now: 0)) }
    #expect(log.count == 200)
  }

  @Test func aFailedLogSendsEverybodyAwayAndAnswersNothing() {
    var room = makeRoom()
    _ = join(&room, 1)
    _ = room.push(push(1, 0..<2), from: 1, now: 0)
    let effects = room.logFailed()
    guard case .error(let name?, let error)? = messages(effects, to: 1).first else {
      Issue.record("no error was sent")
      return
    }
    #expect(name == self.name && error.code == .unavailable && error.retry == .after(milliseconds: 2000))
    #expect(effects.contains(.answer(1, [], pushes: 1, bytes: 1)))
    #expect(room.hasFailed)
  }

  @Test func presenceIsConflatedExpiredAndWithdrawn() {
    var room = makeRoom()
    for session: UInt64 in 1...3 { _ = join(&room, session) }
    let first = room.setPresence([1], of: 1, now: 1000)
    #expect(messages(first, to: 2) == [presence([(1, [1])])])
    // Too soon: held back, and only the newest is told.
    #expect(room.setPresence([2], of: 1, now: 1010).isEmpty)
    #expect(room.setPresence([3], of: 1, now: 1020).isEmpty)
    room.busy(3)
    #expect(room.nextDeadline == 1050)
    let second = room.tick(now: 1050)
    #expect(messages(second, to: 2) == [presence([(1, [3])])])
    #expect(messages(second, to: 3).isEmpty)
    #expect(messages(room.ready(3), to: 3) == [presence([(1, [3])], isComplete: true)])
    let gone = room.tick(now: 1020 + 30_000)
    #expect(messages(gone, to: 2) == [presence([(1, nil)])])
    _ = room.setPresence([4], of: 2, now: 40_000)
    #expect(messages(room.leave(2, now: 50_000), to: 1) == [presence([(2, nil)])])
  }

  @Test func presenceIsOfAndForThoseWhoHaveAgreedOnIt() {
    var room = makeRoom()
    for session: UInt64 in 1...2 { _ = join(&room, session) }
    _ = room.join(
      3, owner: Owner(subject: [66]), role: .edit, features: [.checkpoints], cursor: 0, digest: .zero)
    #expect(room.setPresence([9], of: 3, now: 1000).isEmpty)
    let first = room.setPresence([1], of: 1, now: 2000)
    #expect(messages(first, to: 2) == [presence([(1, [1])])])
    #expect(messages(first, to: 3).isEmpty)
    // A newcomer, and one whose socket was full.
    let late = room.join(4, owner: Owner(subject: [66]), role: .edit, features: [], cursor: 0, digest: .zero)
    #expect(!messages(late, to: 4).contains { if case .presence = $0 { true } else { false } })
    room.busy(3)
    _ = room.setPresence([2], of: 1, now: 3000)
    #expect(messages(room.ready(3), to: 3).isEmpty)
    #expect(room.leave(3, now: 4000).isEmpty)
  }

  private func presence(_ values: [(UInt64, [UInt8]?)], isComplete: Bool = false) -> RelayMessage {
    .presence(
      room: RoomNumber(rawValue: 3), isComplete: isComplete,
      values.map { RelayMessage.PresenceValue(session: $0.0, subject: [65], value: $0.1) })
  }

  /// One who leaves thousands of holes, and so has the log read again and again.
  @Test func whoHasTheLogReadAgainAndAgainMustWaitAndNobodyElse() {
    var room = makeRoom {
      $0.coverageBound = 64
      $0.limits.pushWindow = 4
      $0.examinedPerSecond = 1000
    }
    _ = join(&room, 1, as: Owner(subject: Array("mallory".utf8)))
    _ = join(&room, 2, as: Owner(subject: Array("ann".utf8)))
    var log: [CoveredRange] = []
    var (lookUps, ofAnn, putOff, wait) = (0, 0, UInt64(0), UInt32(0))
    func take(_ effects: [RelayRoom.Effect]) {
      for effect in effects {
        switch effect {
        case .findCoverage(let key):
          if key.replica.rawValue == 5 { lookUps += 1 } else { ofAnn += 1 }
          let found = key.replica.rawValue == 5 ? log : []
          take(room.foundCoverage(found, examined: found.count + 100, of: key))
        case .append(let new):
          if new.entry.header.span.replica.rawValue == 5 {
            let seqs = new.entry.header.span.seqs
            log.append(CoveredRange(seqs: seqs, cursor: new.entry.cursor, payloadHash: new.payloadHash))
          }
          take(room.appended(through: new.entry.cursor))
        case .answer(1, let message, _, _):
          guard case .refused(_, _, .overloaded(let time))? = try? RelayMessage(decoding: message) else {
            break
          }
          (putOff, wait) = (putOff + 1, time)
        case .answer(2, let message, _, _):
          guard case .acknowledged? = try? RelayMessage(decoding: message) else {
            Issue.record("ann was refused")
            break
          }
        default: break
        }
      }
    }
    for seq: UInt32 in 0..<2000 {
      take(room.push(push(UInt64(seq), 2 * seq..<2 * seq + 1, seen: putOff), from: 1, now: 0))
      take(room.push(push(UInt64(seq), seq..<seq + 1, replica: 6), from: 2, now: 0))
    }
    // All in one moment: five seconds' worth of what the log may be read for, and no more.
    #expect(putOff > 1000 && lookUps < 50 && ofAnn == 0, "\(putOff), \(lookUps), \(ofAnn)")
    #expect(room.coveredRanges <= 65)
    // What was put off is taken when it comes again in time.
    let (before, due) = (log.count, UInt64(wait))
    take(room.push(push(9000, 9000..<9001, seen: putOff), from: 1, now: due - 2))
    #expect(log.count == before)
    take(room.push(push(9000, 9000..<9001, seen: putOff), from: 1, now: due))
    #expect(log.count == before + 1)
  }

  @Test func whoBeginsIDsWithoutEndIsSlowedAndNobodyElse() {
    var room = makeRoom { $0.newIDs = (atOnce: 10, perSecond: 2) }
    _ = join(&room, 1)
    _ = join(&room, 2, as: Owner(subject: [66]))
    func isTaken(_ effects: [RelayRoom.Effect]) -> Bool {
      effects.contains { if case .append = $0 { true } else { false } }
    }
    var refusals: UInt64 = 0
    for number in 0..<20 as Range<UInt64> {
      let effects = room.push(push(number + 1, 0..<1, seen: refusals, replica: 100 + number), from: 1, now: 0)
      #expect(isTaken(effects) == (number < 10))
      if number >= 10 {
        refusals += 1
        #expect(
          messages(effects, to: 1) == [
            .refused(room: room.number, push: number + 1, .overloaded(retryAfter: 501))
          ])
      }
    }
    // Who goes on under an id is not concerned, nor is anybody else.
    #expect(isTaken(room.push(push(30, 1..<2, seen: refusals, replica: 100), from: 1, now: 0)))
    #expect(isTaken(room.push(push(1, 0..<1, replica: 500), from: 2, now: 0)))
    // Later it may go on.
    #expect(isTaken(room.push(push(31, 0..<1, seen: refusals, replica: 300), from: 1, now: 501)))
    #expect(!isTaken(room.push(push(32, 0..<1, seen: refusals, replica: 301), from: 1, now: 502)))
  }
}
