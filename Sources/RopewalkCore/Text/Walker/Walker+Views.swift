extension Walker {
  /// The view to use for events after `parents`: one that shows just that version, or one that this author
  /// used last, or one that shows a part of it, or the one that is nearest to it, or was not used for longest.
  mutating func chooseView(
    parents: UnsafeBufferPointer<EventGraph.Parent>, author: UInt32, history: HistoryView
  ) -> Int {
    var best = 0
    var bestRank = -1
    for index in 0..<View.count {
      let view = views[index]
      let isPart = parents.containsPlace(view.head)
      let rank = isPart ? (parents.count == 1 ? 3 : view.author == author ? 2 : 1) : 0
      if rank > bestRank || (rank == bestRank && view.lastUse < views[best].lastUse) {
        (best, bestRank) = (index, rank)
      }
      if rank == 3 { break }
    }
    // People who stay at an old version share a view, and those who are up to date have the other.
    if bestRank == 0, let nearest = nearestView(to: parents, history: history) { best = nearest }
    uses &+= 1
    views.pointer(best).pointee.lastUse = uses
    views.pointer(best).pointee.author = author
    return best
  }

  /// Makes a view show the version of `parents`.
  mutating func move(
    view index: Int, to parents: UnsafeBufferPointer<EventGraph.Parent>, history: HistoryView
  ) {
    let head = views[index].head
    if parents.count == 1 && parents[0].place == head { return }
    let lane = View.first &+ index
    if moveByKnowledge(view: index, to: parents, history: history) { return }
    difference.find(
      from: head == EventGraph.none ? nil : head, to: parents, in: history, bounds: graphBounds)
    for at in 0..<difference.onlyFirst.count {
      let range = difference.onlyFirst[at]
      let logRun = history.logRun(at: range.start, in: logBounds)
      apply(range, fromLogRun: logRun, in: lane, by: UInt32.max, history: history)
      setLimits(difference.onlyFirst[at], ofView: index, isAdvance: false, history: history)
    }
    for at in 0..<difference.onlySecond.count {
      let range = difference.onlySecond[at]
      let logRun = history.logRun(at: range.start, in: logBounds)
      apply(range, fromLogRun: logRun, in: lane, by: 1, history: history)
      setLimits(difference.onlySecond[at], ofView: index, isAdvance: true, history: history)
    }
  }

  /// Advances (1) or retreats (-1, wrapping) events in one view. Every event counts up or down the state of
  /// what it inserted or deleted, so the order does not matter.
  mutating func apply(
    _ range: PlaceRange, fromLogRun first: Int, in lane: Int, by difference: UInt32, history: HistoryView
  ) {
    var at = range.start
    var index = first
    while at < range.end {
      let run = history.logRuns[index]
      let end = min(range.end, history.end(ofLogRun: index))
      if run.kind == .insert {
        let id = run.content &+ (at &- run.start)
        change(id, id &+ (end &- at), in: lane, by: difference)
      } else {
        applyDeletions(at, end, in: lane, by: difference)
      }
      at = end
      index &+= 1
    }
  }

  private mutating func applyDeletions(
    _ start: UInt32, _ end: UInt32, in lane: Int, by difference: UInt32
  ) {
    var (low, high) = (0, deletions.count)
    while low < high {
      let middle = (low + high) / 2
      if deletions[middle].start + deletions[middle].length <= start {
        low = middle + 1
      } else {
        high = middle
      }
    }
    while low < deletions.count, deletions[low].start < end {
      let deletion = deletions[low]
      let from = max(start, deletion.start) - deletion.start
      let to = min(end, deletion.start + deletion.length) - deletion.start
      if deletion.isReversed {
        change(deletion.id + 1 - to, deletion.id + 1 - from, in: lane, by: difference)
      } else {
        change(deletion.id + from, deletion.id + to, in: lane, by: difference)
      }
      low += 1
    }
  }
}
