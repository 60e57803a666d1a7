import Dispatch
import Foundation
import GRDB
import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// What is damaged of one room is that room's trouble alone.
@Suite(.timeLimit(.minutes(5))) struct DamagedRoomTests {
  private func append(_ cursor: UInt64, _ digest: LogDigest) -> RelayRoom.NewEntry {
    let payload: [UInt8] = [1, 2, UInt8(cursor)]
    let seq = UInt32(cursor) - 1
    let entry = LogEntry(
      cursor: cursor, subject: [65], time: 1, header: header(seq..<seq + 1), payload: payload)
    return RelayRoom.NewEntry(
      entry: entry, payloadHash: PayloadHash(of: payload), digest: entry.digest(after: digest))
  }

  @Test func whatIsPushedToOthersInTheSameMomentIsStored() async throws {
    try await withDirectory { path in
      let directory = try DataDirectory(path: path)
      let meter = CommitMeter()
      let log = try SQLiteLog(path: directory.logPath, commits: meter)
      let (sick, well) = (try #require(RoomName("sick")), try #require(RoomName("well")))
      let first = append(1, .zero)
      for room in [sick, well] { try await result { log.append([first], to: room, $0) }.get() }
      let other = try DatabaseQueue(path: directory.logPath)
      try await other.write { try $0.execute(sql: "UPDATE rooms SET retention = -1 WHERE name = 'sick'") }
      try other.close()

      // All of this is in one transaction: the queue is held until it has gathered.
      let gate = DispatchSemaphore(value: 0)
      await withCheckedContinuation { held in
        log.flush {
          held.resume()
          gate.wait()
        }
      }
      async let opened = result { log.open(sick, $0) }
      let (second, third) = (append(2, first.digest), append(9, first.digest))
      async let stored = result { log.append([second], to: well, $0) }
      async let stray = result { log.append([third], to: sick, $0) }
      async let alsoOpened = result { log.open(well, $0) }
      // So that all four wait: they are handed in by tasks of their own.
      while log.waitingCount < 4 { await Task.yield() }
      gate.signal()
      let (openedSick, strayed, openedWell) = (await opened, await stray, await alsoOpened)
      #expect(throws: RelayLogError(act: .read, reason: .damaged)) { try openedSick.get() }
      try await stored.get()
      #expect(throws: RelayLogError(act: .append, reason: .notDense)) { try strayed.get() }
      #expect(try openedWell.get().head.cursor >= 1)
      #expect(meter.current.failures == 1)
      log.close()
      directory.unlock()
      let report = try RelayStore(directory: path).verify()
      #expect(report.rooms.map(\.head).max() == 2, "\(report)")
    }
  }

  private func result<Value: Sendable>(
    _ call: (@escaping @Sendable (Result<Value, RelayLogError>) -> Void) -> Void
  ) async -> Result<Value, RelayLogError> {
    await withCheckedContinuation { continuation in call { continuation.resume(returning: $0) } }
  }
}
