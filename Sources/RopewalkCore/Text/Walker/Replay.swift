/// Brings a present text up to date with new events.
///
/// An event that follows all events before it, and that all later ones follow, is applied to the text as it
/// is. Only what is truly concurrent enters the walker.
struct Replay: ~Copyable {
  /// The length given to a base text whose length is not known yet. Content is limited so that ids, lengths
  /// and sums stay clear of each other.
  static let longBase: UInt32 = 1 << 30

  let history: HistoryView
  /// The first new event.
  private let first: UInt32
  private let firstRun: Int
  /// For each graph run from `firstRun` on: the least place among the heads and the parents of later runs.
  /// An event up to that place is followed by everything after it. -1: none is.
  private var bounds = FlatBuffer<Int32>()
  private var walker: Walker?
  private var pairReplay: PairReplay?
  private(set) var isIrregular: Bool
  /// The text to be changed is not the one that the history before `first` leads to; nothing was changed.
  private(set) var isContradicted = false

  private var at: UInt32
  private var graphRun: Int
  private var authorRun: Int
  private var logRun: Int

  /// - Parameters:
  ///   - leastHead: the first head of the graph, which holds the new events already.
  ///   - walker: what an earlier replay left (`finish`), for the text to be changed.
  init(
    of history: HistoryView, from first: UInt32, leastHead: UInt32, isIrregular: Bool,
    walker: consuming Walker? = nil
  ) {
    self.history = history
    self.walker = walker
    self.first = first
    self.isIrregular = isIrregular
    at = first
    graphRun = history.graphRun(at: first)
    authorRun = Int(history.graphRuns[graphRun].authorRun)
    logRun = history.logRun(at: first)
    firstRun = graphRun
    bounds.grow(to: history.graphRuns.count - firstRun, filling: 0)
    var bound = Int(leastHead)
    for run in stride(from: history.graphRuns.count - 1, through: firstRun, by: -1) {
      bounds[run - firstRun] = Int32(bound)
      bound = min(bound, history.leastParent(ofGraphRun: run))
    }
  }

  /// Makes all changes to `target`.
  mutating func run(into target: inout PatchTarget) {
    while at < history.count, !isContradicted {
      let end = history.end(ofGraphRun: graphRun)
      let bound = Int(bounds[graphRun - firstRun])
      guard Int(at) <= bound else {
        runConcurrent(into: &target)
        continue
      }
      let stop = min(end, UInt32(bound + 1))
      if target.apply(at, stop, of: history, logRun: &logRun) { isIrregular = true }
      at = stop
      if at == end { graphRun += 1 }
    }
  }

  /// The walker, if it is worth keeping for the next replay: while people type at once, hardly any version
  /// has a single head, and each event would have the whole of that time walked again.
  consuming func finish() -> Walker? {
    guard first > 0, !isContradicted, let walker = walker.take(),
      history.count - walker.end <= Self.longestLag
    else { return nil }
    return walker
  }

  /// Events that a walker may lag behind and still be kept: walking them later is cheap.
  private static let longestLag: UInt32 = 4096

  /// Walks from `at` to the next event that knows everything.
  private mutating func runConcurrent(into target: inout PatchTarget) {
    let present = target.scalarCount
    var isWhole = at > first
    if isWhole, runPair(present: present, into: &target) { return }
    var walker = walker.take() ?? Walker()
    if isWhole {
      walker.prepare(authorCount: history.replicas.count)
      walker.open(head: at - 1, length: present, history: history, from: at)
    } else if !goOn(&walker, present: present, target: &target) {
      walker = Walker(after: walker)
      walker.prepare(authorCount: history.replicas.count)
      isWhole = openBefore(present: present, walker: &walker, target: &target) == at
      if isContradicted { return }
    }
    // Changes are made one by one only if the text already holds some of what is walked.
    var (authorRun, logRun) = (authorRun, logRun)
    while history.end(ofAuthorRun: authorRun) <= at { authorRun += 1 }
    while at < history.count, Int(at) > Int(bounds[graphRun - firstRun]) {
      let end = history.end(ofGraphRun: graphRun)
      walk(
        from: at, to: end, run: graphRun, walker: &walker, authorRun: &authorRun, logRun: &logRun,
        target: &target, isSilent: isWhole)
      at = end
      graphRun += 1
    }
    (self.authorRun, self.logRun) = (authorRun, logRun)
    walker.end = at
    if isWhole { walker.emit(into: &target, history: history, lastLogRun: logRun) }
    if walker.isIrregular { isIrregular = true }
    self.walker = consume walker
  }

