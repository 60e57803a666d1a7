/// What somebody knew who wrote after some events: these, and all that they follow, directly or not. It was looked up as
/// to some events, and says nothing of others.
package struct CausalPast: Sendable {
  fileprivate enum Found {
    /// By replica, the first known event that is not in it.
    case lacking([ReplicaID: UInt32])
    /// By run of the graph, the last place in it that is.
    case having([Int: UInt32])
  }

  fileprivate let found: Found
  /// How many runs were looked at.
  let steps: Int
}

/// Finds what is not in a past, latest first, until all that is left is.
private struct DifferenceWalk: ~Copyable {
  private(set) var lacking: [ReplicaID: UInt32] = [:]
  private var heap = MaxHeap()
  /// How many places in the heap are not known to be in the past.
  private var open = 0

  init(from events: [EventGraph.Parent], in graph: EventGraph) {
    for head in graph.heads { push(graph.parent(at: head), isInside: false) }
    for event in events { push(event, isInside: true) }
  }

  /// Whether all is found of places from `low` on.
  func isDone(downTo low: UInt32) -> Bool { open == 0 || UInt32(heap.top >> 32) < low }

  mutating func step(in graph: EventGraph) {
    var (place, run, isInside) = pop()
    let start = graph.runs[run].start
    while heap.count > 0, UInt32(heap.top >> 32) >= start {
      let lower = pop()
      if lower.place < place {
        if !isInside { lack(lower.place + 1..<place + 1, in: graph) }
        place = lower.place
      }
      isInside = isInside || lower.isInside
    }
    if !isInside { lack(start..<place + 1, in: graph) }
    for at in graph.parentBounds(ofRun: run) { push(graph.parents[at], isInside: isInside) }
  }

  private mutating func push(_ parent: EventGraph.Parent, isInside: Bool) {
    if !isInside { open += 1 }
    heap.push(UInt64(parent.place) << 32 | UInt64(parent.run) << 1 | (isInside ? 1 : 0))
  }

  private mutating func pop() -> (place: UInt32, run: Int, isInside: Bool) {
    let top = heap.top
    heap.pop()
    if top & 1 == 0 { open -= 1 }
    return (UInt32(top >> 32), Int(UInt32(truncatingIfNeeded: top) >> 1), top & 1 == 1)
  }

  private mutating func lack(_ places: Range<UInt32>, in graph: EventGraph) {
    guard !places.isEmpty else { return }
    var index = graph.authorRun(at: places.lowerBound)
    while index < graph.authorRuns.count, graph.authorRuns[index].start < places.upperBound {
      let run = graph.authorRuns[index]
      let seq = run.seq + (max(run.start, places.lowerBound) - run.start)
      let replica = graph.replicas[Int(run.author)]
      lacking[replica] = min(lacking[replica] ?? .max, seq)
      index += 1
    }
  }
}

/// Finds what is in a past, latest first.
private struct PastWalk: ~Copyable {
  private(set) var having: [Int: UInt32] = [:]
  private var heap = MaxHeap()

  init(from events: [EventGraph.Parent]) { for event in events { push(event) } }

  /// Whether all is found of places from `low` on.
  func isDone(downTo low: UInt32) -> Bool { heap.count == 0 || UInt32(heap.top >> 32) < low }

  mutating func step(in graph: EventGraph) {
    let (place, run) = (UInt32(heap.top >> 32), Int(UInt32(truncatingIfNeeded: heap.top)))
    while heap.count > 0, Int(UInt32(truncatingIfNeeded: heap.top)) == run { heap.pop() }
    having[run] = place
    for at in graph.parentBounds(ofRun: run) { push(graph.parents[at]) }
  }

  private mutating func push(_ parent: EventGraph.Parent) {
    heap.push(UInt64(parent.place) << 32 | UInt64(parent.run))
  }
}

extension EventGraph {
  /// The past of some known events, as to places from `low` on. O(r log r) in the runs that it looks at: those that are
  /// not in it or lie between, or those that are, whichever are fewer.
  fileprivate func past(of events: [Parent], downTo low: UInt32) -> CausalPast {
    var difference = DifferenceWalk(from: events, in: self)
    var past = PastWalk(from: events)
    var steps = 0
    while true {
      if past.isDone(downTo: low) { return CausalPast(found: .having(past.having), steps: steps) }
      if difference.isDone(downTo: low) {
        return CausalPast(found: .lacking(difference.lacking), steps: steps)
      }
      past.step(in: self)
      difference.step(in: self)
      steps += 2
    }
  }
}

extension TextDocument {
  /// What who wrote after some events knew of some others, as far as these are known here; nil if one of the first is not.
  /// Cheap for who knew nearly everything, or nearly nothing.
  package func past(of events: [EventID], asTo others: some Sequence<EventID>) -> CausalPast? {
    let graph = history.graph
    var parents: [EventGraph.Parent] = []
    var high: UInt32 = 0
    for event in events {
      guard let place = graph.place(of: event) else { return nil }
      parents.append(graph.parent(at: place))
      high = max(high, place)
    }
    var low = UInt32.max
    // What came here later than all of the events is in the past of none.
    for other in others {
      if let place = graph.place(of: other), place <= high { low = min(low, place) }
    }
    return graph.past(of: parents, downTo: low)
  }

  /// Whether an event is in a past that was looked up as to it.
  package func isKnown(_ event: EventID, in past: CausalPast) -> Bool {
    guard let place = history.graph.place(of: event) else { return false }
    switch past.found {
    case .lacking(let lacking): return event.seq < lacking[event.replica] ?? .max
    case .having(let having):
      guard let last = having[history.graph.run(at: place)] else { return false }
      return place <= last
    }
  }
}
