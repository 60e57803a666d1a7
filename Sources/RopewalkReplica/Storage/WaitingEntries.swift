import RopewalkCore

/// Entries of the log that wait for events of the outbox, each found by one event that it waits for. What is in the
/// file counts: an entry that is not there any more is passed over.
struct WaitingEntries {
  /// Cursors by the event waited for.
  private var byReplica: [ReplicaID: [UInt32: [Int64]]] = [:]
  /// Cursors of entries that may wait no more.
  private(set) var released: Set<Int64> = []

  init() {}

  /// Whether no entry waits, nor may wait no more.
  var isEmpty: Bool { byReplica.isEmpty && released.isEmpty }

  /// Lets an entry wait for an event.
  mutating func wait(_ cursor: Int64, for event: EventID) {
    byReplica[event.replica, default: [:]][event.seq, default: []].append(cursor)
  }

  /// An entry is to be looked at.
  mutating func release(_ cursor: Int64) { released.insert(cursor) }

  /// Events have left the outbox: what waits for them is to be looked at. O(k) in the events, or in those waited for.
  mutating func free(_ span: EventSpan) {
    guard var events = byReplica[span.replica] else { return }
    let freed =
      events.count < span.seqs.count
      ? events.keys.filter { span.seqs.contains($0) } : span.seqs.filter { events[$0] != nil }
    if freed.isEmpty { return }
    byReplica[span.replica] = nil  // so that it is changed in place
    for seq in freed { released.formUnion(events.removeValue(forKey: seq) ?? []) }
    if !events.isEmpty { byReplica[span.replica] = events }
  }

  /// Takes out the entries to be looked at, in the order of the log.
  mutating func takeReleased() -> [Int64] {
    defer { released = [] }
    return released.sorted()
  }
}
