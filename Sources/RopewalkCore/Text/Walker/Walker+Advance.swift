extension Walker {
  /// Events of one author that a view is to show in addition.
  struct AdvancePiece {
    var places: PlaceRange
    var author: UInt32
    /// The graph run that they are part of.
    var run: UInt32
  }

  /// Where the limit of an author's events in a view stands in `limits`.
  @inline(__always) func limitIndex(ofView view: Int, author: UInt32) -> Int {
    Int(author) &* View.count &+ view
  }

  @inline(__always)
  private func shows(_ place: UInt32, author: UInt32, view: Int) -> Bool {
    place < base || place < limits[limitIndex(ofView: view, author: author)]
  }

  /// What must be advanced if one parent is the view's head and what is new of the other is a part of one
  /// graph run, all of one author: what two people typing at once mostly give. Nil if it is more than that,
  /// and an empty piece if nothing is new.
  @inline(__always)
  func singlePiece(
    ofView view: Int, to parents: UnsafeBufferPointer<EventGraph.Parent>, history: HistoryView
  ) -> AdvancePiece? {
    guard parents.count == 2 else { return nil }
    let head = views[view].head
    let parent = parents[0].place == head ? parents[1] : parents[0]
    guard parents[0].place == head || parents[1].place == head, parent.place >= base else { return nil }
    let run = history.graphRuns[Int(parent.run)]
    var authorRun = Int(run.authorRun)
    while history.end(ofAuthorRun: authorRun) <= parent.place { authorRun &+= 1 }
    let author = history.authorRuns[authorRun].author
    let limit = limits[limitIndex(ofView: view, author: author)]
    let start = max(history.authorRuns[authorRun].start, run.start)
    let lower = min(max(start, base, limit), parent.place &+ 1)
    if lower == start {
      guard start == run.start else { return nil }
      for earlier in history.parents(ofGraphRun: Int(parent.run)) where earlier.place != head {
        if earlier.place < base { continue }
        var authorRun = Int(history.graphRuns[Int(earlier.run)].authorRun)
        while history.end(ofAuthorRun: authorRun) <= earlier.place { authorRun &+= 1 }
        let author = history.authorRuns[authorRun].author
        guard earlier.place < limits[limitIndex(ofView: view, author: author)] else { return nil }
      }
    }
    return AdvancePiece(
      places: PlaceRange(start: lower, end: parent.place &+ 1), author: author, run: parent.run)
  }

  /// Moves a view to the version of `parents` by what their authors knew. Returns false if that is not
  /// known any more.
  mutating func moveByKnowledge(
    view: Int, to parents: UnsafeBufferPointer<EventGraph.Parent>, history: HistoryView
  ) -> Bool {
    guard knowledge.isWhole else { return false }
    knowledge.begin()
    for parent in parents where parent.place >= base {
      var authorRun = Int(history.graphRuns[Int(parent.run)].authorRun)
      while history.end(ofAuthorRun: authorRun) <= parent.place { authorRun &+= 1 }
      guard knowledge.add(parent.place, by: history.authorRuns[authorRun].author) else { return false }
    }
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

  /// Finds what must be advanced to bring a view to the version of `parents`, if nothing need be retreated:
  /// the common case, in which only the events that are new to the view are touched. Fills `advance`,
  /// latest first.
  mutating func findAdvance(
    ofView view: Int, to parents: UnsafeBufferPointer<EventGraph.Parent>, history: HistoryView
  ) -> Bool {
    let head = views[view].head
    // All that is walked follows the event before the base; else a path must enter what the view shows at
    // its head.
    var isContained = head == EventGraph.none || head < base
    advance.removeAll()
    frontier.removeAll()
    for parent in parents {
      visit(parent, view: view, head: head, isContained: &isContained, history: history)
    }
    while frontier.count > 0 {
      var place = UInt32(frontier.top >> 32)
      let run = Int(truncatingIfNeeded: frontier.top & 0xffff_ffff)
      frontier.pop()
      var authorRun = Int(history.graphRuns[run].authorRun)
      while history.end(ofAuthorRun: authorRun) <= place { authorRun += 1 }
      let runStart = history.graphRuns[run].start
      while true {
        let author = history.authorRuns[authorRun].author
        let pieceStart = max(history.authorRuns[authorRun].start, runStart)
        let lower = max(pieceStart, base, limits[limitIndex(ofView: view, author: author)])
        advance.append(
          AdvancePiece(places: PlaceRange(start: lower, end: place &+ 1), author: author, run: UInt32(run)))
        while frontier.count > 0, frontier.top >> 32 >= UInt64(lower) { frontier.pop() }
        if lower > pieceStart {
          if lower - 1 == head { isContained = true }
          break
        }
        if pieceStart == runStart {
          for parent in history.parents(ofGraphRun: run) {
            visit(parent, view: view, head: head, isContained: &isContained, history: history)
          }
          break
        }
        place = pieceStart - 1
        authorRun -= 1
        if shows(place, author: history.authorRuns[authorRun].author, view: view) {
          if place == head { isContained = true }
          break
        }
      }
    }
    return isContained
  }

  @inline(__always)
  private mutating func visit(
    _ parent: EventGraph.Parent, view: Int, head: UInt32, isContained: inout Bool, history: HistoryView
  ) {
    if parent.place == head {
      isContained = true
      return
    }
    if parent.place < base { return }
    var authorRun = Int(history.graphRuns[Int(parent.run)].authorRun)
    while history.end(ofAuthorRun: authorRun) <= parent.place { authorRun += 1 }
    if shows(parent.place, author: history.authorRuns[authorRun].author, view: view) { return }
    frontier.push(UInt64(parent.place) << 32 | UInt64(parent.run))
  }

  /// Keeps the limits right after a general move.
  mutating func setLimits(_ range: PlaceRange, ofView view: Int, isAdvance: Bool, history: HistoryView) {
    guard isLinear else { return }
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
    guard isLinear else { return }
    let last = lastWalked.pointer(Int(author))
    if last.pointee >= base, !shows(last.pointee, author: author, view: view) {
      // The author did not know an earlier event of its own: then a view may show any subset of its events.
      isLinear = false
    }
    last.pointee = events.upperBound - 1
    limits[limitIndex(ofView: view, author: author)] = events.upperBound
    var authorRun = Int(history.graphRuns[run].authorRun)
    while history.end(ofAuthorRun: authorRun) <= events.lowerBound { authorRun &+= 1 }
    let limits = limits.base
    knowledge.note(author: author, from: events.lowerBound, authorRun: authorRun) {
      limits[Int($0) &* View.count &+ view]
    }
  }
}
