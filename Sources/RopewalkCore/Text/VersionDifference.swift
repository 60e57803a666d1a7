/// Finds the events that only one of two versions contains; keeps its memory between calls.
struct VersionDifference: ~Copyable {
  struct Mark {
    var place: UInt32
    /// 1: below the first version, 2: below the second, 3: below both.
    var sides: UInt32
  }

  /// A max-heap by place.
  private var heap = FlatBuffer<Mark>(capacity: 32)
  /// Marks in the heap that are of one side only.
  private var open = 0
  /// What only the first version contains, latest first.
  private(set) var onlyFirst = FlatBuffer<PlaceRange>(capacity: 32)
  /// What only the second version contains, latest first.
  private(set) var onlySecond = FlatBuffer<PlaceRange>(capacity: 32)

  init() {}

  /// Walks down from both versions' heads, latest place first, until everything left is common. Runs before
  /// `firstRun` are common. O(r log r) in the runs that differ or lie between.
  mutating func find(
    from first: UnsafeBufferPointer<UInt32>, to second: UnsafeBufferPointer<UInt32>, in history: HistoryView,
    firstRun: Int = 0
  ) {
    onlyFirst.removeAll()
    onlySecond.removeAll()
    heap.removeAll()
    open = 0
    for place in first { push(place, sides: 1) }
    for place in second { push(place, sides: 2) }
    while open > 0 {
      var (place, sides) = (heap[0].place, heap[0].sides)
      pop()
      let run = history.graphRun(at: place, from: firstRun)
      let start = history.graphRuns[run].start
      while heap.count > 0, heap[0].place >= start {
        let top = heap[0]
        if top.place < place {
          emit(top.place + 1, place + 1, sides: sides)
          place = top.place
        }
        sides |= top.sides
        pop()
      }
      emit(start, place + 1, sides: sides)
      for parent in history.parents(ofGraphRun: run) { push(parent, sides: sides) }
    }
  }

  @inline(__always)
  private mutating func emit(_ start: UInt32, _ end: UInt32, sides: UInt32) {
    if sides == 1 {
      onlyFirst.append(PlaceRange(start: start, end: end))
    } else if sides == 2 {
      onlySecond.append(PlaceRange(start: start, end: end))
    }
  }

  @inline(__always)
  private mutating func push(_ place: UInt32, sides: UInt32) {
    if sides != 3 { open += 1 }
    var child = heap.count
    heap.append(Mark(place: place, sides: sides))
    while child > 0 {
      let parent = (child - 1) / 2
      if heap[parent].place >= heap[child].place { break }
      swap(parent, child)
      child = parent
    }
  }

  @inline(__always)
  private mutating func pop() {
    if heap[0].sides != 3 { open -= 1 }
    let last = heap.removeLast()
    guard heap.count > 0 else { return }
    heap[0] = last
    var parent = 0
    while true {
      var largest = parent
      let left = 2 * parent + 1
      if left < heap.count, heap[left].place > heap[largest].place { largest = left }
      if left + 1 < heap.count, heap[left + 1].place > heap[largest].place { largest = left + 1 }
      if largest == parent { return }
      swap(parent, largest)
      parent = largest
    }
  }

  @inline(__always)
  private func swap(_ a: Int, _ b: Int) {
    let kept = heap[a]
    heap[a] = heap[b]
    heap[b] = kept
  }
}

/// Places from `start` up to before `end`.
struct PlaceRange: Sendable {
  var start: UInt32
  var end: UInt32
}
