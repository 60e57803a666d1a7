/// A run of events with consecutive places; it ends where the next one starts.
protocol PlacedRun {
  /// The place of the first event.
  var start: UInt32 { get }
}

extension RandomAccessCollection where Element: PlacedRun, Index == Int {
  /// The index of the run that holds a place, among runs that ascend without gaps. It is one of `bounds`. O(log n).
  @inline(__always)
  func index(ofRunWith place: UInt32, in bounds: Range<Int>) -> Int {
    var (low, high) = (bounds.lowerBound, bounds.upperBound)
    while low + 1 < high {
      let middle = (low + high) / 2
      if self[middle].start <= place { low = middle } else { high = middle }
    }
    return low
  }
}
