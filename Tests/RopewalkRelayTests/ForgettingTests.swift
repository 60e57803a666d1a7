import Foundation
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// What a relay asks for before it forgets, and what it tells those who come too late.
@Suite(.timeLimit(.minutes(5))) struct ForgettingTests {
  /// A relay whose room may be forgotten at once, with Ann and Ben in it, who may edit, and four entries of Ann's.
  private func withFullRoom(
    grace: UInt64 = 0, others: [String] = [], isOpen: Bool = false,
    _ body: (Relay, KeyedFolder, RelayKey, [Peer], RoomNumber) async throws -> Void
  ) async throws {
    let key = RelayKey.generate(.hs256)
    try await withKeyedFolder { folder in
      try await folder.withRelay {
        $0.key = key
        $0.checkpointInterval = 4
        $0.checkpointGrace = grace
        $0.metricsAddress = .init(host: "127.0.0.1", port: 0)
        if isOpen { $0.publicRooms = [.init(pattern: "*", role: .edit)] }
      } _: { relay in
        let owner = try await Self.peer("owner", key, relay, .own)
        var number = try await owner.join(.test).joined.number
        _ = try await Self.state(owner, number, setting: .days(0))
        try await owner.say(.leave(number))
        try await owner.say(.ping(1))
        while try await owner.hear() != .pong(1) {}
        var peers: [Peer] = []
        for subject in ["ann", "ben"] + others {
          peers.append(try await Self.peer(subject, key, relay))
          number = try await peers[peers.count - 1].join(.test).joined.number
        }
        for index in 0..<4 as Range<UInt32> {
          let push = ClientMessage.Push(
            room: number, number: UInt64(index), header: header(index..<index + 1), payload: [UInt8(index)])
          #expect(try await peers[0].push(push) == .cursor(UInt64(index) + 1))
        }
        try await body(relay, folder, key, peers, number)
      }
    }
  }

  private static func peer(
    _ subject: String, _ key: RelayKey, _ relay: Relay, _ role: Role = .edit
  ) async throws -> Peer {
    let token = subject.isEmpty ? "" : try await token(key, ["*": role], subject: subject)
    let peer = try await Peer.connect(to: relay)
    try await peer.say(
      .hello(
        ClientMessage.Hello(
          codecs: [], token: Array(token.utf8), identity: [UInt8](repeating: 9, count: 16))))
    guard case .welcome = try await peer.hear() else { throw RawSocket.Failure.ended }
    return peer
  }

  private func wanted(_ peer: Peer) async throws -> Bool {
    while true {
      if case .checkpointWanted(_, let cursor, let isWhole) = try await peer.hear() {
        #expect(cursor == 4)
        return isWhole
      }
    }
  }

  private static func state(
    _ peer: Peer, _ number: RoomNumber, setting retention: Retention? = nil
  ) async throws -> RelayMessage.Retention {
    try await peer.say(.retention(room: number, retention))
    while true { if case .retention(let answer) = try await peer.hear() { return answer } }
  }

  private func state(_ peer: Peer, _ number: RoomNumber) async throws -> RelayMessage.Retention {
    try await Self.state(peer, number)
  }

  /// What the audit log says of checkpoints, when it says so much: it is written beside.
  private func notes(_ folder: KeyedFolder, count: Int) async throws -> [String] {
    while true {
      let notes = try folder.audit.filter { $0.act == .checkpoint }.map {
        "\($0.code ?? "") \($0.subject ?? "-") \($0.room ?? ""): \($0.detail ?? "")"
      }
      if notes.count >= count { return notes }
      await Task.yield()
    }
  }

  private let part = CheckpointPart(cursor: 1, header: header(0..<4), payload: [0, 1, 2, 3])

  private func upload(_ number: RoomNumber, _ parts: [CheckpointPart]) -> ClientMessage {
    .checkpoint(ClientMessage.Checkpoint(room: number, cursor: 4, first: 0, isLast: true, parts: parts))
  }

  private func upload(_ number: RoomNumber, _ part: CheckpointPart? = nil) -> ClientMessage {
    upload(number, [part ?? self.part])
  }

  private func digest(_ number: RoomNumber, _ parts: [CheckpointPart]) -> ClientMessage {
    .checkpointDigest(room: number, cursor: 4, digest: Checkpoint.digest(of: parts))
  }

  private func digest(_ number: RoomNumber, _ part: CheckpointPart? = nil) -> ClientMessage {
    digest(number, [part ?? self.part])
  }

  /// What two writers have pushed in turn.
  private let inTurn = [
    CheckpointPart(cursor: 1, header: header(0..<1), payload: [0]),
    CheckpointPart(cursor: 1, header: header(2..<4), payload: [2, 3]),
    CheckpointPart(cursor: 1, header: header(1..<2, replica: 8), payload: [1]),
  ]

  @Test func whatTwoMembersFindIsForgottenAndGivenToNewcomers() async throws {
    try await withFullRoom { relay, folder, key, peers, number in
      let (writer, reader) = (peers[0], peers[1])
      folder.clock.set(testMoment + 1)
      #expect(try await wanted(writer))
      #expect(try await !wanted(reader))
      try await writer.say(upload(number))
      #expect(try await state(writer, number).checkpoint == 0)
      try await reader.say(digest(number))
      var now = try await state(reader, number)
      while now.oldest == 1 { now = try await state(reader, number) }
      #expect(now.oldest == 5 && now.checkpoint == 4 && now.announced == 0 && now.retention == .days(0))

      let newcomer = try await Self.peer("cat", key, relay)
      try await newcomer.say(.join(ClientMessage.Join(room: .test, cursor: 0, digest: .zero)))
      guard case .joined(let joined) = try await newcomer.hear(),
        case .checkpoint(_, let batch) = try await newcomer.hear(),
        case .caughtUp(_, 4, let digest) = try await newcomer.hear()
      else {
        Issue.record("the newcomer was told something else")
        return
      }
      #expect(!joined.isRestart && batch.isLast && batch.head == LogHead(cursor: 4, digest: digest))
      #expect(batch.parts.map(\.part) == [part])
      #expect(batch.parts[0].subject == Array("ann".utf8) && batch.parts[0].time == testMoment)

      let older = try await Peer.connect(to: relay)
      let token = try await token(key, subject: "dan")
      try await older.say(
        .hello(ClientMessage.Hello(features: [.presence], codecs: [], token: Array(token.utf8))))
      _ = try await older.hear()
      try await older.say(.join(ClientMessage.Join(room: .test, cursor: 2, digest: digest)))
      guard case .error(.some(.test), let error) = try await older.hear() else {
        Issue.record("the older client was told something else")
        return
      }
      #expect(error.code == .gone && error.retry == .never)
      let page = try await relay.metricsPage()
      #expect(page.contains("ropewalk_refusals_total{reason=\"gone\"} 1\n"))

      // What was forgotten is still known.
      let push = ClientMessage.Push(room: number, number: 9, header: header(2..<6), payload: [9])
      #expect(try await writer.push(push) == .refusal(.covered(missing: [4..<6], through: 4)))
      let report = try RelayStore(directory: folder.path + "/data").verify()
      #expect(report.isSound && report.rooms[0].oldest == 5 && report.rooms[0].checkpoint == 4)
      let said = try await notes(folder, count: 2)
      #expect(
        said == ["announced ann test: cursor 4, confirmed by ben", "in-use - test: cursor 4"], "\(said)")
    }
  }

  @Test func aCheckpointThatAnotherDoesNotFindIsWorthless() async throws {
    try await withFullRoom { relay, folder, key, peers, number in
      _ = try await (wanted(peers[0]), wanted(peers[1]))
      try await peers[1].say(.checkpointDigest(room: number, cursor: 4, digest: .zero))
      try await peers[0].say(upload(number))
      let now = try await state(peers[0], number)
      #expect(now.oldest == 1 && now.checkpoint == 0 && now.announced == 0)
      #expect(try await Self.peer("cat", key, relay).join(.test).entries.count == 4)
      #expect(try await notes(folder, count: 1) == ["held-back ben test: cursor 4, uploaded by ann"])
    }
  }

  /// Ann uploads what is not so, and Ben confirms it at once; Cat has read the log.
  private var lie: CheckpointPart { CheckpointPart(cursor: 1, header: part.header, payload: [66]) }

  @Test func whoWasAskedIsWaitedForAndStopsAFalseCheckpoint() async throws {
    try await withFullRoom(others: ["cat"]) { _, folder, _, peers, number in
      for peer in peers { _ = try await wanted(peer) }
      try await peers[0].say(upload(number, lie))
      try await peers[1].say(digest(number, lie))
      for peer in peers { #expect(try await state(peer, number).announced == 0) }
      try await peers[2].say(digest(number))
      #expect(try await state(peers[2], number).announced == 0)
      #expect(try await notes(folder, count: 1) == ["held-back cat test: cursor 4, uploaded by ann"])
    }
  }

  @Test func whoWasAskedMayObjectWithoutADigest() async throws {
    try await withFullRoom(others: ["cat"]) { _, folder, _, peers, number in
      for peer in peers { _ = try await wanted(peer) }
      try await peers[2].say(.objection(room: number, cursor: 4))
      _ = try await state(peers[2], number)
      try await peers[0].say(upload(number, lie))
      try await peers[1].say(digest(number, lie))
      for peer in peers { #expect(try await state(peer, number).announced == 0) }
      #expect(try await notes(folder, count: 1) == ["held-back cat test: cursor 4, uploaded by ann"])
    }
  }

  @Test func whoSaysNothingHoldsACheckpointUpForAWhileAlone() async throws {
    try await withFullRoom(grace: 1000, others: ["cat"]) { _, folder, _, peers, number in
      for peer in peers { _ = try await wanted(peer) }
      try await peers[0].say(upload(number))
      try await peers[1].say(digest(number))
      #expect(try await state(peers[1], number).announced == 0)
      // Her leaving ends the waiting as the time does.
      try await peers[2].say(.leave(number))
      var now = try await state(peers[1], number)
      while now.announced == 0 { now = try await state(peers[1], number) }
      #expect(now.announced == 4 && now.checkpoint == 0 && now.usable == testMoment + 1000)
    }
  }

  @Test func whoComesWithinTheGraceTakesAFalseCheckpointBack() async throws {
    try await withFullRoom(grace: 60_000) { relay, folder, key, peers, number in
      for peer in peers { _ = try await wanted(peer) }
      try await peers[0].say(upload(number, lie))
      try await peers[1].say(digest(number, lie))
      var now = try await state(peers[1], number)
      while now.announced == 0 { now = try await state(peers[1], number) }
      #expect(now.oldest == 1 && now.checkpoint == 0)
      // Cat was away. She is given the entries, and told what others want to put in their place.
      let cat = try await Self.peer("cat", key, relay)
      try await cat.say(.join(ClientMessage.Join(room: .test, cursor: 0, digest: .zero)))
      guard case .joined = try await cat.hear(), case .entries(number, let entries) = try await cat.hear(),
        case .checkpointAnnounced(number, 4, let announced) = try await cat.hear(),
        case .caughtUp(number, 4, _) = try await cat.hear()
      else {
        Issue.record("cat was told something else")
        return
      }
      #expect(entries.count == 4 && announced == Checkpoint.digest(of: [lie]))
      try await cat.say(.objection(room: number, cursor: 4))
      #expect(try await state(cat, number).announced == 0)
      folder.clock.set(testMoment + 120_000)
      now = try await state(cat, number)
      #expect(now.oldest == 1 && now.checkpoint == 0)
      let said = try await notes(folder, count: 2)
      #expect(
        said == ["announced ann test: cursor 4, confirmed by ben", "taken-back cat test: cursor 4"], "\(said)"
      )
    }
  }

  @Test func aViewerCannotObject() async throws {
    try await withFullRoom(grace: 60_000) { relay, folder, key, peers, number in
      for peer in peers { _ = try await wanted(peer) }
      try await peers[0].say(upload(number))
      try await peers[1].say(digest(number))
      var now = try await state(peers[1], number)
      while now.announced == 0 { now = try await state(peers[1], number) }
      let viewer = try await Self.peer("eve", key, relay, .view)
      _ = try await viewer.join(.test)
      try await viewer.say(.objection(room: number, cursor: 4))
      #expect(try await state(viewer, number).announced == 4)
    }
  }

  @Test func strangersNeitherMakeNorConfirmACheckpointAndMayObject() async throws {
    try await withFullRoom(others: ["", ""], isOpen: true) { _, folder, _, peers, number in
      // Ben is away, and the strangers agree with Ann.
      try await peers[1].say(.leave(number))
      #expect(try await wanted(peers[0]))
      for stranger in peers[2...] { #expect(try await !wanted(stranger)) }
      try await peers[0].say(upload(number))
      for stranger in peers[2...] { try await stranger.say(digest(number)) }
      for peer in [peers[0], peers[2], peers[3]] { #expect(try await state(peer, number).announced == 0) }
      #expect(try await notes(folder, count: 0).isEmpty)
    }
  }

  /// Whose parts lack events, hold more, or carry what the log has not got is stopped by their headers.
  @Test(arguments: 0..<4) func aRelayAnnouncesNothingThatItsOwnLogContradicts(_ kind: Int) async throws {
    try await withFullRoom { _, folder, _, peers, number in
      for peer in peers { _ = try await wanted(peer) }
      let lies = [
        CheckpointPart(cursor: 1, header: header(0..<3), payload: [0]),
        CheckpointPart(cursor: 1, header: header(0..<5), payload: [0]),
        CheckpointPart(cursor: 1, header: header(0..<4, replica: 8), payload: [0]),
        CheckpointPart(cursor: 2, isCarried: true, header: header(0..<4), payload: [1]),
      ]
      try await peers[0].say(upload(number, lies[kind]))
      try await peers[1].say(digest(number, lies[kind]))
      // Everybody has confirmed it; and it is gone when the log has answered.
      #expect(try await notes(folder, count: 1) == ["held-back - test: cursor 4, uploaded by ann"])
      let now = try await state(peers[1], number)
      #expect(now.announced == 0 && now.checkpoint == 0 && now.oldest == 1)
    }
  }

  /// With keys: entries of some subjects, four in all, pushed in turn; then the first and its other session
  /// are asked.
  private func withKeyedRoom(
    _ subjects: [String], isAlone: Bool,
    _ body: (_ uploader: Peer, _ other: Peer?, RoomNumber) async throws -> Void
  ) async throws {
    let key = RelayKey.generate(.hs256)
    try await withKeyedFolder { folder in
      try await folder.withRelay {
        $0.key = key
        $0.checkpointInterval = 4
        $0.checkpointGrace = 0
        $0.publicRooms = [.init(pattern: "*", role: .edit)]
      } _: { relay in
        func peer(_ subject: String) async throws -> Peer { try await Self.peer(subject, key, relay) }
        let owner = try await Self.peer("owner", key, relay, .own)
        let room = try await owner.join(.test).joined.number
        _ = try await Self.state(owner, room, setting: .days(0))
        try await owner.say(.leave(room))
        try await owner.say(.ping(1))
        while try await owner.hear() != .pong(1) {}
        let writers = try await [peer(subjects[0]), peer(subjects[subjects.count - 1])]
        for index in 0..<3 as Range<UInt32> {
          let writer = writers[Int(index % 2)]
          let number = try await writer.join(.test).joined.number
          let push = ClientMessage.Push(
            room: number, number: 1, header: header(index..<index + 1, replica: 7 + UInt64(index % 2)),
            payload: [UInt8(index)])
          #expect(try await writer.push(push) == .cursor(UInt64(index) + 1))
          try await writer.say(.leave(number))
        }
        let uploader = try await peer(subjects[0])
        let number = try await uploader.join(.test).joined.number
        let other = isAlone ? nil : try await peer(subjects[0])
        try await other?.join(.test)
        let push = ClientMessage.Push(room: number, number: 1, header: header(3..<4), payload: [3])
        #expect(try await uploader.push(push) == .cursor(4))
        if !subjects[0].isEmpty {
          #expect(try await wanted(uploader))
          try await uploader.say(upload(number, inTurn))
        }
        try await body(uploader, other, number)
      }
    }
  }

  @Test func anotherSessionOfTheSoleAuthorConfirms() async throws {
    try await withKeyedRoom(["ann"], isAlone: false) { uploader, other, number in
      let other = try #require(other)
      #expect(try await !wanted(other))
      try await other.say(digest(number, inTurn))
      var now = try await state(other, number)
      while now.checkpoint == 0 { now = try await state(other, number) }
      #expect(now.checkpoint == 4)
    }
  }

  @Test func whoIsAloneInARoomOfTheirOwnConfirms() async throws {
    try await withKeyedRoom(["ann"], isAlone: true) { uploader, _, number in
      #expect(try await !wanted(uploader))
      try await uploader.say(digest(number, inTurn))
      var now = try await state(uploader, number)
      while now.checkpoint == 0 { now = try await state(uploader, number) }
      #expect(now.checkpoint == 4)
    }
  }

  @Test(arguments: [["ann", "ben"], [""]])
  func nobodyConfirmsAloneWhatOthersMayHaveWritten(_ subjects: [String]) async throws {
    try await withKeyedRoom(subjects, isAlone: false) { uploader, other, number in
      let other = try #require(other)
      for peer in [other, uploader, other] {
        try await peer.say(digest(number, inTurn))
        let now = try await state(peer, number)
        #expect(now.checkpoint == 0 && now.announced == 0, "\(subjects)")
      }
    }
  }

  @Test func onlyAnOwnerSetsWhatMayBeForgotten() async throws {
    try await withFullRoom { _, _, _, peers, number in
      try await peers[0].say(.retention(room: number, .everything))
      while true {
        let heard = try await peers[0].hear()
        guard case .error(.some(.test), let error) = heard else { continue }
        #expect(error.code == .forbidden)
        return
      }
    }
  }
}
