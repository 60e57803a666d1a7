import Foundation
import RopewalkCore
import RopewalkSync
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
}
