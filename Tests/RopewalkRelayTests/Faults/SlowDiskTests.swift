import Foundation
import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkCommand
@testable import RopewalkRelay

/// A disk that takes its time: a stop does what must be done, and leaves the rest to the next start.
@Suite(.timeLimit(.minutes(5))) struct SlowDiskTests {
  enum Leaving: CaseIterable {
    /// Before the stop: there is time to begin with moving the write-ahead log.
    case early
    /// Not before it is dropped: then the grace is used up.
    case never
  }

  @Test(arguments: Leaving.allCases)
  func aStopThatHasNoTimeLeavesTheWriteAheadLogAndLosesNothing(_ leaving: Leaving) async throws {
    try await withDirectory { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      guard let faults = try await DiskFaults(in: path) else {
        print("disk faults: skipped, there is no C compiler")
        return
      }
      let process = try ChildProcess(
        relayExecutable,
        ["serve", "--data", path + "/data", "--listen", "127.0.0.1:0", "--grace", "100ms"],
        environment: faults.environment)
      let line = try #require(await process.output.line(beginning: "listening on "))
      let port = try #require(line.split(separator: ":").last.flatMap { Int($0.prefix { $0.isNumber }) })
      let peer = try await Peer.greeted(onPort: port)
      let room = try await peer.join(.test).joined.number
      for seq in 0..<pushes {
        let push = ClientMessage.Push(
          room: room, number: UInt64(seq), header: header(seq..<seq + 1), payload: payload(seq))
        guard case .cursor = try await peer.push(push) else {
          Issue.record("\(seq) was not taken")
          return
        }
      }
      if leaving == .early { await peer.socket.drop() }
      try faults.slowMoves()
      process.signal(SIGTERM)
      #expect(await process.end() == 0)
      // Moving it takes as many pages as there are pushes, and more: half a minute on this disk.
      let moved = faults.movedPages
      #expect(leaving == .early ? moved < Int(pushes) / 2 : moved == 0, "\(moved) pages")
      let log = path + "/data/log.sqlite-wal"
      let size = try FileManager.default.attributesOfItem(atPath: log)[.size] as? Int
      #expect(try #require(size) > Int(pushes) * 4096)
      let report = try RelayStore(directory: path + "/data").verify()
      #expect(report.isSound, "\(report)")
      #expect(report.rooms.map(\.head) == [UInt64(pushes)])

      try faults.set(nil)
      let next = try ChildProcess(
        relayExecutable, ["serve", "--data", path + "/data", "--listen", "127.0.0.1:0"],
        environment: faults.environment)
      _ = try #require(await next.output.line(beginning: "listening on "))
      next.signal(SIGTERM)
      #expect(await next.end() == 0)
      // With time, all of it is in the one file.
      #expect((try? FileManager.default.attributesOfItem(atPath: log)[.size] as? Int) ?? 0 == 0)
      #expect(try RelayStore(directory: path + "/data").verify().rooms.map(\.head) == [UInt64(pushes)])
      await peer.socket.drop()
    }
  }

  private let pushes: UInt32 = 300

  /// What cannot be compressed, so that each is a page or more.
  private func payload(_ seq: UInt32) -> [UInt8] {
    (0..<128).flatMap { PayloadHash(of: [UInt8($0), UInt8(seq >> 8), UInt8(seq & 255)]).bytes }
  }
}
