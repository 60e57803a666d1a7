import NIOConcurrencyHelpers
import RopewalkSync

@testable import RopewalkRelay

/// A log in memory that answers at once, on the thread that asks: for relays on an embedded event loop.
final class MemoryLog: RelayLog {
  private let entries = NIOLockedValueBox<[RoomName: [RelayRoom.NewEntry]]>([:])

  /// The largest payload that was appended.
  var largestPayload: Int {
    entries.withLockedValue { $0.values.joined().map(\.entry.payload.count).max() ?? 0 }
  }

  /// How many entries were appended.
  var count: Int { entries.withLockedValue { $0.values.reduce(0) { $0 + $1.count } } }

  func open(_ room: RoomName, _ completion: @escaping Completion<LogState>) {
    let last = entries.withLockedValue { $0[room]?.last }
    let head = last.map { LogHead(cursor: $0.entry.cursor, digest: $0.digest) } ?? .empty
    completion(.success(LogState(head: head)))
  }

  func change(_ room: RoomName, _ change: LogChange, _ completion: @escaping Completion<LogState>) {
    open(room, completion)
  }

  func checkpoint(
    of room: RoomName, at cursor: UInt64, from first: UInt64, maximumBytes: Int,
    _ completion: @escaping Completion<CheckpointBatch?>
  ) { completion(.success(nil)) }

  func append(_ new: [RelayRoom.NewEntry], to room: RoomName, _ completion: @escaping Completion<Void>) {
    entries.withLockedValue { $0[room, default: []] += new }
    completion(.success(()))
  }

  func read(
    _ room: RoomName, from cursor: UInt64, maximumBytes: Int, _ completion: @escaping Completion<LogBatch>
  ) {
    completion(
      .success(
        .entries(entries.withLockedValue { ($0[room] ?? []).map(\.entry).filter { $0.cursor >= cursor } })))
  }

  func digest(of room: RoomName, at cursor: UInt64, _ completion: @escaping Completion<LogDigest?>) {
    completion(
      .success(entries.withLockedValue { ($0[room] ?? []).first { $0.entry.cursor == cursor }?.digest }))
  }

  func soleAuthor(of room: RoomName, through cursor: UInt64, _ completion: @escaping Completion<[UInt8]?>) {
    let subjects = entries.withLockedValue { Set(($0[room] ?? []).map(\.entry.subject)) }
    completion(.success(subjects.count == 1 ? subjects.first : nil))
  }

  func coverage(of room: RoomName, _ key: CoverageKey, _ completion: @escaping Completion<LogCoverage>) {
    let found = entries.withLockedValue { ($0[room] ?? []).filter { CoverageKey($0.entry.header) == key } }
    let ranges = found.map {
      CoveredRange(seqs: $0.entry.header.span.seqs, cursor: $0.entry.cursor, payloadHash: $0.payloadHash)
    }.sorted { $0.seqs.lowerBound < $1.seqs.lowerBound }
    let owner = entries.withLockedValue {
      ($0[room] ?? []).first { $0.entry.header.span.replica == key.replica }?.owner
    }
    completion(.success(LogCoverage(ranges: ranges, owner: owner, examined: ranges.count)))
  }

  func probe(_ completion: @escaping Completion<Void>) { completion(.success(())) }

  let pendingBytes = 0

  func flush(_ completion: @escaping @Sendable () -> Void) { completion() }

  func hurry() {}

  func close() {}
}
