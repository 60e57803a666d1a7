import RopewalkCore

/// A set of events, by replica.
struct SpanSet {
  private var ranges: [ReplicaID: RangeSet<UInt32>] = [:]

  /// All events that a vector counts.
  init(_ vector: VersionVector = VersionVector()) {
    for (replica, count) in vector.entries { ranges[replica] = RangeSet(0..<count) }
  }

  /// What is in `new` and not in `old`.
  init(from old: VersionVector, to new: VersionVector) {
    for (replica, count) in new.entries where old[replica] < count {
      ranges[replica] = RangeSet(old[replica]..<count)
    }
  }

  var isEmpty: Bool { ranges.values.allSatisfy { $0.isEmpty } }

  mutating func insert(_ span: EventSpan) {
    ranges[span.replica, default: RangeSet()].insert(contentsOf: span.seqs)
  }

  mutating func remove(_ span: EventSpan) { ranges[span.replica]?.remove(contentsOf: span.seqs) }

  /// Whether all of a span is in the set.
  func contains(_ span: EventSpan) -> Bool { intersection(span) == [span] }

  func subtracting(_ other: SpanSet) -> SpanSet {
    var result = self
    for (replica, removed) in other.ranges { result.ranges[replica]?.subtract(removed) }
    return result
  }

  /// What the set has of one span, ascending.
  func intersection(_ span: EventSpan) -> [EventSpan] {
    guard let all = ranges[span.replica] else { return [] }
    return all.intersection(RangeSet(span.seqs)).ranges.map { EventSpan(replica: span.replica, seqs: $0) }
  }

  /// The set as spans, by replica and ascending.
  var spans: [EventSpan] {
    ranges.keys.sorted().flatMap { replica in
      (ranges[replica]?.ranges).map { $0.map { EventSpan(replica: replica, seqs: $0) } } ?? []
    }
  }
}
