import Foundation
import GRDB
import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkReplica

@Suite struct DamageTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// A file with snapshots, a tail, an outbox with a fixed cut, a log and two documents.
  private func makeFile(_ name: String = "replica.sqlite") throws {
    var options = ReplicaOptions.forTests()
    options.updatesPerSnapshot = 6
    let replica = try scratch.open(name, options)
    let notes = try replica.document("notes.md", in: "team")
    for number in 0..<40 { try notes.insert("word \(number) ", at: 0) }
    try replica.seed("seeded.md", in: "team", with: "A text that was there at the beginning.")
    let room = try #require(RoomName("team"))
    var relay = RelayDouble()
    try relay.exchange(with: replica, in: room)
    for number in 0..<9 { try notes.insert("unsent \(number) ", at: 3) }
    _ = try replica.cuts(in: room, maximumBytes: 1000, limit: 3, excluding: [])
    try notes.insert("tail", at: 0)
    try replica.close()
  }

  /// Does everything that can be done with a file; errors are fine, traps are not.
  private func useFile(_ path: String) {
    _ = try? Replica.verify(path: path)
    guard let replica = try? Replica(path: path, options: .forTests()) else { return }
    let room = RoomName("team")
    for status in (try? replica.documents()) ?? [] {
      guard let document = try? replica.document(status.key, in: status.room) else { continue }
      _ = try? document.text
      _ = try? document.history()
      _ = try? document.receipts()
      _ = try? document.lineages()
      try? document.insert("x", at: 0)
    }
    _ = try? replica.rooms()
    if let room {
      _ = try? replica.cuts(in: room, maximumBytes: 200, limit: 5, excluding: [])
      try? replica.restart(room)
      try? replica.settle(room, at: 0)
    }
    try? replica.document("new", in: "team").insert("x", at: 0)
    _ = try? replica.merge(from: path)
    try? replica.close()
  }

  @Test func damagedFilesGiveErrorsAndNothingElse() throws {
    let seed = testSeed()
    var random = SeededGenerator(seed: seed)
    try makeFile()
    let good = try Data(contentsOf: URL(filePath: scratch.path()))
    let path = scratch.path("damaged.sqlite")
    let rounds = ProcessInfo.processInfo.environment["ROPEWALK_MUTATIONS"].flatMap { Int($0) } ?? 150
    for _ in 0..<rounds {
      for ending in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + ending) }
      try good.damaged(using: &random).write(to: URL(filePath: path))
      useFile(path)
    }
  }

  @Test func damagedColumnsGiveErrorsAndNothingElse() throws {
    let seed = testSeed()
    var random = SeededGenerator(seed: seed)
    try makeFile()
    let columns = [
      ("snapshots", "snapshot"), ("documents", "version"), ("texts", "text"), ("updates", "payload"),
      ("outbox", "cut"), ("rooms", "digest"), ("rooms", "name"), ("documents", "name"), ("held", "payload"),
    ]
    let numbers = [
      ("documents", "lineage"), ("documents", "snapshot_update"), ("documents", "text_update"),
      ("documents", "generation"),
      ("documents", "is_current"), ("outbox", "first"), ("outbox", "end"), ("entries", "first"),
      ("entries", "end"), ("history", "first"), ("history", "origin"), ("history", "began"),
      ("rooms", "cursor"), ("entries", "document"), ("outbox", "document"), ("outbox", "state"),
    ]
    let path = scratch.path("damaged.sqlite")
    let rounds = ProcessInfo.processInfo.environment["ROPEWALK_MUTATIONS"].flatMap { Int($0) } ?? 150
    for _ in 0..<rounds {
      for ending in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + ending) }
      try FileManager.default.copyItem(atPath: scratch.path(), toPath: path)
      var configuration = Configuration()
      configuration.foreignKeysEnabled = false
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.writeWithoutTransaction { db in
        if Bool.random(using: &random), let (table, column) = columns.randomElement(using: &random) {
          let row = try Row.fetchOne(
            db, sql: "SELECT rowid, CAST(\"\(column)\" AS BLOB) FROM \(table) ORDER BY random() LIMIT 1")
          guard let row, let value: Data = row[1] else { return }
          let damaged = value.damaged(using: &random)
          let isText = ["text", "name"].contains(column)
          let written = isText ? "CAST(? AS TEXT)" : "?"
          let id: Int64 = row[0]
          try? db.execute(
            sql: "UPDATE \(table) SET \"\(column)\" = \(written) WHERE rowid = ?", arguments: [damaged, id])
        } else if let (table, column) = numbers.randomElement(using: &random) {
          let values: [Int64] = [-1, 0, 1, 7, 1 << 31, 1 << 40, .max, .min]
          try? db.execute(
            sql: "UPDATE \(table) SET \"\(column)\" = ?", arguments: [values.randomElement(using: &random)])
        }
      }
      try queue.close()
      useFile(path)
    }
  }

  @Test func verificationNamesWhatIsDamagedAndWhatIsSafe() throws {
    try makeFile()
    #expect(try Replica.verify(path: scratch.path()).isSound)
    try scratch.execute(
      "UPDATE snapshots SET snapshot = zeroblob(20) WHERE document = 1")
    let report = try Replica.verify(path: scratch.path())
    #expect(report.damage.map { $0.place } == ["snapshots"])
    #expect(report.soundDocuments.map { $0.key.name.text } == ["seeded.md"])
    #expect(report.damagedDocuments.map { $0.name } == ["notes.md"])
    #expect(report.damagedDocuments.first?.readableTextBytes ?? 0 > 300)

    let replica = try scratch.open()
    #expect(try replica.document("seeded.md", in: "team").text.hasPrefix("A text"))
    #expect {
      try replica.document("notes.md", in: "team").text
    } throws: { error in
      if case ReplicaError.damaged(let damage) = error { damage.place == "snapshots" } else { false }
    }
  }

  @Test func verificationFindsATextThatIsNotTheDocuments() throws {
    try makeFile()
    try scratch.execute("UPDATE texts SET text = 'x' WHERE document = 2")
    let report = try Replica.verify(path: scratch.path())
    #expect(report.damage.map { $0.problem } == ["the plain text is not the document's"])
  }

  @Test func aRoomsOtherDocumentsGoOnWhenOneIsDamaged() throws {
    try makeFile()
    try scratch.execute("UPDATE snapshots SET snapshot = zeroblob(20) WHERE document = 1")
    let replica = try scratch.open()
    let room = try #require(RoomName("team"))
    var relay = RelayDouble()
    // Of a relay that has lost its log.
    try relay.exchange(with: replica, in: room)
    #expect(relay.entries.contains { $0.header.document.name.text == "seeded.md" })
  }

  // MARK: Files of other kinds

  @Test func otherFilesAreRefused() throws {
    try Data("not a database, but long enough to look at".utf8).write(to: URL(filePath: scratch.path("text")))
    #expect(throws: ReplicaError.notAReplica) { try scratch.open("text") }
    try scratch.execute("CREATE TABLE t (x)", in: "other.sqlite")
    #expect(throws: ReplicaError.notAReplica) { try scratch.open("other.sqlite") }
    #expect(try scratch.integer("SELECT count(*) FROM sqlite_master", in: "other.sqlite") == 1)
    #expect(throws: ReplicaError.notAReplica) { try Replica.verify(path: scratch.path("other.sqlite")) }
  }

  @Test func aMissingFolderIsSaidWithSQLitesCode() throws {
    #expect {
      try Replica(path: scratch.path("missing/replica.sqlite"))
    } throws: { error in
      if case ReplicaError.storage(let code, _) = error { code == 14 } else { false }
    }
    #expect(throws: ReplicaError.self) { try Replica.verify(path: scratch.path("missing")) }
  }

  @Test func aLaterSchemaIsRefusedAndLeftAlone() throws {
    try makeFile()
    try scratch.execute("PRAGMA user_version = 99")
    #expect(throws: ReplicaError.newerSchema(found: 99, supported: Schema.current)) { try scratch.open() }
    #expect(throws: ReplicaError.newerSchema(found: 99, supported: Schema.current)) {
      try Replica.verify(path: scratch.path())
    }
    #expect(try scratch.integer("PRAGMA user_version") == 99)
  }

  @Test func anEmptyFileBecomesAReplica() throws {
    try Data().write(to: URL(filePath: scratch.path()))
    try scratch.open().document("a", in: "r").insert("x", at: 0)
    #expect(try scratch.open().document("a", in: "r").text == "x")
  }
}

extension Data {
  /// Cut short, with bits flipped, with a stretch overwritten, or random altogether.
  fileprivate func damaged(using random: inout SeededGenerator) -> Data {
    var bytes = Array(self)
    guard !bytes.isEmpty else { return self }
    switch Int.random(in: 0..<8, using: &random) {
    case 0: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
    case 1: bytes = (0..<bytes.count).map { _ in UInt8.random(in: 0...255, using: &random) }
    case 2, 3:
      let start = Int.random(in: 0..<bytes.count, using: &random)
      for place in start..<Swift.min(bytes.count, start + Int.random(in: 1...600, using: &random)) {
        bytes[place] = UInt8.random(in: 0...255, using: &random)
      }
    default:
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
    }
    return Data(bytes)
  }
}
