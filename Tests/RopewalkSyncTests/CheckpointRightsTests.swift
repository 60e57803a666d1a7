import RopewalkCore
import Testing

@testable import RopewalkSync

/// Who has a say in checkpoints when rights change, and what an upload may cost the log that all rooms share.
@Suite struct CheckpointRightsTests {
  private let number = RoomNumber(rawValue: 3)
  private let head = LogHead(cursor: 9, digest: LogDigest.zero)

  /// A room that asks its first member for a checkpoint at once.
  private func makeRoom(announced: AnnouncedCheckpoint? = nil) -> RelayRoom {
    var configuration = RelayRoom.Configuration(checkpointInterval: 1)
    configuration.checkpointPatience = 1000
    configuration.strangers = [63]
    let log = LogState(head: head, announced: announced, retention: .days(1))
    return RelayRoom(RoomName("room")!, number: number, log: log, configuration: configuration)
  }

  private func join(_ room: inout RelayRoom, _ session: UInt64, _ role: Role) -> [RelayMessage] {
    let owner = Owner(subject: [64 + UInt8(session)])
    return messages(
      room.join(
        session, owner: owner, role: role, features: .all, cursor: head.cursor, digest: head.digest),
      to: session)
  }

  private func messages(_ effects: [RelayRoom.Effect], to session: UInt64) -> [RelayMessage] {
    effects.compactMap { effect in
      guard case .send(let sessions, let message) = effect, sessions.contains(session) else { return nil }
      return try? RelayMessage(decoding: message)
    }
  }

  private func changes(_ effects: [RelayRoom.Effect]) -> [LogChange] {
    effects.compactMap { if case .change(let change) = $0 { change } else { nil } }
  }

  private func wanted(isWhole: Bool) -> RelayMessage {
    .checkpointWanted(room: number, cursor: head.cursor, isWhole: isWhole)
  }

  @Test func whoMayEditFromNowOnIsAskedAndMayObject() {
    var room = makeRoom()
    #expect(join(&room, 1, .edit).contains(wanted(isWhole: true)))
    #expect(!join(&room, 2, .view).contains(wanted(isWhole: false)))
    #expect(room.objection(at: 9, from: 2).isEmpty)
    #expect(messages(room.setRole(.edit, of: 2), to: 2) == [wanted(isWhole: false)])
    #expect(changes(room.objection(at: 9, from: 2)) == [.dropCheckpoint(cursor: 9)])
  }

  @Test func whoMayEditFromNowOnIsToldWhatIsAnnouncedAndMayObject() {
    var room = makeRoom(announced: AnnouncedCheckpoint(head: head, parts: .zero, time: 0))
    _ = join(&room, 1, .view)
    let told = RelayMessage.checkpointAnnounced(room: number, cursor: 9, digest: .zero)
    #expect(messages(room.setRole(.own, of: 1), to: 1) == [told])
    #expect(room.setRole(.edit, of: 1).isEmpty)
    #expect(changes(room.objection(at: 9, from: 1)) == [.dropCheckpoint(cursor: 9)])
  }

  @Test func whoMayNotEditAnyMoreIsNotWaitedForAndCannotObject() {
    var room = makeRoom()
    for session: UInt64 in 1...3 { _ = join(&room, session, .edit) }
    let part = CheckpointPart(
      cursor: 1, header: header(0..<9), payload: [1])
    _ = room.checkpoint(upload([part], from: 0, isLast: true), from: 1)
    _ = room.checkpointDigest(Checkpoint.digest(of: [part]), at: 9, from: 2)
    #expect(changes(room.tick(now: 0)).isEmpty)
    #expect(room.setRole(.view, of: 3).isEmpty)
    #expect(room.objection(at: 9, from: 3).isEmpty)
    let ask = changes(room.tick(now: 0))
    #expect(ask.count == 1 && ask.allSatisfy { if case .announceCheckpoint = $0 { true } else { false } })
  }

  // MARK: What an upload costs

  private func header(_ seqs: Range<UInt32>) -> EntryHeader {
    let key = DocumentKey(name: DocumentName("doc")!, lineage: .blank)
    return EntryHeader(document: key, span: EventSpan(replica: ReplicaID(rawValue: 5), seqs: seqs))
  }

  private func upload(
    _ parts: [CheckpointPart], from first: Int, isLast: Bool
  ) -> ClientMessage.Checkpoint {
    ClientMessage.Checkpoint(
      room: number, cursor: head.cursor, first: UInt64(first), isLast: isLast, parts: parts)
  }

