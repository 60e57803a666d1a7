extension Walker {
  /// The view to use for events after `parents`: one that shows just that version, or one that this author
  /// used last, or one that shows a part of it, or the one that was not used for longest.
  mutating func chooseView(parents: some Collection<UInt32>, author: UInt32) -> Int {
    var best = 0
    var bestRank = -1
    for index in views.indices {
      let view = views[index]
      let isSame = view.heads.elementsEqual(parents)
      let isPart = view.heads.last.map { parents.contains($0) } ?? false
      let rank = isSame ? 3 : isPart && view.author == author ? 2 : isPart ? 1 : 0
      if rank > bestRank || (rank == bestRank && view.lastUse < views[best].lastUse) {
        (best, bestRank) = (index, rank)
      }
    }
    uses += 1
    views[best].lastUse = uses
    views[best].author = author
    return best
  }

  /// Makes a view show the version of `parents`.
  mutating func move(
    view index: Int, to parents: some Collection<UInt32>, history: borrowing TextHistory
  ) {
    let heads = views[index].heads
    if heads.elementsEqual(parents) { return }
    history.graph.difference(heads, parents, using: &scratch)
    let lane = View.first + index
    for range in scratch.onlyFirst { apply(range, in: lane, by: UInt32.max, history: history) }
    for range in scratch.onlySecond { apply(range, in: lane, by: 1, history: history) }
  }

  /// Advances (1) or retreats (-1, wrapping) events in one view. Every event counts up or down the state of
  /// what it inserted or deleted, so the order does not matter.
  private mutating func apply(
    _ range: EventGraph.PlaceRange, in lane: Int, by difference: UInt32, history: borrowing TextHistory
  ) {
    var at = range.start
    var index = history.log.run(at: at)
    while at < range.end {
      let run = history.log.runs[index]
      let end = min(range.end, history.log.end(ofRun: index))
      if run.kind == .insert {
        let id = run.content + (at - run.start)
        change(id, id + (end - at), in: lane, by: difference)
      } else {
        applyDeletions(at, end, in: lane, by: difference)
      }
      at = end
      index += 1
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
