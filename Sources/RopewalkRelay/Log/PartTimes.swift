/// When the newest events in each part of a checkpoint were pushed.
struct PartTimes {
  private struct Key: Hashable {
    let document: Int64
    let replica: Int64
  }

  private struct Part {
    let number: Int64
    let events: Range<Int64>
    var time: Int64 = 0
  }

  private var parts: [Key: [Part]] = [:]

  /// Adds a part; sequence numbers are below 2³¹, and `count` is above 0.
  mutating func insert(number: Int64, document: Int64, replica: Int64, first: Int64, count: Int64) {
    let part = Part(number: number, events: first..<first + count)
    parts[Key(document: document, replica: replica), default: []].append(part)
  }

  /// Makes it ready for `note`; false if two parts hold one event, as no checkpoint's do. O(n log n).
  mutating func sort() -> Bool {
    for key in Array(parts.keys) {
      parts[key]?.sort { $0.events.lowerBound < $1.events.lowerBound }
      let sorted = parts[key] ?? []
      if zip(sorted, sorted.dropFirst()).contains(where: { $0.events.upperBound > $1.events.lowerBound }) {
        return false
      }
    }
    return true
  }

  /// Events were pushed at a time. O(log n), and the parts that they are in: a history of n entries in n parts costs
  /// O(n log n), however they are cut.
  mutating func note(_ time: Int64, document: Int64, replica: Int64, events: Range<Int64>) {
    let key = Key(document: document, replica: replica)
    guard var index = parts[key]?.partitioningIndex(where: { $0.events.upperBound > events.lowerBound })
    else { return }
    while let part = parts[key]?[safe: index], part.events.lowerBound < events.upperBound {
      parts[key]?[index].time = max(part.time, time)
      index += 1
    }
  }

  /// Each part's number and time.
  var all: [(number: Int64, time: Int64)] { parts.values.joined().map { ($0.number, $0.time) } }
}

extension Array {
  fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }

  /// The first of which it holds, where it holds of all after that too.
  fileprivate func partitioningIndex(where isBeyond: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isBeyond(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
