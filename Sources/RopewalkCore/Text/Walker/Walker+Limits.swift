extension Walker {
  /// Where the limit of an author's events in a view stands in `limits`.
  @inline(__always) func limitIndex(ofView view: Int, author: UInt32) -> Int {
    Int(author) &* View.count &+ view
  }

  /// Moves a view to the version of `parents` by what their authors knew. Returns false if that is not
  /// known any more.
  mutating func moveByKnowledge(
    view: Int, to parents: UnsafeBufferPointer<EventGraph.Parent>, history: HistoryView
  ) -> Bool {
    guard recall(parents, history: history) else { return false }
    for slot in 0..<knowledge.authors.count {
      let limit = limits.pointer(limitIndex(ofView: view, author: knowledge.authors[slot]))
      let (shown, wanted) = (max(base, limit.pointee), knowledge.target[slot])
      if shown < wanted {
        change(shown, wanted, ofAuthorWithLastRun: knowledge.lastRun(slot), in: view, by: 1, history: history)
      } else if wanted < shown {
        change(
          wanted, shown, ofAuthorWithLastRun: knowledge.lastRun(slot), in: view, by: UInt32.max,
          history: history)
      }
      limit.pointee = wanted
    }
    return true
  }

  /// Finds the version of `parents` in what their authors knew. Returns false if that is not known any more.
  private mutating func recall(
    _ parents: UnsafeBufferPointer<EventGraph.Parent>, history: HistoryView
  ) -> Bool {
    guard knowledge.isWhole else { return false }
    knowledge.begin()
    for parent in parents where parent.place >= base {
      var authorRun = Int(history.graphRuns[Int(parent.run)].authorRun)
      while history.end(ofAuthorRun: authorRun) <= parent.place { authorRun &+= 1 }
      guard knowledge.add(parent.place, by: history.authorRuns[authorRun].author) else { return false }
    }
    return true
  }

  /// The view from which it is the shortest way to the version of `parents`; nil if that is not known, or all
  /// are as far.
  mutating func nearestView(
    to parents: UnsafeBufferPointer<EventGraph.Parent>, history: HistoryView
  ) -> Int? {
    guard recall(parents, history: history) else { return nil }
    var nearest: Int?
    var least = UInt64.max
    for view in 0..<View.count {
      var distance: UInt64 = 0
      for slot in 0..<knowledge.authors.count {
        let shown = max(base, limits[limitIndex(ofView: view, author: knowledge.authors[slot])])
        let wanted = knowledge.target[slot]
        distance &+= UInt64(max(shown, wanted) &- min(shown, wanted))
      }
      if distance == least { nearest = nil }
      if distance < least { (nearest, least) = (view, distance) }
    }
    return nearest
  }

  /// Advances or retreats an author's events at places `start ..< end`, latest first.
  private mutating func change(
    _ start: UInt32, _ end: UInt32, ofAuthorWithLastRun last: Int, in view: Int, by difference: UInt32,
    history: HistoryView
  ) {
    var index = last
    while true {
      let run = history.authorRuns[index]
      let range = PlaceRange(
        start: max(start, run.start), end: min(end, history.end(ofAuthorRun: index)))
      if range.start < range.end {
        let logRun = history.logRun(at: range.start, in: logBounds)
        apply(range, fromLogRun: logRun, in: View.first + view, by: difference, history: history)
      }
      if run.start <= start || Int(run.previous) == index { return }
      index = Int(run.previous)
    }
  }

  /// Keeps the limits right after a general move.
  mutating func setLimits(_ range: PlaceRange, ofView view: Int, isAdvance: Bool, history: HistoryView) {
    let run = history.graphRun(at: range.start, in: graphBounds)
    var authorRun = Int(history.graphRuns[run].authorRun)
    while history.end(ofAuthorRun: authorRun) <= range.start { authorRun += 1 }
    var at = range.start
    while at < range.end {
      let end = min(range.end, history.end(ofAuthorRun: authorRun))
      let limit = limits.pointer(limitIndex(ofView: view, author: history.authorRuns[authorRun].author))
      limit.pointee = isAdvance ? max(limit.pointee, end) : min(max(limit.pointee, base), at)
      at = end
      authorRun += 1
    }
  }

  /// Remembers that a view, which shows the parents of some events, now shows these too.
  mutating func note(
    author: UInt32, events: Range<UInt32>, run: Int, in view: Int, history: HistoryView
  ) {
    limits[limitIndex(ofView: view, author: author)] = events.upperBound
    var authorRun = Int(history.graphRuns[run].authorRun)
    while history.end(ofAuthorRun: authorRun) <= events.lowerBound { authorRun &+= 1 }
    let limits = limits.base
    knowledge.note(author: author, from: events.lowerBound, authorRun: authorRun) {
      limits[Int($0) &* View.count &+ view]
    }
  }
}
