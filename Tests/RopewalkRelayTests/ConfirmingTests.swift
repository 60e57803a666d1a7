import Foundation
import GRDB
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// Whose word counts for a checkpoint.
@Suite(.timeLimit(.minutes(5))) struct ConfirmingTests: ForgettableRoom {
  /// What two writers have pushed in turn.
  private let inTurn = [
    CheckpointPart(cursor: 1, header: header(0..<1), payload: [0]),
    CheckpointPart(cursor: 1, header: header(2..<4), payload: [2, 3]),
    CheckpointPart(cursor: 1, header: header(1..<2, replica: 8), payload: [1]),
  ]

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

  /// An upload that names made-up documents is discarded: no rows stay, and its remaining parts are ignored.
  @Test func anUploadWithMadeUpDocumentsLeavesNothing() async throws {
    try await withFullRoom { _, folder, _, peers, number in
      for peer in peers { _ = try await wanted(peer) }
      var parts = [part]
      for index in 0..<2000 as Range<UInt32> {
        parts.append(
          CheckpointPart(cursor: 1, header: header(0..<1, document: "made up \(index)"), payload: []))
      }
      parts.append(CheckpointPart(cursor: 1, header: header(0..<4), payload: [0, 1, 2, 3]))
      try await peers[0].say(upload(number, parts))
      try await peers[1].say(digest(number, parts))
      #expect(try await notes(folder, count: 1) == ["held-back - test: cursor 4, uploaded by ann"])
      let database = try DatabaseQueue(path: folder.path + "/data/log.sqlite")
      let (checkpoints, stored, documents) = try await database.read { database in
        (
          try Int.fetchOne(database, sql: "SELECT count(*) FROM checkpoints"),
          try Int.fetchOne(database, sql: "SELECT count(*) FROM checkpoint_parts"),
          try String.fetchAll(database, sql: "SELECT name FROM documents")
        )
      }
      #expect(checkpoints == 0 && stored == 0 && documents == ["a"])
    }
  }
}
