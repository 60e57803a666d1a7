import DamagedFiles
import Foundation
import NIOCore
import NIOWebSocket
import RopewalkCore
import RopewalkSync
import RopewalkZstd
import Testing

@testable import RopewalkRelay

/// Damaged frames, envelopes and log files give errors, and never a trap.
@Suite(.timeLimit(.minutes(240))) struct DamageTests {
  @Test func randomFramesAreMessagesOrFaults() async throws {
    try await DamageRun("frames", count: 2000).forEach { _, random in
      var assembler = MessageAssembler(largestMessage: 200)
      for _ in 0...random.below(6) {
        var frame = WebSocketFrame(
          fin: random.below(10) < 6,
          opcode: WebSocketOpcode(encodedWebSocketOpcode: UInt8(random.below(16)))!,
          maskKey: random.below(10) < 9 ? WebSocketMaskingKey([1, 2, 3, 4]) : nil,
          data: ByteBuffer(bytes: random.bytes(random.below(121))))
        frame.rsv1 = random.once(in: 20)
        do {
          if case .message(let buffer)? = try assembler.receive(frame) {
            #expect(buffer.readableBytes <= 200)
          }
        } catch { break }
      }
    }
  }

  @Test func damagedEnvelopesAreErrorsOrMessagesWithinTheBound() async throws {
    let message = Array(String(repeating: "all work and no play ", count: 40).utf8)
    let whole = [
      Envelope.plain(message), Envelope.zstd(frame: Zstd.compress(message), size: message.count),
    ]
    try await DamageRun("envelopes", count: 2000).forEach { _, random in
      var bytes = whole[random.below(2)]
      ByteDamage.damage(&bytes, using: &random)
      let opened = try? Envelope.open(bytes, largestMessage: 1000) {
        try? Zstd.decompress(Array($0), maximumBytes: $1)
      }
      #expect((opened?.count ?? 0) <= 1000)
    }
  }

  @Test func damagedLogsAreErrorsOrEntries() async throws {
    try await withDirectory { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      let entries = try await write(to: path + "/good.sqlite")
      let damaged = try DamagedDatabase(
        of: path + "/good.sqlite", change: "UPDATE entries SET time = time + 1 WHERE cursor = 3")
      try await DamageRun("log files", count: 200).forEach { seed, random in
        let file = path + "/\(seed).sqlite"
        try damaged.write(to: file, using: &random)
        if let log = try? SQLiteLog(path: file) { await use(log, entries) }
        for end in ["", "-wal", "-shm"] { unlink(file + end) }
      }
    }
  }

  /// Reads all there is, and goes on from there.
  private func use(_ log: SQLiteLog, _ entries: [RelayRoom.NewEntry]) async {
    let head = await result { log.open(.test, $0) }.map(\.head)
    _ = await result { log.read(.test, from: 1, maximumBytes: 1 << 20, $0) }
    _ = await result { log.digest(of: .test, at: 4, $0) }
    _ = await result { log.coverage(of: .test, CoverageKey(entries[0].entry.header), $0) }
    if case .success(let head) = head, head.cursor < .max {
      let old = entries[0].entry
      let entry = LogEntry(
        cursor: head.cursor + 1, subject: old.subject, time: 2000, header: header(90..<91),
        payload: old.payload)
      let next = RelayRoom.NewEntry(
        entry: entry, payloadHash: PayloadHash(of: entry.payload), digest: entry.digest(after: head.digest))
      _ = await result { log.append([next], to: .test, $0) }
    }
    log.close()
  }

  private func write(to file: String) async throws -> [RelayRoom.NewEntry] {
    let log = try SQLiteLog(path: file)
    var digest = LogDigest.zero
    var entries: [RelayRoom.NewEntry] = []
    for index in 0..<9 as Range<UInt32> {
      let payload = [UInt8](repeating: UInt8(index), count: Int(index) * 20)
      let entry = LogEntry(
        cursor: UInt64(index) + 1, subject: [65, 66], time: 1000, header: header(index..<index + 1),
        payload: payload)
      digest = entry.digest(after: digest)
      entries.append(RelayRoom.NewEntry(entry: entry, payloadHash: PayloadHash(of: payload), digest: digest))
    }
    let all = entries
    _ = try await result { log.append(all, to: .test, $0) }.get()
    log.close()
    return all
  }

  private func result<Value: Sendable>(
    _ call: (@escaping @Sendable (Result<Value, RelayLogError>) -> Void) -> Void
  ) async -> Result<Value, RelayLogError> {
    await withCheckedContinuation { continuation in call { continuation.resume(returning: $0) } }
  }
}
