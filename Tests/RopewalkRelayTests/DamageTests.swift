import Foundation
import NIOCore
import NIOWebSocket
import RopewalkCore
import RopewalkSync
import RopewalkZstd
import Testing

@testable import RopewalkRelay

/// Damaged frames, envelopes and log files give errors, and never a trap. `ROPEWALK_RUNS=N` makes the runs N times as long.
@Suite(.timeLimit(.minutes(30))) struct DamageTests {
  private static let runs =
    ProcessInfo.processInfo.environment["ROPEWALK_RUNS"].flatMap(Int.init) ?? 1

  /// A generator whose seed was printed, so that a failure can be repeated with `ROPEWALK_SEED`.
  private func random(_ name: String) -> SeededRandom {
    let seed =
      ProcessInfo.processInfo.environment["ROPEWALK_SEED"].flatMap(UInt64.init) ?? .random(in: 0...1 << 48)
    print("\(name): seed \(seed)")
    return SeededRandom(seed: seed)
  }

  @Test func randomFramesAreMessagesOrFaults() {
    var random = random("frames")
    for _ in 0..<2000 * Self.runs {
      var assembler = MessageAssembler(largestMessage: 200)
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let payload = random.bytes(Int.random(in: 0...120, using: &random))
        var frame = WebSocketFrame(
          fin: random.chance(0.6),
          opcode: WebSocketOpcode(encodedWebSocketOpcode: .random(in: 0...15, using: &random))!,
          maskKey: random.chance(0.9) ? WebSocketMaskingKey([1, 2, 3, 4]) : nil,
          data: ByteBuffer(bytes: payload))
        frame.rsv1 = random.chance(0.05)
        do {
          if case .message(let buffer)? = try assembler.receive(frame) {
            #expect(buffer.readableBytes <= 200)
          }
        } catch { break }
      }
    }
  }

  @Test func damagedEnvelopesAreErrorsOrMessagesWithinTheBound() {
    var random = random("envelopes")
    let message = Array(String(repeating: "all work and no play ", count: 40).utf8)
    let whole = [
      Envelope.plain(message), Envelope.zstd(frame: Zstd.compress(message), size: message.count),
    ]
    for _ in 0..<2000 * Self.runs {
      var bytes = whole[Int.random(in: 0...1, using: &random)]
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
      }
      if random.chance(0.3) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
      let opened = try? Envelope.open(bytes, largestMessage: 1000) {
        try? Zstd.decompress(Array($0), maximumBytes: $1)
      }
      #expect((opened?.count ?? 0) <= 1000)
    }
  }

  @Test func damagedLogsAreErrorsOrEntries() async throws {
    var random = random("logs")
    try await withDirectory { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      let file = path + "/log.sqlite"
      let key = try await write(to: file)
      let intact = try Data(contentsOf: URL(fileURLWithPath: file))
      for _ in 0..<50 * Self.runs {
        var damaged = intact
        for _ in 0..<Int.random(in: 1...60, using: &random) {
          // The header is left alone now and then, so that the pages behind it are read as well.
          let first = random.chance(0.9) ? 100 : 0
          damaged[Int.random(in: first..<damaged.count, using: &random)] = .random(
            in: 0...255, using: &random)
        }
        if random.chance(0.2) { damaged.removeLast(Int.random(in: 1..<damaged.count, using: &random)) }
        try damaged.write(to: URL(fileURLWithPath: file))
        for end in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file + end) }
        guard let log = try? SQLiteLog(path: file) else { continue }
        _ = await result { log.open(.test, $0) }
        _ = await result { log.read(.test, from: 1, maximumBytes: 1 << 20, $0) }
        _ = await result { log.digest(of: .test, at: 7, $0) }
        _ = await result { log.coverage(of: .test, key, $0) }
        log.close()
      }
    }
  }

  private func write(to file: String) async throws -> CoverageKey {
    let log = try SQLiteLog(path: file)
    var digest = LogDigest.zero
    var entries: [RelayRoom.NewEntry] = []
    for index in 0..<60 as Range<UInt32> {
      let payload = [UInt8](repeating: UInt8(index), count: Int(index) * 40)
      let entry = LogEntry(
        cursor: UInt64(index) + 1, subject: [65, 66], time: 1000, header: header(index..<index + 1),
        payload: payload)
      digest = entry.digest(after: digest)
      entries.append(RelayRoom.NewEntry(entry: entry, payloadHash: PayloadHash(of: payload), digest: digest))
    }
    let all = entries
    _ = try await result { log.append(all, to: .test, $0) }.get()
    log.close()
    return CoverageKey(all[0].entry.header)
  }

  private func result<Value: Sendable>(
    _ call: (@escaping @Sendable (Result<Value, RelayLogError>) -> Void) -> Void
  ) async -> Result<Value, RelayLogError> {
    await withCheckedContinuation { continuation in call { continuation.resume(returning: $0) } }
  }
}

/// SplitMix64.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &self) < probability }

  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in .random(in: 0...255, using: &self) } }
}
