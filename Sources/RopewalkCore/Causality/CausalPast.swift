/// What somebody knew who wrote after some events: these, and all that they follow, directly or not.
package struct CausalPast: Sendable {
  /// By replica, the first known event that is not in it. Of other replicas it has all that is known.
  private var lacking: [ReplicaID: UInt32] = [:]

  /// Whether an event that the document knew is in it.
  package func contains(_ event: EventID) -> Bool { event.seq < lacking[event.replica] ?? .max }

  fileprivate mutating func lack(_ event: EventID) {
    lacking[event.replica] = min(lacking[event.replica] ?? .max, event.seq)
  }
}

extension EventGraph {
  /// The past of some known events. Finds what is not in it, latest first, until all that is left is: O(r log r) in
  /// the runs that are not, or lie between.
  func past(of events: [Parent]) -> CausalPast {
    var past = CausalPast()
    var heap = MaxHeap()
    // How many places in the heap are not known to be in the past.
    var open = 0
    func push(_ parent: Parent, isInside: Bool) {
      if !isInside { open += 1 }
      heap.push(UInt64(parent.place) << 32 | UInt64(parent.run) << 1 | (isInside ? 1 : 0))
    }
    func pop() -> (place: UInt32, run: Int, isInside: Bool) {
      let top = heap.top
      heap.pop()
      if top & 1 == 0 { open -= 1 }
      return (UInt32(top >> 32), Int(UInt32(truncatingIfNeeded: top) >> 1), top & 1 == 1)
    }
    for head in heads { push(parent(at: head), isInside: false) }
    for event in events { push(event, isInside: true) }
    while open > 0 {
      var (place, run, isInside) = pop()
      let start = runs[run].start
      while heap.count > 0, UInt32(heap.top >> 32) >= start {
        let lower = pop()
        if lower.place < place {
          if !isInside { lack(lower.place + 1..<place + 1, in: &past) }
          place = lower.place
        }
        isInside = isInside || lower.isInside
      }
      if !isInside { lack(start..<place + 1, in: &past) }
      for at in parentBounds(ofRun: run) { push(parents[at], isInside: isInside) }
    }
    return past
  }

  private func lack(_ places: Range<UInt32>, in past: inout CausalPast) {
    guard !places.isEmpty else { return }
    var index = authorRun(at: places.lowerBound)
    while index < authorRuns.count, authorRuns[index].start < places.upperBound {
      let run = authorRuns[index]
      let first = max(run.start, places.lowerBound)
      past.lack(EventID(replica: replicas[Int(run.author)], seq: run.seq + (first - run.start)))
      index += 1
    }
  }
}

extension TextDocument {
  /// What who wrote after some events knew of what is known here; nil if one of these is not. Cheap for who knew
  /// nearly everything: O(r log r) in the runs of events that are not in it, or lie between.
  package func past(of events: [EventID]) -> CausalPast? {
    var parents: [EventGraph.Parent] = []
    for event in events {
      guard let place = history.graph.place(of: event) else { return nil }
      parents.append(history.graph.parent(at: place))
    }
    return history.graph.past(of: parents)
  }
}
