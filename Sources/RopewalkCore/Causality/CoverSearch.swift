/// Finds out whether an event happened before others, so that it need not be listed as a parent beside them.
///
/// An event follows its author's event before, and mostly also follows somebody who knew that one. Listed
/// nonetheless, it would change nothing, but that what lies between is taken to be concurrent, and walked. So
/// an answer is worth some steps, and not any number of them: what is not found in time is taken not to be
/// so.
struct CoverSearch: ~Copyable {
  /// What one search may cost beyond what was earned.
  private static let firstCredit = 4096
  /// Steps that each run adds.
  private static let creditPerRun = 256

  private var heap = MaxHeap()
  private var credit = firstCredit
  #if DEBUG
    /// Steps made.
    private(set) var steps = 0
  #endif

  init() {}

  /// One more run came, which pays for later searches.
  @inline(__always) mutating func earn() { credit &+= Self.creditPerRun }

  /// Whether the event at `place` happened before one of some others. False if that takes too long.
  ///
  /// - Parameters:
  ///   - runs: the graph's, and `parents` theirs.
  mutating func find(
    _ place: UInt32, from events: UnsafeBufferPointer<EventGraph.Parent>,
    runs: UnsafeBufferPointer<EventGraph.GraphRun>, parents: UnsafeBufferPointer<EventGraph.Parent>
  ) -> Bool {
    for event in events where event.place > place && runs[Int(event.run)].start <= place { return true }
    heap.removeAll()
    for event in events { push(event, above: place) }
    // Latest first, so that each run is met once.
    while heap.count > 0, credit > 0 {
      let run = Int(UInt32(truncatingIfNeeded: heap.top))
      let start = runs[run].start
      while heap.count > 0, UInt32(truncatingIfNeeded: heap.top >> 32) >= start { heap.pop() }
      let first = Int(runs[run].parentsStart)
      let end = run &+ 1 < runs.count ? Int(runs[run &+ 1].parentsStart) : parents.count
      for at in first..<end {
        let parent = parents[at]
        if parent.place >= place, runs[Int(parent.run)].start <= place { return true }
        push(parent, above: place)
      }
    }
    return false
  }

  @inline(__always)
  private mutating func push(_ event: EventGraph.Parent, above place: UInt32) {
    credit &-= 1
    #if DEBUG
      steps &+= 1
    #endif
    if event.place > place { heap.push(UInt64(event.place) << 32 | UInt64(event.run)) }
  }
}

extension EventGraph {
  /// Leaves an author's event before, the first of some parents, out of them if it happened before another.
  @inline(__always)
  func leaveOutCoveredOwn(_ listed: inout FlatBuffer<Parent>, _ search: inout CoverSearch) {
    search.earn()
    if listed.count > 1, isCovered(listed[0].place, by: listed.all, &search) {
      let last = listed.removeLast()
      listed[0] = last
    }
  }

  private func isCovered(
    _ own: UInt32, by listed: UnsafeBufferPointer<Parent>, _ search: inout CoverSearch
  ) -> Bool {
    if heads.contains(own) { return false }
    let others = UnsafeBufferPointer(rebasing: listed[1...])
    return runs.withUnsafeBufferPointer { runs in
      parents.withUnsafeBufferPointer { search.find(own, from: others, runs: runs, parents: $0) }
    }
  }
}
