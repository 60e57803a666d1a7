/// Finds the events that only one of two versions contains; keeps its memory between calls.
struct VersionDifference: ~Copyable {
  /// Places to go on from, each with the sides it is below: 1 the first version, 2 the second, 3 both.
  private var heap = MaxHeap()
  /// Entries in the heap that are of one side only.
  private var open = 0
  /// What only the first version contains, latest first.
  private(set) var onlyFirst = FlatBuffer<PlaceRange>(capacity: 32)
  /// What only the second version contains, latest first.
  private(set) var onlySecond = FlatBuffer<PlaceRange>(capacity: 32)

  init() {}

  /// Walks down from a version's only head (nil: none) and another version's heads, latest place first,
  /// until everything left is common. The graph runs that are met lie in `bounds`, if given. O(r log r) in
  /// the runs that differ or lie between.
  mutating func find(
    from first: UInt32?, to second: UnsafeBufferPointer<EventGraph.Parent>, in history: HistoryView,
    bounds: Range<Int>? = nil
  ) {
    onlyFirst.removeAll()
    onlySecond.removeAll()
    heap.removeAll()
    open = 0
    if let first { push(first, sides: 1) }
    for parent in second { push(parent.place, sides: 2) }
    while open > 0 {
      var (place, sides) = pop()
      let run = history.graphRun(at: place, in: bounds)
      let start = history.graphRuns[run].start
      while heap.count > 0, UInt32(heap.top >> 2) >= start {
        let lower = pop()
        if lower.place < place {
          emit(lower.place + 1, place + 1, sides: sides)
          place = lower.place
        }
        sides |= lower.sides
      }
      emit(start, place + 1, sides: sides)
      for parent in history.parents(ofGraphRun: run) { push(parent.place, sides: sides) }
    }
  }

  @inline(__always)
  private mutating func emit(_ start: UInt32, _ end: UInt32, sides: UInt64) {
    if sides == 1 {
      onlyFirst.append(PlaceRange(start: start, end: end))
    } else if sides == 2 {
      onlySecond.append(PlaceRange(start: start, end: end))
    }
  }

  @inline(__always)
  private mutating func push(_ place: UInt32, sides: UInt64) {
    if sides != 3 { open += 1 }
    heap.push(UInt64(place) << 2 | sides)
  }

  @inline(__always)
  private mutating func pop() -> (place: UInt32, sides: UInt64) {
    let top = heap.top
    heap.pop()
    if top & 3 != 3 { open -= 1 }
    return (UInt32(top >> 2), top & 3)
  }
}

/// Places from `start` up to before `end`.
struct PlaceRange: Sendable {
  var start: UInt32
  var end: UInt32
}
