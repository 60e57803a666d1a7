/// Makes a whole history of an update that holds all of it, in one pass and without a check per element:
/// what opening and replaying from scratch spend their time on. The general way is `TextHistory.append`;
/// both give the same.
struct HistoryBuilder: ~Copyable {
  /// A column of the history to be, written in place: its memory is that of an array.
  ///
  /// Never written beyond: each graph run and author run stands for a run of the update, each parent for a
  /// byte of the parent column, and each log run for a byte of the operation column.
  struct Column<Element: BitwiseCopyable> {
    private let base: UnsafeMutablePointer<Element>
    private let capacity: Int
    private(set) var count = 0

    /// Writes into memory of at least one element.
    init(_ memory: UnsafeMutableBufferPointer<Element>) {
      // An array of a capacity above 0 has an address.
      base = memory.baseAddress.unsafelyUnwrapped
      capacity = memory.count
    }

    @inline(__always) subscript(index: Int) -> Element {
      assert(index >= 0 && index < count)
      return base[index]
    }

    @inline(__always) var all: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: base, count: count) }

    @inline(__always) mutating func append(_ element: Element) {
      assert(count < capacity)
      (base + count).initialize(to: element)
      count &+= 1
    }

    @inline(__always) mutating func removeLast(_ number: Int) { count &-= number }

    /// Takes out an element; the last takes its place.
    @inline(__always) mutating func remove(at index: Int) {
      assert(index >= 0 && index < count)
      count &-= 1
      base[index] = base[count]
    }

    @inline(__always) func setKind(_ kind: Operation.Kind, at index: Int) where Element == OperationLog.Run {
      assert(index >= 0 && index < count)
      base[index].kind = kind
    }

    /// Makes the elements from `first` on ascending and distinct.
    @inline(__always) mutating func tidy(from first: Int) where Element == EventGraph.Parent {
      guard count >= first &+ 2 else { return }
      if count == first &+ 2 {
        let (one, other) = (base[first], base[first &+ 1])
        if one.place < other.place { return }
        (base[first], base[first &+ 1]) = (other, one)
        if one.place == other.place { count &-= 1 }
        return
      }
      count = first + UnsafeMutableBufferPointer(start: base + first, count: count - first).tidy()
    }
  }

  private var runs: Column<EventGraph.GraphRun>
  private var parents: Column<EventGraph.Parent>
  private var authorRuns: Column<EventGraph.AuthorRun>
  private var logRuns: Column<OperationLog.Run>
  private var authors: FlatBuffer<EventGraph.Author>
  private var heads = FlatBuffer<UInt32>(capacity: 8)
  /// Of each run of the update, its last event.
  private var lastEvents: FlatBuffer<EventGraph.Parent>
  private var count: UInt32 = 0
  /// As in `OperationLog`.
  private var caret = OperationLog.noCaret
  /// Where the text begins in the update's bytes.
  private let content: Int
  /// The run that is being read, where its parents begin, and the place of its next event.
  private var run = UpdateRun(author: 0, seq: 0, length: 0, byte: 0)
  private var firstParent = 0
  private var place: UInt32 = 0
  private var cover = CoverSearch()
  /// A parent is not inside: then nothing of this counts.
  private var isWaiting = false

  /// The history of an update from the start for an empty document; nil if it waits for events that are not
  /// inside.
  static func build(_ update: Update, _ layout: UpdateLayout) throws(FormatError) -> TextHistory? {
    var failure: FormatError?
    var isWhole = false
    var graph = EventGraph()
    var count: UInt32 = 0
    let runCount = max(1, layout.header.runCount)
    // Four columns are filled at once, in the memory of the arrays that they will be. The update's bytes
    // bound how long they can get; what they do not fill is never touched.
    var (parents, authorRuns, logRuns): ([EventGraph.Parent], [EventGraph.AuthorRun], [OperationLog.Run]) = (
      [], [], []
    )
    var (heads, authors): ([UInt32], [EventGraph.Author]) = ([], [])
    let runs = [EventGraph.GraphRun](unsafeUninitializedCapacity: runCount) { runMemory, filledRuns in
      parents = .init(unsafeUninitializedCapacity: max(1, layout.parents.count)) {
        parentMemory, filledParents in
        authorRuns = .init(unsafeUninitializedCapacity: runCount) { authorMemory, filledAuthorRuns in
          logRuns = .init(unsafeUninitializedCapacity: max(1, layout.operations.count)) {
            logMemory, filledLog in
            var builder = HistoryBuilder(
              layout, runs: Column(runMemory), parents: Column(parentMemory),
              authorRuns: Column(authorMemory),
              logRuns: Column(logMemory))
            update.bytes.withUnsafeBufferPointer { bytes in
              do throws(FormatError) {
                let reader = try UpdateReader(bytes, layout)
                try reader.read(into: &builder)
              } catch { failure = error }
            }
            isWhole = !builder.isWaiting
            (filledRuns, filledParents) = (builder.runs.count, builder.parents.count)
            (filledAuthorRuns, filledLog) = (builder.authorRuns.count, builder.logRuns.count)
            (heads, authors) = (Array(builder.heads.all), Array(builder.authors.all))
            count = builder.count
          }
        }
      }
    }
    if let failure { throw failure }
    guard isWhole else { return nil }
    graph = EventGraph(
      runs: runs, parents: parents, authorRuns: authorRuns, count: count, heads: heads,
      replicas: Array(layout.header.replicas[..<layout.header.spans.count]), authors: authors)
    return TextHistory(
      graph: graph,
      log: OperationLog(runs: logRuns, content: Array(update.bytes[layout.content]), count: count))
  }

  private init(
    _ layout: UpdateLayout, runs: Column<EventGraph.GraphRun>, parents: Column<EventGraph.Parent>,
    authorRuns: Column<EventGraph.AuthorRun>, logRuns: Column<OperationLog.Run>
  ) {
    (self.runs, self.parents, self.authorRuns, self.logRuns) = (runs, parents, authorRuns, logRuns)
    content = layout.content.lowerBound
    authors = FlatBuffer(capacity: layout.header.spans.count)
    authors.grow(to: layout.header.spans.count, filling: EventGraph.Author())
    lastEvents = FlatBuffer(capacity: layout.header.runCount)
  }

  /// Whether the author's event before, which is the first parent listed, happened before another.
  private mutating func isOwnCovered() -> Bool {
    cover.earn()
    let own = parents[firstParent].place
    if heads.count == 1 ? heads[0] == own : heads.all.contains(own) { return false }
    return cover.find(
      own, from: UnsafeBufferPointer(rebasing: parents.all[(firstParent &+ 1)...]), runs: runs.all,
      parents: UnsafeBufferPointer(rebasing: parents.all[..<firstParent]))
  }

  @inline(__always)
  private mutating func replaceHeads(by head: UInt32) {
    let first = firstParent
    let covered = UnsafeBufferPointer(rebasing: parents.all[first...])
    if heads.count == 1 {
      if covered.count > 0, covered.containsPlace(heads[0]) { heads[0] = head } else { heads.append(head) }
      return
    }
    var kept = 0
    for index in 0..<heads.count where !covered.containsPlace(heads[index]) {
      heads[kept] = heads[index]
      kept += 1
    }
    while heads.count > kept { _ = heads.removeLast() }
    heads.append(head)
  }
}