  private func count(_ changes: [LogChange]) -> [Int] {
    changes.map { if case .storeParts(_, _, let parts) = $0 { parts.count } else { -1 } }
  }

  /// One change of the log at a time, of a bounded size: others' pushes wait for that alone.
  @Test func anUploadOfManyTinyPartsTakesOnePlaceInTheQueueOfTheLog() {
    var room = makeRoom()
    _ = join(&room, 1, .edit)
    _ = join(&room, 2, .edit)
    let parts = (0..<5000).map { index in
      CheckpointPart(cursor: 1, header: header(2 * UInt32(index)..<2 * UInt32(index) + 1), payload: [])
    }
    #expect(count(changes(room.checkpoint(upload([parts[0]], from: 0, isLast: false), from: 1))) == [1])
    for place in stride(from: 1, to: 5000, by: 1000) {
      let more = Array(parts[place..<min(5000, place + 1000)])
      let effects = room.checkpoint(upload(more, from: place, isLast: place > 4000), from: 1)
      #expect(changes(effects).isEmpty)
    }
    _ = room.checkpointDigest(Checkpoint.digest(of: parts), at: 9, from: 2)
    var stored = 1
    while stored < 5000 {
      // Nothing is announced, and nobody looks at it again and again, before all of it is stored.
      #expect(changes(room.tick(now: 5000)).isEmpty && room.nextDeadline == nil)
      let state = LogState(head: head, retention: .days(1))
      let next = changes(room.changed(state, now: 0))
      #expect(next.count == 1 && count(next)[0] <= 1024)
      guard case .storeParts(9, let first, let some)? = next.first else { break }
      #expect(first == UInt64(stored) && some == Array(parts[stored..<stored + some.count]))
      stored += some.count
    }
    #expect(stored == 5000)
    _ = room.changed(LogState(head: head, retention: .days(1)), now: 0)
    #expect(changes(room.tick(now: 5000)).count == 1)
  }

  @Test func messagesWithoutPartsCostTheLogNothing() {
    var room = makeRoom()
    _ = join(&room, 1, .edit)
    for _ in 0..<100 {
      #expect(room.checkpoint(upload([], from: 0, isLast: false), from: 1).isEmpty)
    }
    #expect(
      changes(room.checkpoint(upload([], from: 0, isLast: true), from: 1)) == [.dropCheckpoint(cursor: 9)])
  }

  // MARK: Who pays

  private func push(_ replica: UInt64) -> ClientMessage.Push {
    let key = DocumentKey(name: DocumentName("doc")!, lineage: .blank)
    let span = EventSpan(replica: ReplicaID(rawValue: replica), seqs: 0..<1)
    return ClientMessage.Push(
      room: number, number: replica, refusalsSeen: 0, header: EntryHeader(document: key, span: span),
      payload: [1])
  }

  /// Whoever they say they are: identities cost nothing.
  @Test func whatStrangersOfOneNetworkCostIsNotTakenFromThoseOfAnother() {
    var configuration = RelayRoom.Configuration()
    configuration.newIDs = (atOnce: 4, perSecond: 1)
    var room = RelayRoom(
      RoomName("room")!, number: number, head: .empty, configuration: configuration)
    func stranger(_ session: UInt64, from network: UInt8) {
      let secret = [UInt8](repeating: UInt8(session), count: 16)
      _ = room.join(
        session, owner: Owner(anonymous: [63], secret: secret, session: session), network: [network],
        role: .edit, features: [], cursor: 0, digest: .zero)
    }
    func isTaken(_ replica: UInt64, from session: UInt64) -> Bool {
      room.push(push(replica), from: session, now: 0).contains {
        if case .append = $0 { true } else { false }
      }
    }
    for session: UInt64 in 1...9 {
      stranger(session, from: 1)
      #expect(isTaken(session, from: session) == (session <= 4))
    }
    stranger(20, from: 2)
    #expect(isTaken(20, from: 20))
    // A token says who it is, wherever from.
    for (session, network): (UInt64, UInt8) in [(30, 1), (31, 2)] {
      _ = room.join(
        session, owner: Owner(subject: [65]), network: [network], role: .edit, features: [], cursor: 0,
        digest: .zero)
    }
    #expect(
      (40..<46).map { isTaken($0, from: $0.isMultiple(of: 2) ? 30 : 31) } == [
        true, true, true, true, false, false,
      ])
  }
}
