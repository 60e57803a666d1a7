import RopewalkCore

/// Whose events of which document: what coverage is kept by.
public struct CoverageKey: Hashable, Sendable {
  /// The document.
  public let document: DocumentKey
  /// The author.
  public let replica: ReplicaID

  /// Makes a key.
  public init(document: DocumentKey, replica: ReplicaID) {
    self.document = document
    self.replica = replica
  }

  /// The key of an entry.
  public init(_ header: EntryHeader) {
    self.init(document: header.document, replica: header.span.replica)
  }
}

/// A range of one replica's events that the log holds, and the entry that holds it.
public struct CoveredRange: Hashable, Sendable {
  /// The sequence numbers.
  public let seqs: Range<UInt32>
  /// The entry.
  public let cursor: UInt64
  /// The hash of the entry's payload; nil if the entry was forgotten, and only a checkpoint holds its events.
  public let payloadHash: PayloadHash?

  /// Makes a range.
  public init(seqs: Range<UInt32>, cursor: UInt64, payloadHash: PayloadHash?) {
    self.seqs = seqs
    self.cursor = cursor
    self.payloadHash = payloadHash
  }
}

/// Which events of one replica and document a log holds: disjoint ranges, ascending. This is what makes a
/// repeated push exactly once.
struct Coverage: Sendable {
  private(set) var ranges: [CoveredRange] = []

  enum Verdict: Equatable {
    /// The log holds none of it.
    case new
    /// The log holds just this, in that entry.
    case repeated(cursor: UInt64)
    /// The log holds other bytes under the same header.
    case clash(cursor: UInt64)
    /// The log holds some of it, cut otherwise, in entries up to a cursor; it lacks these.
    case covered(missing: [Range<UInt32>], through: UInt64)
  }

  init() {}

  /// Takes ranges as a log gives them, in any order.
  init(_ found: [CoveredRange]) {
    ranges = found.sorted { $0.seqs.lowerBound < $1.seqs.lowerBound }
  }

  func judge(_ seqs: Range<UInt32>, _ payloadHash: PayloadHash) -> Verdict {
    let first = firstIndex(endingAfter: seqs.lowerBound)
    guard first < ranges.count, ranges[first].seqs.lowerBound < seqs.upperBound else { return .new }
    if ranges[first].seqs == seqs, let hash = ranges[first].payloadHash {
      let cursor = ranges[first].cursor
      return hash == payloadHash ? .repeated(cursor: cursor) : .clash(cursor: cursor)
    }
    var missing: [Range<UInt32>] = []
    var through: UInt64 = 0
    var place = seqs.lowerBound
    var index = first
    while index < ranges.count, ranges[index].seqs.lowerBound < seqs.upperBound {
      if place < ranges[index].seqs.lowerBound { missing.append(place..<ranges[index].seqs.lowerBound) }
      place = ranges[index].seqs.upperBound
      through = max(through, ranges[index].cursor)
      index += 1
    }
    if place < seqs.upperBound { missing.append(place..<seqs.upperBound) }
    return .covered(missing: missing, through: through)
  }

  /// Adds a range that was judged new.
  mutating func insert(_ range: CoveredRange) {
    ranges.insert(range, at: firstIndex(endingAfter: range.seqs.lowerBound))
  }

  /// Binary search: the first range that ends after `seq`.
  private func firstIndex(endingAfter seq: UInt32) -> Int {
    if let last = ranges.last, last.seqs.upperBound <= seq { return ranges.count }
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].seqs.upperBound <= seq { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