extension HistoryBuilder: UpdateSink {
  @inline(__always)
  mutating func beginRun(_ run: UpdateRun) {
    self.run = run
    place = count
    firstParent = parents.count
    guard run.seq > 0 else { return }
    let own = authors[Int(run.author)]
    parents.append(EventGraph.Parent(place: own.lastPlace, run: own.lastRun))
  }

  @inline(__always)
  mutating func addParent(_ parent: UpdateParent) {
    // All that can be known already is inside.
    guard parent.replica == UpdateParent.isRun else {
      isWaiting = true
      return
    }
    let last = lastEvents[Int(parent.value)]
    parents.append(EventGraph.Parent(place: last.place &- parent.back, run: last.run))
  }

  @inline(__always)
  mutating func endParents() {
    if run.seq > 0, parents.count > firstParent &+ 1, isOwnCovered() { parents.remove(at: firstParent) }
    parents.tidy(from: firstParent)
    let start = count
    count = start &+ run.length
    let author = authors.pointer(Int(run.author))
    if author.pointee.lastPlace == EventGraph.none || author.pointee.lastPlace &+ 1 != start {
      let last = author.pointee.known > 0 ? authorRuns[Int(author.pointee.lastAuthorRun)] : nil
      let jump = last.map { authorRuns[Int($0.jump)] }
      let index = UInt32(truncatingIfNeeded: authorRuns.count)
      authorRuns.append(
        EventGraph.AuthorRun(
          start: start, author: run.author, seq: author.pointee.known, index: index, after: last,
          lastIndex: author.pointee.lastAuthorRun, jump: jump, beyond: jump.map { authorRuns[Int($0.jump)] }))
      author.pointee.lastAuthorRun = index
    }
    let isSequential =
      start > 0 && parents.count == firstParent &+ 1 && parents[firstParent].place == start &- 1
    replaceHeads(by: count &- 1)
    if isSequential {
      parents.removeLast(1)
    } else {
      runs.append(
        EventGraph.GraphRun(
          start: start, parentsStart: UInt32(truncatingIfNeeded: firstParent),
          authorRun: UInt32(truncatingIfNeeded: authorRuns.count &- 1),
          logRun: UInt32(truncatingIfNeeded: max(1, logRuns.count) &- 1)))
    }
    author.pointee.known &+= run.length
    author.pointee.lastPlace = count &- 1
    author.pointee.lastRun = UInt32(truncatingIfNeeded: runs.count &- 1)
    lastEvents.append(EventGraph.Parent(place: count &- 1, run: UInt32(truncatingIfNeeded: runs.count &- 1)))
  }

  @inline(__always)
  mutating func addOperation(_ operation: Operation, byte: Int) {
    let start = place
    place &+= operation.length
    guard operation.kind == .insert else { return addDeletion(operation, at: start, byte: byte) }
    let isGoingOn = operation.position == caret
    caret = operation.position &+ operation.length
    if isGoingOn { return }
    logRuns.append(
      OperationLog.Run(
        start: start, position: operation.position, content: UInt32(truncatingIfNeeded: byte &- content),
        kind: .insert))
  }

  private mutating func addDeletion(_ operation: Operation, at place: UInt32, byte: Int) {
    var rest = operation
    var start = place
    if caret == OperationLog.noCaret, logRuns.count > 0 {
      let open = logRuns[logRuns.count &- 1]
      var last = Operation(kind: open.kind, position: open.position, length: place &- open.start)
      let absorbed = last.absorb(operation)
      logRuns.setKind(last.kind, at: logRuns.count &- 1)
      if absorbed == operation.length { return }
      if absorbed > 0 { rest = operation.dropping(absorbed) }
      start &+= absorbed
    }
    caret = OperationLog.noCaret
    logRuns.append(
      OperationLog.Run(
        start: start, position: rest.position, content: UInt32(truncatingIfNeeded: byte &- content),
        kind: rest.kind))
  }

  @inline(__always)
  mutating func endRun(inserted: UInt32) {}
}
