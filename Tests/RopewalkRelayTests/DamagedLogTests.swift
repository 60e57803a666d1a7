import DamagedFiles
import Foundation
import RopewalkCore
import RopewalkSync
import RopewalkZstd
import Testing

@testable import RopewalkRelay

#if canImport(Glibc)
  import Glibc
#endif

/// Whatever stands in a relay's log, it gives errors and nothing else.
@Suite(.timeLimit(.minutes(240))) struct DamagedLogTests {
  /// So small that every use of a file folds.
  private static let folding = FoldConfiguration(entries: 3, bytes: 4096, patience: 1)

  @Test func damagedLogsAreErrorsOrEntries() async throws {
    try await withDirectory { path in
      let data = path + "/data"
      try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
      try await write(to: path + "/good.sqlite")
      let change = "UPDATE entries SET time = time + 1"
      let damaged = try DamagedDatabase(of: path + "/good.sqlite", change: change)
      try DamagedDatabase.write(logVersion1, to: path + "/old.sqlite")
      let old = try DamagedDatabase(of: path + "/old.sqlite", change: change)
      let team = try #require(RoomName("team"))
      let file = data + "/log.sqlite"
      try await DamageRun("log files", count: 200).forEach { _, random in
        let isOld = random.once(in: 8)
        try (isOld ? old : damaged).write(to: file, using: &random)
        if random.once(in: 4) { _ = try? RelayStore(directory: data).verify() }
        if let log = try? SQLiteLog(path: file, folding: Self.folding) {
          await use(log, isOld ? team : .test, &random)
        }
        if random.once(in: 16) { _ = try? RelayStore(directory: data).compact() }
        for end in ["", "-wal", "-shm"] { unlink(file + end) }
      }
    }
  }

  private static let edges = [
    "UPDATE entries SET cursor = 0 WHERE cursor = 10",
    "UPDATE entries SET cursor = -1 WHERE cursor = 12",
    "UPDATE entries SET cursor = 9223372036854775807 WHERE cursor = 12",
    "UPDATE entries SET size = 9223372036854775807",
    "UPDATE rooms SET oldest = 9223372036854775807",
    "UPDATE rooms SET oldest = -1",
    "UPDATE segments SET last = 9223372036854775807",
    "UPDATE segments SET first = 9223372036854775807, last = first WHERE last = 9",
    "UPDATE segments SET ended = NULL",
    "UPDATE checkpoints SET cursor = 9223372036854775807 WHERE is_used = 1",
    "UPDATE checkpoints SET cursor = -1 WHERE is_used = 1",
    "UPDATE checkpoints SET cursor = 4611686018427387904, announced = -1, parts = NULL WHERE cursor = 7",
    "UPDATE checkpoint_parts SET place = -1, kind = 7",
    "UPDATE checkpoint_parts SET kind = 3",
    "UPDATE checkpoint_parts SET tip = 9223372036854775807",
    "UPDATE checkpoint_parts SET time = NULL, replica = NULL",
  ]

  @Test(arguments: edges) func numbersAtTheEdgesAndNoNumbersAreErrors(_ statement: String) async throws {
    try await withDirectory { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try await write(to: path + "/good.sqlite")
      try DamagedDatabase.write(to: path + "/good.sqlite", withoutConstraints: statement)
      let file = path + "/log.sqlite"
      for seed in 0..<10 as Range<UInt64> {
        try? FileManager.default.removeItem(atPath: file)
        try FileManager.default.copyItem(atPath: path + "/good.sqlite", toPath: file)
        var random = DamageRandom(seed: seed)
        await use(try SQLiteLog(path: file, folding: Self.folding), .test, &random)
        _ = try RelayStore(directory: path).verify()
        _ = try? RelayStore(directory: path).compact()
      }
    }
  }

  /// A log of 12 entries that begins at 4, with a checkpoint of 5, is one whose numbers fit each other.
  @Test(arguments: [
    ("UPDATE rooms SET oldest = 6", true), ("UPDATE rooms SET oldest = 7", false),
    ("UPDATE checkpoints SET is_used = 0 WHERE cursor = 5", false),
    ("UPDATE checkpoints SET cursor = 4 WHERE cursor = 7", false),
    ("UPDATE checkpoints SET cursor = 12 WHERE cursor = 7", true),
    ("UPDATE checkpoints SET cursor = 13 WHERE cursor = 7", false),
    ("UPDATE checkpoints SET cursor = 13 WHERE is_used = 1", false),
  ])
  func aLogMayNotHaveForgottenMoreThanItsCheckpointHolds(_ statement: String, isWhole: Bool) async throws {
    try await withDirectory { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      let file = path + "/log.sqlite"
      try await write(to: file)
      try DamagedDatabase.write(to: file, withoutConstraints: statement)
      let log = try SQLiteLog(path: file)
      let opened = await result { log.open(.test, $0) }
      log.close()
      switch opened {
      case .success: #expect(isWhole)
      case .failure(let error): #expect(!isWhole && error.reason == .damaged)
      }
    }
  }

  /// Reads all there is, changes it, and goes on from there.
  private func use(_ log: SQLiteLog, _ room: RoomName, _ random: inout DamageRandom) async {
    let state = try? await result { log.open(room, $0) }.get()
    var next = random.once(in: 2) ? state?.oldest ?? 1 : UInt64(random.below(14))
    for _ in 0..<20 {
      guard let batch = try? await result({ log.read(room, from: next, maximumBytes: 300, $0) }).get(),
        let last = last(of: batch), last < .max
      else { break }
      next = last + 1
    }
    for cursor in [1, 4, 6, 11] as [UInt64] { _ = await result { log.digest(of: room, at: cursor, $0) } }
    _ = await result { log.coverage(of: room, CoverageKey(header(0..<1)), $0) }
    let cursor = state?.checkpoint?.cursor ?? 5
    _ = await result { log.checkpoint(of: room, at: cursor, from: 0, maximumBytes: 100, $0) }
    let change = change(state, &random)
    let changed = await result { log.change(room, change, $0) }
    if let head = ((try? changed.get()) ?? state)?.head, head.cursor < .max - 3 {
      let more = entries(3, after: head, seqs: 90)
      _ = await result { log.append(more, to: room, $0) }
    }
    log.close()
  }

  private func last(of batch: LogBatch) -> UInt64? {
    switch batch {
    case .entries(let entries): return entries.last?.cursor
    case .forgotten: return nil
    case .segment(let segment):
      let content = try? Zstd.decompress(segment.frame, maximumBytes: segment.size)
      _ = try? LogSegment.entries(in: content ?? [], from: segment.first, count: segment.count)
      return segment.last
    }
  }

  private func change(_ state: LogState?, _ random: inout DamageRandom) -> LogChange {
    let cursor = UInt64(random.below(14))
    switch random.below(7) {
    case 0:
      let part = CheckpointPart(
        cursor: cursor + 1, kind: random.once(in: 3) ? .carried : .plain, header: header(0..<9),
        payload: [1, 2, 3])
      return .storeParts(cursor: cursor, first: UInt64(random.below(3)), [part])
    case 1:
      let head = LogHead(cursor: random.once(in: 2) ? 8 : cursor, digest: .zero)
      return .announceCheckpoint(AnnouncedCheckpoint(head: head, parts: .zero, time: 5))
    case 2: return .dropCheckpoint(cursor: random.once(in: 2) ? 8 : cursor)
    case 5: return .useCheckpoint(cursor: random.once(in: 2) ? 8 : cursor)
    case 3: return .setRetention(.days(3))
    case 4: return .forget(before: random.once(in: 2) ? .max : 1000 + cursor)
    default: return .dropCheckpoint(cursor: 7)
    }
  }

  private func entries(_ count: Int, after head: LogHead, seqs start: UInt32) -> [RelayRoom.NewEntry] {
    var digest = head.digest
    return (0..<count).map { index in
      let cursor = head.cursor + UInt64(index) + 1
      let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: cursor), count: Int(cursor % 11) * 20)
      let entry = LogEntry(
        cursor: cursor, subject: [65, 66], time: 1000 &+ cursor,
        header: header(start + UInt32(index)..<start + UInt32(index) + 1), payload: payload)
      digest = entry.digest(after: digest)
      return RelayRoom.NewEntry(entry: entry, payloadHash: PayloadHash(of: payload), digest: digest)
    }
  }

  /// A log with entries, segments, a checkpoint and what was forgotten since, and an upload that nobody has
  /// confirmed.
  private func write(to file: String) async throws {
    var log = try SQLiteLog(path: file, folding: FoldConfiguration(entries: 3, bytes: 4096))
    let all = entries(12, after: LogHead(cursor: 0, digest: .zero), seqs: 0)
    _ = try await result { log.append(all, to: .test, $0) }.get()
    // A closed log has folded.
    log.close()
    log = try SQLiteLog(path: file)
    func part(_ count: UInt32) -> CheckpointPart {
      CheckpointPart(cursor: 1, header: header(0..<count), payload: [UInt8](repeating: 5, count: 100))
    }
    let changes: [LogChange] = [
      .storeParts(cursor: 5, first: 0, [part(5)]),
      .announceCheckpoint(
        AnnouncedCheckpoint(head: LogHead(cursor: 5, digest: all[4].digest), parts: .zero, time: 1)),
      .useCheckpoint(cursor: 5), .forget(before: 1004),
      .storeParts(cursor: 7, first: 0, [part(7)]),
      .announceCheckpoint(
        AnnouncedCheckpoint(head: LogHead(cursor: 7, digest: all[6].digest), parts: .zero, time: 1)),
      .storeParts(cursor: 8, first: 0, [part(5)]), .setRetention(.days(7)),
    ]
    for change in changes { _ = try await result { log.change(.test, change, $0) }.get() }
    let state = try await result { log.open(.test, $0) }.get()
    #expect(state.oldest == 4 && state.checkpoint?.cursor == 5 && state.head.cursor == 12)
    log.close()
  }

  private func result<Value: Sendable>(
    _ call: (@escaping @Sendable (Result<Value, RelayLogError>) -> Void) -> Void
  ) async -> Result<Value, RelayLogError> {
    await withCheckedContinuation { continuation in call { continuation.resume(returning: $0) } }
  }
}
