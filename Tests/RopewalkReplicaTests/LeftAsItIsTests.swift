import DamagedFiles
import Foundation
import GRDB
import RopewalkSQLite
import Testing

@testable import RopewalkReplica

/// A file that is refused is not changed by a byte, and nothing is made beside it.
@Suite(.timeLimit(.minutes(2))) struct LeftAsItIsTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func makeFile(_ name: String = "replica.sqlite") throws {
    let replica = try scratch.open(name)
    try replica.document("notes", in: "team").insert("text", at: 0)
    try replica.close()
  }

  /// Tries all that opens a file, and expects an error and an untouched folder each time.
  private func expectLeft(
    without suffixes: [String] = [], at location: SourceLocation = #_sourceLocation,
    _ isExpected: (ReplicaError) -> Bool
  ) throws {
    let folder = scratch.folder.path
    let before = try FolderContent(folder, without: suffixes)
    let other = try Scratch()
    let attempts: [() throws -> Void] = [
      { _ = try scratch.open() },
      { _ = try other.open().merge(from: scratch.path()) },
      {
        let report = try Replica.verify(path: scratch.path())
        if let damage = report.damage.first { throw ReplicaError.damaged(damage) }
      },
      { try Replica.look(path: scratch.path()) },
    ]
    for (number, attempt) in attempts.enumerated() {
      #expect(sourceLocation: location) { try attempt() } throws: { error in
        (error as? ReplicaError).map(isExpected) ?? false
      }
      let after = try FolderContent(folder, without: suffixes)
      #expect(after == before, "attempt \(number): \(before) became \(after)", sourceLocation: location)
    }
  }

  private func version(_ path: String) -> Int32? {
    if case .database(_, let version) = DatabaseLook(path: path) { version } else { nil }
  }

  private func isLater(_ error: ReplicaError) -> Bool {
    error == .newerSchema(found: 99, supported: Schema.current)
  }

  private func isSchema(_ error: ReplicaError) -> Bool {
    if case .damaged(let damage) = error { damage.place == "schema" } else { false }
  }

  @Test func aFileOfALaterFormat() throws {
    try makeFile()
    try scratch.execute("PRAGMA user_version = 99")
    try expectLeft(isLater)
  }

  @Test func aFileOfALaterFormatThatIsInUse() throws {
    try makeFile()
    // The change is in the write-ahead log only: the file itself still says what it was.
    let writer = try DatabaseQueue(path: scratch.path())
    try writer.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 99") }
    try expectLeft(isLater)
    try writer.close()
    try expectLeft(isLater)
  }

  @Test func aFileOfALaterFormatWhoseWriterWasKilled() throws {
    try makeFile("original.sqlite")
    let writer = try DatabaseQueue(path: scratch.path("original.sqlite"))
    try writer.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 99") }
    for suffix in ["", "-wal"] {
      try FileManager.default.copyItem(
        atPath: scratch.path("original.sqlite") + suffix, toPath: scratch.path() + suffix)
    }
    try writer.close()
    try expectLeft(isLater)
  }

  @Test(arguments: HostileSchema.all) func aFileWithAForeignSchema(_ hostile: HostileSchema) throws {
    try makeFile()
    try scratch.execute(hostile.statements)
    try expectLeft(isSchema)
  }

  @Test func aFileWithAForeignSchemaThatIsInUse() throws {
    try makeFile()
    let writer = try DatabaseQueue(path: scratch.path())
    try writer.writeWithoutTransaction { try $0.execute(sql: "CREATE TABLE more (a)") }
    // The index of the log belongs to those who have the file open.
    try expectLeft(without: ["-shm"], isSchema)
    let copy = try Scratch()
    for suffix in ["", "-wal"] {
      try FileManager.default.copyItem(atPath: scratch.path() + suffix, toPath: copy.path() + suffix)
    }
    try writer.close()
    let before = try FolderContent(copy.folder.path)
    #expect { try copy.open() } throws: { ($0 as? ReplicaError).map(isSchema) ?? false }
    #expect(try FolderContent(copy.folder.path) == before)
  }

  @Test func whatIsNoReplica() throws {
    for (name, statements) in [
      ("a", "CREATE TABLE t (x)"), ("b", "PRAGMA user_version = 1"), ("c", "PRAGMA application_id = 7"),
      ("d", "PRAGMA journal_mode = WAL; CREATE TABLE t (x)"),
      ("e", "PRAGMA application_id = 0x526f7065; PRAGMA user_version = 0; CREATE TABLE t (x)"),
    ] {
      try scratch.execute(statements, in: name)
      try FileManager.default.moveItem(atPath: scratch.path(name), toPath: scratch.path())
      try expectLeft { $0 == .notAReplica }
      try FileManager.default.removeItem(atPath: scratch.path())
    }
    for content in ["x", "SQLite format 3\0", String(repeating: "no database ", count: 1000)] {
      try Data(content.utf8).write(to: URL(filePath: scratch.path()))
      try expectLeft { $0 == .notAReplica }
    }
  }

  /// What was committed counts, also where the file itself is still empty; what was not does not.
  @Test func theWriteAheadLogIsReadToItsLastCommit() throws {
    try makeFile()
    let writer = try DatabaseQueue(path: scratch.path())
    try writer.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN; PRAGMA user_version = 99")
      try db.execute(sql: "CREATE TABLE filler (x); INSERT INTO filler VALUES (zeroblob(1000000))")
      #expect(version(scratch.path()) == Int32(Schema.current))
      try db.execute(sql: "ROLLBACK; PRAGMA user_version = 98")
    }
    #expect(version(scratch.path()) == 98)
    // A log that was cut counts up to there; what the transaction that was taken back left behind does not.
    let log = try Data(contentsOf: URL(filePath: scratch.path() + "-wal"))
    let frame = 32 + 24 + 4096
    #expect(log.count > 2 * frame)
    for count in [0, 31, 32, 56, frame - 1, frame, log.count / 2, log.count - 1] {
      let copy = try Scratch()
      try FileManager.default.copyItem(atPath: scratch.path(), toPath: copy.path())
      try log.prefix(count).write(to: URL(filePath: copy.path() + "-wal"))
      #expect(version(copy.path()) == (count < frame ? Int32(Schema.current) : 98), "\(count)")
    }
    var damaged = log
    damaged[32 + 24 + 63] ^= 1
    try damaged.write(to: URL(filePath: scratch.path("damaged") + "-wal"))
    try FileManager.default.copyItem(atPath: scratch.path(), toPath: scratch.path("damaged"))
    #expect(version(scratch.path("damaged")) == Int32(Schema.current))
    try writer.close()
  }

  @Test func aWriterThatWasKilledInItsTransactionIsNoReasonToRefuse() throws {
    try scratch.execute(replicaVersion1)
    let path = scratch.path()
    let writer = try DatabaseQueue(path: path)
    let copy = try Scratch()
    try writer.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN; CREATE TABLE more (a)")
      try db.execute(sql: "INSERT INTO more VALUES (zeroblob(1000000))")
      for suffix in ["", "-journal"] {
        try FileManager.default.copyItem(atPath: path + suffix, toPath: copy.path() + suffix)
      }
      try db.execute(sql: "ROLLBACK")
    }
    #expect(try copy.open().documents().isEmpty == false)
    #expect(try copy.integer("SELECT count(*) FROM sqlite_master WHERE name = 'more'") == 0)
  }
}
