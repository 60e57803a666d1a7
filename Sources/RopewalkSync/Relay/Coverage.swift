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

/// Which events of one replica and document a log holds. This is what makes a repeated push exactly once.
///
/// Ranges are known by their entries, or settled: merged with their neighbours, so that a replica which
/// goes on writing costs no more with time. What a settled range was made of is in the log alone.
struct Coverage: Sendable {
  /// What is known by its entries: disjoint, ascending.
  private(set) var ranges: [CoveredRange] = []
  /// What else the log holds: disjoint, ascending, never adjacent, and disjoint from `ranges`.
  private(set) var settled: [Range<UInt32>] = []
  /// The cursor of the newest entry that is known here.
  private(set) var newest: UInt64 = 0

  enum Verdict: Equatable {
    /// The log holds none of it.
    case new
    /// The log holds just this, in that entry.
    case repeated(cursor: UInt64)
    /// The log holds other bytes under the same header.
    case clash(cursor: UInt64)
    /// The log holds some of it, cut otherwise, in entries up to a cursor; it lacks these.
    case covered(missing: [Range<UInt32>], through: UInt64)
    /// The log holds some of it, and must be asked in which entries.
    case unknown
  }

  init() {}

  /// How much is kept.
  var count: Int { ranges.count + settled.count }

  func judge(_ seqs: Range<UInt32>, _ payloadHash: PayloadHash) -> Verdict {
    let settledIndex = settled.firstIndex(endingAfter: seqs.lowerBound) { $0 }
    if settledIndex < settled.count, settled[settledIndex].lowerBound < seqs.upperBound { return .unknown }
    let first = ranges.firstIndex(endingAfter: seqs.lowerBound) { $0.seqs }
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
    newest = max(newest, range.cursor)
    ranges.insert(range, at: ranges.firstIndex(endingAfter: range.seqs.lowerBound) { $0.seqs })
  }

  /// Takes what the log was found to hold, in any order: all that was durable when it was asked.
  mutating func learn(_ found: [CoveredRange]) {
    let later = ranges
    settled = []
    ranges = found.sorted { $0.seqs.lowerBound < $1.seqs.lowerBound }
    for range in ranges { newest = max(newest, range.cursor) }
    for range in later {
      let index = ranges.firstIndex(endingAfter: range.seqs.lowerBound) { $0.seqs }
      if index == ranges.count || ranges[index].seqs.lowerBound >= range.seqs.upperBound {
        ranges.insert(range, at: index)
      }
    }
  }

  /// Settles what is durable, but for so many of the newest ranges.
  mutating func settle(through durable: UInt64, keeping kept: Int) {
    let old = ranges.dropLast(kept).filter { $0.cursor <= durable }.map { $0.seqs }
    guard !old.isEmpty else { return }
    ranges = ranges.dropLast(kept).filter { $0.cursor > durable } + ranges.suffix(kept)
    var merged: [Range<UInt32>] = []
    for range in (settled + old).sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, last.upperBound == range.lowerBound {
        merged[merged.count - 1] = last.lowerBound..<range.upperBound
      } else {
        merged.append(range)
      }
    }
    settled = merged
  }
}

extension Array {
  /// Binary search among ascending ranges: the first that ends after `seq`.
  fileprivate func firstIndex(endingAfter seq: UInt32, _ seqs: (Element) -> Range<UInt32>) -> Int {
    if let last, seqs(last).upperBound <= seq { return count }
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if seqs(self[middle]).upperBound <= seq { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
