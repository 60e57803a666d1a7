import RopewalkCore
import RopewalkSync
import RopewalkZstd
import Testing

@testable import RopewalkRelay

/// Old entries are folded into segments, which changes nothing for anybody.
@Suite(.timeLimit(.minutes(5))) struct FoldingTests {
  private static let folding = FoldConfiguration(entries: 8, bytes: 4096)

  private func append(_ count: Int, to log: SQLiteLog, room: RoomName = .test, after: [LogEntry] = [])
    async throws -> [LogEntry]
  {
    var entries = after
    var digest = after.reduce(LogDigest.zero) { $1.digest(after: $0) }
    for _ in 0..<count {
      let index = UInt32(entries.count)
      let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: Int(index % 97) * 7)
      let entry = LogEntry(
        cursor: UInt64(index) + 1, subject: Array("ann".utf8), time: 1000 + UInt64(index),
        header: header(index / 3..<index / 3 + 1, replica: UInt64(index % 3), document: "d\(index % 2)"),
        payload: payload)
      digest = entry.digest(after: digest)
      entries.append(entry)
      let new = RelayRoom.NewEntry(entry: entry, payloadHash: PayloadHash(of: payload), digest: digest)
      try await result { log.append([new], to: room, $0) }
    }
    return entries
  }

  private func result<Value: Sendable>(
    _ call: (@escaping @Sendable (Result<Value, RelayLogError>) -> Void) -> Void
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in call { continuation.resume(with: $0) } }
  }

  /// Asks until something has been folded: that happens beside the log's queue.
  private func waitForSegments(_ log: SQLiteLog) async throws {
    while true {
      if case .segment = try await result({ log.read(.test, from: 1, maximumBytes: 1, $0) }) { return }
      await withCheckedContinuation { continuation in log.flush { continuation.resume() } }
    }
  }

  private func everything(_ log: SQLiteLog, from start: UInt64, head: UInt64) async throws -> (
    entries: [LogEntry], segments: Int
  ) {
    var (entries, segments): ([LogEntry], Int) = ([], 0)
    var next = start
    while next <= head {
      let batch = try await result { log.read(.test, from: next, maximumBytes: 500, $0) }
      switch batch {
      case .entries(let more): entries += more
      case .forgotten: Issue.record("something was forgotten")
      case .segment(let segment):
        segments += 1
        let content = try Zstd.decompress(segment.frame, maximumBytes: segment.size)
        entries += try LogSegment.entries(in: content, from: segment.first, count: segment.count)
      }
      next = (entries.last?.cursor ?? head) + 1
    }
    return (entries, segments)
  }

  @Test func whatIsFoldedIsReadAsBeforeFromAnyCursor() async throws {
    try await withDirectory { path in
      let directory = try DataDirectory(path: path)
      defer { directory.unlock() }
      var log = try SQLiteLog(path: directory.logPath, folding: Self.folding)
      let entries = try await append(100, to: log)
      try await waitForSegments(log)
      log.close()
      log = try SQLiteLog(path: directory.logPath, folding: Self.folding)
      let head = try await result { log.open(.test, $0) }.head
      #expect(head.cursor == 100)
      #expect(head.digest == entries.reduce(LogDigest.zero) { $1.digest(after: $0) })
      var digest = LogDigest.zero
      for start in 1...100 {
        let (found, segments) = try await everything(log, from: UInt64(start), head: 100)
        #expect(found == Array(entries[(start - 1)...]))
        if start == 1 { #expect(segments > 0) }
        digest = entries[start - 1].digest(after: digest)
        let stored = try await result { log.digest(of: .test, at: UInt64(start), $0) }
        #expect(stored == digest)
      }
      for replica in 0..<3 as Range<UInt64> {
        for document in ["d0", "d1"] {
          let key = CoverageKey(header(0..<1, replica: replica, document: document))
          let found = try await result { log.coverage(of: .test, key, $0) }.ranges
          let expected = entries.filter { CoverageKey($0.header) == key }.map {
            CoveredRange(
              seqs: $0.header.span.seqs, cursor: $0.cursor, payloadHash: PayloadHash(of: $0.payload))
          }
          #expect(Set(found) == Set(expected) && found.count == expected.count)
        }
      }
      let more = try await append(20, to: log, after: entries)
      #expect(try await everything(log, from: 1, head: 120).entries == more)
      log.close()
      let report = try RelayStore(directory: path).verify()
      #expect(report.isSound && report.rooms.map(\.head) == [120], "\(report)")
    }
  }

  /// Closing waits for the folds that the last writes ask for: a fold that reads a closed file reads freed
  /// memory.
  @Test func aLogIsClosedWhileItIsBeingFolded() async throws {
    let rooms = try (0..<24).map { try #require(RoomName("room\($0)")) }
    let payload = (0..<4000).map { UInt8(truncatingIfNeeded: $0 * $0) }
    let entry = LogEntry(
      cursor: 1, subject: Array("ann".utf8), time: 1000, header: header(0..<1), payload: payload)
    let new = RelayRoom.NewEntry(
      entry: entry, payloadHash: PayloadHash(of: payload), digest: entry.digest(after: .zero))
    for _ in 0..<12 {
      try await withDirectory { path in
        let directory = try DataDirectory(path: path)
        defer { directory.unlock() }
        let folding = FoldConfiguration(entries: 1, bytes: 4096, patience: 1)
        let log = try SQLiteLog(path: directory.logPath, folding: folding)
        for room in rooms { log.append([new], to: room) { _ in } }
        log.close()
        let report = try RelayStore(directory: path).verify()
        #expect(report.isSound && report.rooms.map(\.head) == rooms.map { _ in 1 }, "\(report)")
      }
    }
  }

  @Test func aSegmentIsSentAsStoredToThoseWhoTakeItAndUnfoldedToOthers() async throws {
    try await withDirectory { path in
      try await fill(path, count: 40)
      _ = try RelayStore(directory: path).compact()
      let relay = try await startRelay(path)
      let stored = try await Peer.greeted(by: relay, codecs: .zstd)
      let all = try await stored.join(.test)
      #expect(all.entries.map(\.cursor) == Array(1...40))
      let plain = try await Peer.greeted(by: relay)
      let unfolded = try await plain.join(.test)
      #expect(unfolded.entries == all.entries && unfolded.digest == all.digest)
      let older = try await Peer.connect(to: relay)
      try await older.say(.hello(ClientMessage.Hello(features: [.presence], codecs: .zstd, token: [])))
      _ = try await older.hear()
      #expect(try await older.join(.test).entries == all.entries)
      // As it is stored: the frame says so.
      let raw = try await Peer.greeted(by: relay, codecs: .zstd)
      try await raw.say(.join(ClientMessage.Join(room: .test, cursor: 0, digest: .zero)))
      var kinds: [UInt8?] = []
      while kinds.count < 2 { kinds.append(try await raw.socket.frame().payload.first) }
      #expect(kinds == [0, 2])
      // From the middle, and what was folded is still known.
      let digest = all.entries.prefix(7).reduce(LogDigest.zero) { $1.digest(after: $0) }
      let resumed = try await Peer.greeted(by: relay, codecs: .zstd).join(.test, cursor: 7, digest: digest)
      #expect(!resumed.joined.isRestart && resumed.entries == Array(all.entries[7...]))
      let number = all.joined.number
      func push(_ count: UInt64, _ seqs: Range<UInt32>, _ payload: [UInt8], seen: UInt64) async throws
        -> Peer.Answer
      {
        try await stored.push(
          ClientMessage.Push(
            room: number, number: count, refusalsSeen: seen, header: header(seqs), payload: payload))
      }
      #expect(try await push(1, 3..<4, all.entries[3].payload, seen: 0) == .cursor(4))
      #expect(try await push(2, 3..<4, [9, 9], seen: 0) == .refusal(.idClash(at: 4)))
      #expect(
        try await push(3, 38..<42, [1], seen: 1) == .refusal(.covered(missing: [40..<42], through: 40)))
      await relay.stop()
    }
  }

  /// A log of so many entries, by way of a relay.
  private func fill(_ path: String, count: Int) async throws {
    let relay = try await startRelay(path)
    let peer = try await Peer.greeted(by: relay)
    let number = try await peer.join(.test).joined.number
    for index in 0..<UInt32(count) {
      let push = ClientMessage.Push(
        room: number, number: UInt64(index), header: header(index..<index + 1),
        payload: Array("entry number \(index), and so on".utf8))
      #expect(try await peer.push(push) == .cursor(UInt64(index) + 1))
    }
    await relay.stop()
  }
}
