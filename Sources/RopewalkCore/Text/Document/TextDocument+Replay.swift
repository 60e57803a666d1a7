extension TextDocument {
  /// The length given to a base text whose length is not known yet. Content is limited so that ids, lengths
  /// and sums stay clear of each other.
  static let longBase: UInt32 = 1 << 30

  /// Brings the present text up to date with the events from place `first` on, which the history holds
  /// already.
  ///
  /// An event that follows all events before it, and that all later ones follow, is applied to the text as
  /// it is. Only what is truly concurrent enters a `Walker`.
  mutating func replay(from first: UInt32, collecting: Bool) -> [TextPatch] {
    let graph = history.graph
    guard first < graph.count else { return [] }
    let firstRun = graph.run(at: first)
    let bounds = laterBounds(from: firstRun)
    var target = PatchTarget(buffer: buffer, collects: collecting)
    buffer = TextBuffer()  // so that the target's is the only one and is changed in place
    var at = first
    var run = firstRun
    var logRun = history.log.run(at: first)
    while at < graph.count {
      let end = graph.end(ofRun: run)
      let bound = bounds[run - firstRun]
      guard Int(at) <= bound else {
        replayConcurrent(
          &at, &run, &logRun, first: first, firstRun: firstRun, bounds: bounds, target: &target)
        continue
      }
      let stop = min(end, UInt32(bound + 1))
      if target.apply(at, stop, of: history.log, logRun: &logRun) { history.isIrregular = true }
      at = stop
      if at == end { run += 1 }
    }
    buffer = target.buffer
    return target.patches
  }

  /// For each run from `firstRun` on: the least place among the heads and the parents of later runs. An
  /// event up to that place is followed by everything after it.
  private func laterBounds(from firstRun: Int) -> [Int] {
    let graph = history.graph
    var bounds = [Int](repeating: 0, count: graph.runs.count - firstRun)
    var bound = Int(graph.heads.first ?? 0)
    for run in stride(from: graph.runs.count - 1, through: firstRun, by: -1) {
      bounds[run - firstRun] = bound
      bound = min(bound, graph.leastParent(ofRun: run))
    }
    return bounds
  }

  /// Walks from `at` until the next event that knows everything.
  private mutating func replayConcurrent(
    _ at: inout UInt32, _ run: inout Int, _ logRun: inout Int, first: UInt32, firstRun: Int, bounds: [Int],
    target: inout PatchTarget
  ) {
    let graph = history.graph
    var walker = Walker()
    var start = at
    if at == first { start = history.isIrregular ? 0 : base(of: at, in: run, bound: bounds[run - firstRun]) }
    let isLong = start > 0 && start < at
    walker.open(
      head: start > 0 ? start - 1 : nil,
      length: isLong ? Self.longBase : start == at ? UInt32(target.buffer.scalarCount) : 0,
      history: history, from: start)
    if start < at {
      var knownRun = graph.run(at: start)
      var knownLogRun = history.log.run(at: start)
      var place = start
      while place < at {
        let end = min(at, graph.end(ofRun: knownRun))
        walk(place, end, of: knownRun, with: &walker, logRun: &knownLogRun, target: &target, isKnown: true)
        place = end
        knownRun += 1
      }
      if isLong {
        walker.shortenBase(by: walker.tree.total[View.present] &- UInt32(target.buffer.scalarCount))
      }
    }
    while at < graph.count, Int(at) > bounds[run - firstRun] {
      let end = graph.end(ofRun: run)
      walk(at, end, of: run, with: &walker, logRun: &logRun, target: &target, isKnown: false)
      at = end
      run += 1
    }
    if walker.isIrregular { history.isIrregular = true }
  }

  /// Walks a part of a graph run, author by author.
  private func walk(
    _ start: UInt32, _ end: UInt32, of run: Int, with walker: inout Walker, logRun: inout Int,
    target: inout PatchTarget, isKnown: Bool
  ) {
    let graph = history.graph
    var at = start
    var authorRun = graph.authorRun(at: at)
    while at < end {
      let stop = min(end, graph.end(ofAuthorRun: authorRun))
      let author = graph.authorRuns[authorRun].author
      if at == graph.runs[run].start {
        walker.walk(
          at, stop, parents: graph.parents[graph.parentBounds(ofRun: run)], author: author, history: history,
          logRun: &logRun, target: &target, isKnown: isKnown)
      } else {
        walker.walk(
          at, stop, parents: CollectionOfOne(at - 1), author: author, history: history, logRun: &logRun,
          target: &target, isKnown: isKnown)
      }
      at = stop
      authorRun += 1
    }
  }

  /// The latest place from which a walk can begin for events from `at` on to be placed: all of them, and
  /// all events between, follow the event before it, which follows all earlier ones.
  private func base(of at: UInt32, in run: Int, bound: Int) -> UInt32 {
    let graph = history.graph
    var base = min(Int(at), bound + 1)
    var run = run
    while run >= 0, Int(graph.runs[run].start) >= base {
      base = min(base, graph.leastParent(ofRun: run) + 1)
      run -= 1
    }
    return UInt32(max(0, base))
  }
}
