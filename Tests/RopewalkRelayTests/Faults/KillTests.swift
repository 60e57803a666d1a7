import Foundation
import RopewalkSync
import Synchronization
import Testing

@testable import RopewalkCommand
@testable import RopewalkRelay

/// A relay that is killed at random moments while clients push. `ROPEWALK_KILL_ROUNDS` says how often, and
/// `ROPEWALK_SEED` repeats a run as far as two processes can be repeated; `ROPEWALK_EXECUTABLE` is another build that
/// is killed.
@Suite(.timeLimit(.minutes(30))) struct KillTests {
  @Test func noAcknowledgedUpdateIsMissingOrDoubledAfterKills() async throws {
    let environment = ProcessInfo.processInfo.environment
    let rounds = environment["ROPEWALK_KILL_ROUNDS"].flatMap { Int($0) } ?? 4
    let seed = environment["ROPEWALK_SEED"].flatMap { UInt64($0) } ?? .random(in: 0 ... .max)
    print("kill rounds: seed \(seed)")
    var random = SplitMix(seed: seed)
    try await withDirectory { path in
      // Large payloads, so that the log is folded while it is killed.
      let writers = (1...4).map { Writer(replica: $0, payloadBytes: Int($0) * 1500) }
      let relay = RelayProcess(dataDirectory: path, executable: relayExecutable)
      var entries: [LogEntry] = []
      for round in 0..<rounds {
        try await relay.start()
        let port = await port(of: relay)
        let left = Countdown(Int.random(in: 1...150, using: &random))
        let window = Int.random(in: 1...16, using: &random)
        await withTaskGroup { group in
          for writer in writers {
            group.addTask {
              await writer.work(port: port, window: window) {
                // The one that takes the last kills.
                if left.isLast() { Task { await relay.kill() } }
              }
            }
          }
        }
        await relay.kill()
        let report = try RelayStore(directory: path).verify()
        try #require(report.isSound, "round \(round): \(report)")
        try await relay.start()
        let found = try await readLog(port: await self.port(of: relay), writers)
        try #require(found.wrong.isEmpty, "round \(round), seed \(seed): \(found.wrong)")
        try #require(
          Array(found.entries.prefix(entries.count)) == entries, "round \(round): a log was changed")
        entries = found.entries
        await relay.kill()
      }
      let segments = try RelayStore(directory: path).verify().rooms.map(\.segments)
      print("kill rounds: \(rounds), entries \(entries.count), segments \(segments)")
    }
  }

  private func port(of relay: RelayProcess) async -> Int {
    let url = await relay.url
    return url.split(separator: ":").last.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
  }
}

private final class Countdown: Sendable {
  private let left: Mutex<Int>

  init(_ count: Int) { left = Mutex(count) }

  func isLast() -> Bool {
    left.withLock { left in
      left -= 1
      return left == 0
    }
  }
}

/// The built `ropewalk`, beside the test runner, unless another is named.
let relayExecutable =
  ProcessInfo.processInfo.environment["ROPEWALK_EXECUTABLE"]
  ?? URL(fileURLWithPath: RelayProcess.thisExecutable).deletingLastPathComponent()
  .appendingPathComponent("ropewalk").path

struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}
