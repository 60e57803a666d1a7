import Foundation
import GRDB
import RopewalkCore
import RopewalkSync
import Synchronization
import Testing

@testable import RopewalkRelay

/// The write-ahead log is moved into the file beside the commits.
@Suite(.timeLimit(.minutes(5))) struct WriteAheadLogTests {
  @Test func itStaysShortWhileCommitsGoOn() async throws {
    try await withDirectory { path in
      let directory = try DataDirectory(path: path)
      // Nothing is folded: the log alone is looked at.
      let log = try SQLiteLog(
        path: directory.logPath, folding: FoldConfiguration(entries: 1 << 20, bytes: 1 << 30), longestLog: 20)
      var digest = LogDigest.zero
      for index in 0..<400 as Range<UInt32> {
        // What cannot be compressed, so that each commit writes some pages.
        let payload = (0..<64).flatMap {
          PayloadHash(of: [UInt8($0), UInt8(truncatingIfNeeded: index)]).bytes
        }
        let entry = LogEntry(
          cursor: UInt64(index) + 1, subject: [65], time: 1, header: header(index..<index + 1),
          payload: payload)
        digest = entry.digest(after: digest)
        let new = RelayRoom.NewEntry(entry: entry, payloadHash: PayloadHash(of: payload), digest: digest)
        try await withCheckedThrowingContinuation { continuation in
          log.append([new], to: .test) { continuation.resume(with: $0) }
        }
      }
      let size = try FileManager.default.attributesOfItem(atPath: directory.logPath + "-wal")[.size] as? Int
      // Written in all: more than 1200 pages. What comes while the log is moved makes it longer than its limit.
      #expect(try #require(size) < 400 * 4096)
      log.close()
      directory.unlock()
      #expect(try RelayStore(directory: path).verify().isSound)
    }
  }

  @Test func aHurriedLogStoresNoMoreAndLeavesTheWriteAheadLog() async throws {
    try await withDirectory { path in
      let directory = try DataDirectory(path: path)
      let log = try SQLiteLog(path: directory.logPath)
      let payload: [UInt8] = [1, 2, 3]
      var digest = LogDigest.zero
      func append(_ seq: UInt32) async throws {
        let entry = LogEntry(
          cursor: UInt64(seq) + 1, subject: [65], time: 1, header: header(seq..<seq + 1), payload: payload)
        digest = entry.digest(after: digest)
        let new = RelayRoom.NewEntry(entry: entry, payloadHash: PayloadHash(of: payload), digest: digest)
        try await withCheckedThrowingContinuation { continuation in
          log.append([new], to: .test) { continuation.resume(with: $0) }
        }
      }
      for seq in 0..<10 as Range<UInt32> { try await append(seq) }
      let before = try Data(contentsOf: URL(fileURLWithPath: directory.logPath))
      log.hurry()
      await #expect(throws: RelayLogError(act: .append, reason: .closed)) { try await append(10) }
      await withCheckedContinuation { continuation in log.flush { continuation.resume() } }
      log.close()
      #expect(try Data(contentsOf: URL(fileURLWithPath: directory.logPath)) == before)
      let size =
        try FileManager.default.attributesOfItem(atPath: directory.logPath + "-wal")[.size] as? Int
      #expect(try #require(size) > 0)

      let next = try SQLiteLog(path: directory.logPath)
      let state = try await withCheckedThrowingContinuation { continuation in
        next.open(.test) { continuation.resume(with: $0) }
      }
      #expect(state.head.cursor == 10)
      next.close()
      #expect(!FileManager.default.fileExists(atPath: directory.logPath + "-wal") || self.isEmpty(directory))
      directory.unlock()
      #expect(try RelayStore(directory: path).verify().isSound)
    }
  }

  private func isEmpty(_ directory: DataDirectory) -> Bool {
    let path = directory.logPath + "-wal"
    return (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) == 0
  }

  /// A transaction that began before the log was moved adds to it. The commit after that begins the log anew.
  @Test func aCommitThatCrossesTheMoveDoesNotKeepTheLogLong() async throws {
    try await withDirectory { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      let path = path + "/file"
      let log = WriteAheadLog(path: path, limit: 5)
      let file = try DatabaseQueue(path: path)
      defer {
        log.wait()
        try? file.close()
      }
      try await file.writeWithoutTransaction { database in
        try database.execute(sql: "PRAGMA journal_mode = WAL; CREATE TABLE t(a)")
        log.attach(to: database)
        for _ in 0..<10 { try database.execute(sql: "INSERT INTO t VALUES (1)") }
      }
      #expect(log.length > 5)
      let moved = Mutex<Int?>(nil)
      try await file.writeWithoutTransaction { database in
        try database.execute(sql: "BEGIN IMMEDIATE; INSERT INTO t VALUES (2)")
        log.considerMoving { frames in moved.withLock { $0 = frames } }
        log.considerMoving { _ in Issue.record("two moves at once") }
        log.wait()
        try database.execute(sql: "COMMIT")
      }
      let frames = try #require(moved.withLock { $0 })
      #expect(log.length > frames && frames > 5)
      try await file.writeWithoutTransaction { database in
        log.finish(after: frames, database)
        try database.execute(sql: "INSERT INTO t VALUES (3)")
      }
      #expect(log.length < 5)
      log.considerMoving { _ in Issue.record("a short log was moved") }
      log.wait()
    }
  }
}