  /// The same for what two people typed at once, if all of it is new, and they were apart or it is not much.
  /// Returns false if it is something else; nothing was changed then.
  private mutating func runPair(present: UInt32, into target: inout PatchTarget) -> Bool {
    var end = graphRun + 1
    while end < history.graphRuns.count,
      Int(history.graphRuns[end].start) > Int(bounds[end - firstRun])
    {
      end += 1
    }
    if pairReplay == nil { pairReplay = PairReplay() }
    let isPair =
      pairReplay?.run(
        history, runs: graphRun..<end, from: at, length: present, authorRun: &authorRun, logRun: &logRun,
        into: &target) ?? false
    if isPair {
      at = history.end(ofGraphRun: end - 1)
      graphRun = end
    }
    return isPair
  }

  /// Lets the walker of an earlier replay walk what came since, if it can place the new events and a new one
  /// would not have less to do.
  private func goOn(_ walker: inout Walker, present: UInt32, target: inout PatchTarget) -> Bool {
    guard walker.end > 0, walker.end <= at, !isIrregular || walker.base == 0 else { return false }
    var run = history.graphRuns.count - 1
    while run >= 0, history.graphRuns[run].start >= walker.end {
      if history.leastParent(ofGraphRun: run) + 1 < Int(walker.base) { return false }
      run -= 1
    }
    if history.count < walker.reviewPlace {
      if base(above: walker.end - 1) >= walker.end { return false }
    } else {
      let base = base(above: 0)
      let (walked, needed) = (history.count - walker.base, history.count - base)
      if base >= walker.end || needed < walked / 2 { return false }
      walker.reviewPlace = history.count + max(Walker.reviewInterval, walked / 2)
    }
    walker.prepare(authorCount: history.replicas.count)
    walkKnown(from: walker.end, walker: &walker, target: &target)
    return walker.tree.total[View.present] == present
  }

  /// Opens the walker at an earlier place, from which the new events can be placed, and walks what is known
  /// since. Returns that place.
  private mutating func openBefore(
    present: UInt32, walker: inout Walker, target: inout PatchTarget
  ) -> UInt32 {
    let start = isIrregular ? 0 : base(above: 0)
    let isLong = start > 0 && start < at
    walker.open(
      head: start > 0 ? start - 1 : nil, length: isLong ? Self.longBase : start < at ? 0 : present,
      history: history, from: start)
    guard start < at else { return start }
    walkKnown(from: start, walker: &walker, target: &target)
    let excess = walker.tree.total[View.present] &- present
    isContradicted = isLong ? !walker.shortenBase(by: excess) : excess != 0
    return start
  }

  /// Walks what the text holds already, up to `at`.
  private func walkKnown(from start: UInt32, walker: inout Walker, target: inout PatchTarget) {
    guard start < at else { return }
    var run = history.graphRun(at: start)
    var knownAuthorRun = Int(history.graphRuns[run].authorRun)
    while history.end(ofAuthorRun: knownAuthorRun) <= start { knownAuthorRun += 1 }
    var knownLogRun = history.logRun(at: start)
    var place = start
    while place < at {
      let end = min(at, history.end(ofGraphRun: run))
      walk(
        from: place, to: end, run: run, walker: &walker, authorRun: &knownAuthorRun, logRun: &knownLogRun,
        target: &target, isSilent: true)
      place = end
      run += 1
    }
  }

  /// Walks a part of a graph run, author by author.
  private func walk(
    from start: UInt32, to end: UInt32, run: Int, walker: inout Walker, authorRun: inout Int,
    logRun: inout Int, target: inout PatchTarget, isSilent: Bool
  ) {
    var at = start
    while at < end {
      let stop = min(end, history.end(ofAuthorRun: authorRun))
      let author = history.authorRuns[authorRun].author
      if at == history.graphRuns[run].start {
        walker.walk(
          at, stop, run: run, parents: history.parents(ofGraphRun: run), author: author, history: history,
          logRun: &logRun, target: &target, isSilent: isSilent)
      } else {
        withUnsafePointer(to: EventGraph.Parent(place: at - 1, run: UInt32(run))) { parent in
          walker.walk(
            at, stop, run: run, parents: UnsafeBufferPointer(start: parent, count: 1), author: author,
            history: history, logRun: &logRun, target: &target, isSilent: isSilent)
        }
      }
      at = stop
      if stop == history.end(ofAuthorRun: authorRun) { authorRun += 1 }
    }
  }

  /// The latest place from which a walk can begin for events from `at` on to be placed: all of them, and
  /// all events between, follow the event before it, which follows all earlier ones. Where it is not above
  /// `floor`, any place that is not is returned.
  private func base(above floor: UInt32) -> UInt32 {
    var base = min(Int(at), Int(bounds[graphRun - firstRun]) + 1)
    var run = graphRun
    while run >= 0, Int(history.graphRuns[run].start) >= base, base > Int(floor) {
      base = min(base, history.leastParent(ofGraphRun: run) + 1)
      run -= 1
    }
    return UInt32(max(0, base))
  }
}
