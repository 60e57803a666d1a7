import Foundation
import GRDB
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// A data directory of another release: an older one is brought up to date, a later one is left alone.
@Suite(.timeLimit(.minutes(5))) struct SchemaTests {
  private struct Interrupted: Error {}

  private func write(_ sql: String, to path: String) throws {
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
    try queue.close()
  }

  private func version(_ path: String) throws -> Int? {
    let queue = try DatabaseQueue(path: path)
    defer { try? queue.close() }
    return try queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
  }

  @Test func aLogOfTheFirstFormatIsServedEntryByEntry() async throws {
    try await withDirectory { path in
      try write(logVersion1, to: path + "/log.sqlite")
      #expect(try RelayStore(directory: path).verify().isSound)
      let relay = try await startRelay(path)
      let peer = try await Peer.greeted(by: relay)
      let found = try await peer.join(RoomName("team")!)
      #expect(found.joined.head == 3 && !found.joined.isRestart)
      #expect(found.entries.map(\.cursor) == [1, 2, 3])
      #expect(found.entries.map { $0.header.span.seqs.count } == [26, 80, 27])
      #expect(found.entries[2].time == 1_795_579_955_986)
      #expect(found.entries.reduce(LogDigest.zero) { $1.digest(after: $0) } == found.digest)
      // It goes on from there.
      let push = ClientMessage.Push(
        room: found.joined.number, number: 1, header: header(0..<1), payload: [1, 2, 3])
      #expect(try await peer.push(push) == .cursor(4))
      // And what the segment holds is known.
      let held = found.entries[0]
      let again = ClientMessage.Push(
        room: found.joined.number, number: 2, header: held.header, payload: held.payload)
      #expect(try await peer.push(again) == .cursor(1))
      await relay.stop()
      #expect(try version(path + "/log.sqlite") == SQLiteLogSchema.version)
      let report = try RelayStore(directory: path).verify()
      #expect(report.isSound && report.rooms.map(\.segments) == [1], "\(report)")
    }
  }

  @Test func anOlderFormatIsBroughtUpToDateInOneTransaction() async throws {
    try await withDirectory { path in
      let file = path + "/log.sqlite"
      try write(logVersion1, to: file)
      let next: SQLiteLogSchema.Step = { try $0.execute(sql: "CREATE TABLE extra (id INTEGER PRIMARY KEY)") }
      let failing: SQLiteLogSchema.Step = { database in
        try next(database)
        throw Interrupted()
      }
      let first = [SQLiteLogSchema.steps[0]]
      #expect(throws: Interrupted.self) { try SQLiteLogSchema.openPool(path: file, steps: first + [failing]) }
      #expect(try version(file) == 1)
      let pool = try SQLiteLogSchema.openPool(path: file, steps: first + [next, { _ in }])
      let (tables, entries) = try await pool.read { database in
        (try database.tableExists("extra"), try Int.fetchOne(database, sql: "SELECT count(*) FROM entries"))
      }
      #expect(tables && entries == 1)
      try pool.close()
      #expect(try version(file) == 3)
    }
  }

  @Test func aLaterFormatIsRefusedAndLeftAsItIs() async throws {
    try await withDirectory { path in
      let file = path + "/log.sqlite"
      try write(logVersion1 + ";PRAGMA user_version = 900", to: file)
      await #expect(throws: RelayError.logTooNew(path: file, version: 900)) { try await startRelay(path) }
      #expect(try version(file) == 900)
    }
  }

  @Test func anotherProgramsDatabaseIsRefused() async throws {
    try await withDirectory { path in
      let file = path + "/log.sqlite"
      try write("CREATE TABLE mine (a); PRAGMA user_version = 1", to: file)
      await #expect(throws: RelayError.logUnusable(path: file, code: nil)) { try await startRelay(path) }
    }
  }
}
