import Foundation
import GRDB
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// What a relay asks for before it forgets, and what it tells those who come too late.
@Suite(.timeLimit(.minutes(5))) struct ForgettingTests {
  /// A relay whose room may be forgotten at once, with a writer and a reader in it, and four entries.
  private func withFullRoom(
    _ body: (Relay, _ path: String, _ writer: Peer, _ reader: Peer, RoomNumber) async throws -> Void
  ) async throws {
    try await withDirectory { path in
      await (try startRelay(path)).stop()
      let queue = try DatabaseQueue(path: path + "/log.sqlite")
      try await queue.writeWithoutTransaction {
        try $0.execute(sql: "INSERT INTO rooms (name, retention) VALUES ('test', 1)")
      }
      try queue.close()
      let relay = try await startRelay(path) { $0.checkpointInterval = 4 }
      let (writer, reader) = (try await Peer.greeted(by: relay), try await Peer.greeted(by: relay))
      let number = try await writer.join(.test).joined.number
      try await reader.join(.test)
      for index in 0..<4 as Range<UInt32> {
        let push = ClientMessage.Push(
          room: number, number: UInt64(index), header: header(index..<index + 1), payload: [UInt8(index)])
        #expect(try await writer.push(push) == .cursor(UInt64(index) + 1))
      }
      try await body(relay, path, writer, reader, number)
      await relay.stop()
    }
  }

  private func wanted(_ peer: Peer) async throws -> Bool {
    while true {
      if case .checkpointWanted(_, let cursor, let isWhole) = try await peer.hear() {
        #expect(cursor == 4)
        return isWhole
      }
    }
  }

  private func state(_ peer: Peer, _ number: RoomNumber) async throws -> RelayMessage.Retention {
    try await peer.say(.retention(room: number, nil))
    while true { if case .retention(let answer) = try await peer.hear() { return answer } }
  }

  private let part = CheckpointPart(header: header(0..<4), payload: [0, 1, 2, 3])

  @Test func whatTwoMembersFindIsForgottenAndGivenToNewcomers() async throws {
    try await withFullRoom { relay, path, writer, reader, number in
      #expect(try await wanted(writer))
      #expect(try await !wanted(reader))
      let upload = ClientMessage.Checkpoint(room: number, cursor: 4, first: 0, isLast: true, parts: [part])
      try await writer.say(.checkpoint(upload))
      #expect(try await state(writer, number).checkpoint == 0)
      try await reader.say(
        .checkpointDigest(room: number, cursor: 4, digest: Checkpoint.digest(of: [part])))
      var now = try await state(reader, number)
      while now.oldest == 1 { now = try await state(reader, number) }
      #expect(now.oldest == 5 && now.checkpoint == 4 && now.retention == .days(0))

      let newcomer = try await Peer.greeted(by: relay)
      try await newcomer.say(.join(ClientMessage.Join(room: .test, cursor: 0, digest: .zero)))
      guard case .joined(let joined) = try await newcomer.hear(),
        case .checkpoint(_, let batch) = try await newcomer.hear(),
        case .caughtUp(_, 4, let digest) = try await newcomer.hear()
      else {
        Issue.record("the newcomer was told something else")
        return
      }
      #expect(!joined.isRestart && batch.isLast && batch.head == LogHead(cursor: 4, digest: digest))
      #expect(batch.parts.map(\.header) == [part.header] && batch.parts.map(\.payload) == [part.payload])
      #expect(batch.parts[0].subject == Array("anonymous".utf8) && batch.parts[0].time > 0)

      let older = try await Peer.connect(to: relay)
      try await older.say(.hello(ClientMessage.Hello(features: [.presence], codecs: [], token: [])))
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
      let report = try RelayStore(directory: path).verify()
      #expect(report.isSound && report.rooms[0].oldest == 5 && report.rooms[0].checkpoint == 4)
    }
  }

  @Test func aCheckpointThatAnotherDoesNotFindIsWorthless() async throws {
    try await withFullRoom { relay, path, writer, reader, number in
      _ = try await (wanted(writer), wanted(reader))
      try await reader.say(.checkpointDigest(room: number, cursor: 4, digest: .zero))
      let upload = ClientMessage.Checkpoint(room: number, cursor: 4, first: 0, isLast: true, parts: [part])
      try await writer.say(.checkpoint(upload))
      let now = try await state(writer, number)
      #expect(now.oldest == 1 && now.checkpoint == 0)
      #expect(try await Peer.greeted(by: relay).join(.test).entries.count == 4)
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
        $0.publicRooms = [.init(pattern: "*", role: .edit)]
      } _: { relay in
        func peer(_ subject: String) async throws -> Peer {
          let peer = try await Peer.connect(to: relay)
          let token = subject.isEmpty ? "" : try await token(key, subject: subject)
          let identity = [UInt8](repeating: 9, count: 16)
          try await peer.say(
            .hello(ClientMessage.Hello(codecs: [], token: Array(token.utf8), identity: identity)))
          _ = try await peer.hear()
          return peer
        }
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
        #expect(try await wanted(uploader))
        let upload = ClientMessage.Checkpoint(room: number, cursor: 4, first: 0, isLast: true, parts: [part])
        try await uploader.say(.checkpoint(upload))
        try await body(uploader, other, number)
      }
    }
  }

  @Test func anotherSessionOfTheSoleAuthorConfirms() async throws {
    try await withKeyedRoom(["ann"], isAlone: false) { uploader, other, number in
      let other = try #require(other)
      #expect(try await !wanted(other))
      try await other.say(.checkpointDigest(room: number, cursor: 4, digest: Checkpoint.digest(of: [part])))
      var now = try await state(other, number)
      while now.checkpoint == 0 { now = try await state(other, number) }
      #expect(now.checkpoint == 4)
    }
  }

  @Test func whoIsAloneInARoomOfTheirOwnConfirms() async throws {
    try await withKeyedRoom(["ann"], isAlone: true) { uploader, _, number in
      #expect(try await !wanted(uploader))
      try await uploader.say(
        .checkpointDigest(room: number, cursor: 4, digest: Checkpoint.digest(of: [part])))
      var now = try await state(uploader, number)
      while now.checkpoint == 0 { now = try await state(uploader, number) }
      #expect(now.checkpoint == 4)
    }
  }

  @Test(arguments: [["ann", "ben"], [""]])
  func nobodyConfirmsAloneWhatOthersMayHaveWritten(_ subjects: [String]) async throws {
    try await withKeyedRoom(subjects, isAlone: false) { uploader, other, number in
      let other = try #require(other)
      // Neither was asked, and what they say does not count.
      for peer in [other, uploader] {
        try await peer.say(.checkpointDigest(room: number, cursor: 4, digest: Checkpoint.digest(of: [part])))
        try await peer.say(.retention(room: number, nil))
        while case let heard = try await peer.hear() {
          if case .checkpointWanted = heard { Issue.record("\(subjects): asked") }
          guard case .retention(let now) = heard else { continue }
          #expect(now.checkpoint == 0)
          break
        }
      }
    }
  }

  @Test func onlyAnOwnerSetsWhatMayBeForgotten() async throws {
    try await withFullRoom { _, _, writer, _, number in
      try await writer.say(.retention(room: number, .everything))
      while true {
        let heard = try await writer.hear()
        guard case .error(.some(.test), let error) = heard else { continue }
        #expect(error.code == .forbidden)
        return
      }
    }
  }
}
