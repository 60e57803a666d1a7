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
        path: directory.logPath, folding: FoldConfiguration(entries: 1 << 20, bytes: 1 << 30))
      var digest = LogDigest.zero
      var random = SystemRandomNumberGenerator()
      for index in 0..<400 as Range<UInt32> {
        // What cannot be compressed: some sixteen pages each.
        let payload = (0..<65_536).map { _ in UInt8.random(in: 0...255, using: &random) }
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
      // Written in all: 400 times 17 pages. What comes while the log is moved makes it longer than its limit.
      #expect(try #require(size) < 4 * WriteAheadLog.limit * 4096)
      log.close()
      directory.unlock()
      #expect(try RelayStore(directory: path).verify().isSound)
    }
  }
}
