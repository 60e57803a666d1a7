extension EventGraph {
  /// Places half open, as found by `difference`.
  struct PlaceRange: Sendable {
    var start: UInt32
    var end: UInt32
  }

  /// Scratch memory for `difference`, kept between calls.
  struct DifferenceScratch {
    struct Mark {
      var place: UInt32
      var sides: UInt8
    }
    /// A max-heap by place.
    var heap: [Mark] = []
    /// What only the first version contains, latest first.
    var onlyFirst: [PlaceRange] = []
    /// What only the second version contains, latest first.
    var onlySecond: [PlaceRange] = []
  }

  /// Finds the events that only one of two versions (as places of heads) contains. Walks down from both
  /// sides, latest place first, until everything left is common. O(r log r) in the runs that differ or lie
  /// between.
  func difference(
    _ first: some Collection<UInt32>, _ second: some Collection<UInt32>,
    using scratch: inout DifferenceScratch
  ) {
    scratch.onlyFirst.removeAll(keepingCapacity: true)
    scratch.onlySecond.removeAll(keepingCapacity: true)
    scratch.heap.removeAll(keepingCapacity: true)
    var open = 0  // marks in the heap that are of one side only
    for place in first { scratch.push(place, sides: 1, open: &open) }
    for place in second { scratch.push(place, sides: 2, open: &open) }
    while open > 0, var mark = scratch.pop(open: &open) {
      let index = run(at: mark.place)
      let start = runs[index].start
      while let top = scratch.heap.first, top.place >= start {
        if top.place < mark.place {
          scratch.emit(top.place + 1, mark.place + 1, sides: mark.sides)
          mark.place = top.place
        }
        mark.sides |= top.sides
        _ = scratch.pop(open: &open)
      }
      scratch.emit(start, mark.place + 1, sides: mark.sides)
      for at in parentBounds(ofRun: index) { scratch.push(parents[at], sides: mark.sides, open: &open) }
    }
  }
}

extension EventGraph.DifferenceScratch {
  @inline(__always)
  fileprivate mutating func emit(_ start: UInt32, _ end: UInt32, sides: UInt8) {
    switch sides {
    case 1: onlyFirst.append(EventGraph.PlaceRange(start: start, end: end))
    case 2: onlySecond.append(EventGraph.PlaceRange(start: start, end: end))
    default: break
    }
  }

  fileprivate mutating func push(_ place: UInt32, sides: UInt8, open: inout Int) {
    if sides != 3 { open += 1 }
    var child = heap.count
    heap.append(Mark(place: place, sides: sides))
    while child > 0 {
      let parent = (child - 1) / 2
      if heap[parent].place >= heap[child].place { break }
      heap.swapAt(parent, child)
      child = parent
    }
  }

  fileprivate mutating func pop(open: inout Int) -> Mark? {
    guard let top = heap.first, let last = heap.popLast() else { return nil }
    if top.sides != 3 { open -= 1 }
    guard !heap.isEmpty else { return top }
    heap[0] = last
    var parent = 0
    while true {
      var largest = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if heap[child].place > heap[largest].place { largest = child }
      }
      if largest == parent { return top }
      heap.swapAt(parent, largest)
      parent = largest
    }
  }
}
