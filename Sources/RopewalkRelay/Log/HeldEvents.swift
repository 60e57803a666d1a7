import RopewalkSync

/// Which events entries hold, or parts of a checkpoint, to tell whether they are the same ones. Of payloads it knows
/// nothing.
struct HeldEvents {
  /// Whose events of which document, by row numbers.
  private struct Key: Hashable {
    let document: Int64
    let replica: Int64
  }

  private var ranges: [Key: [Range<Int64>]] = [:]

  /// Adds a span; sequence numbers are below 2³¹, and `count` is above 0.
  mutating func insert(document: Int64, replica: Int64, first: Int64, count: Int64) {
    ranges[Key(document: document, replica: replica), default: []].append(first..<first + count)
  }

  /// Whether both hold the same events, each of them once. O(n log n).
  func areSame(as other: HeldEvents) -> Bool {
    guard ranges.count == other.ranges.count else { return false }
    return ranges.allSatisfy { key, ranges in
      guard let one = Self.joined(ranges), let two = other.ranges[key].flatMap(Self.joined) else {
        return false
      }
      return one == two
    }
  }

  /// Ranges without a gap as one; nil if two overlap.
  private static func joined(_ ranges: [Range<Int64>]) -> [Range<Int64>]? {
    var joined: [Range<Int64>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      guard let last = joined.last, last.upperBound >= range.lowerBound else {
        joined.append(range)
        continue
      }
      if last.upperBound > range.lowerBound { return nil }
      joined[joined.count - 1] = last.lowerBound..<range.upperBound
    }
    return joined
  }
}
