/// A text's history as plain pointers, for loops that must not count references. Valid inside
/// `TextHistory.withView` only.
struct HistoryView {
  let graphRuns: UnsafeBufferPointer<EventGraph.GraphRun>
  let parents: UnsafeBufferPointer<EventGraph.Parent>
  let authorRuns: UnsafeBufferPointer<EventGraph.AuthorRun>
  let replicas: UnsafeBufferPointer<ReplicaID>
  let logRuns: UnsafeBufferPointer<OperationLog.Run>
  let content: UnsafeBufferPointer<UInt8>
  /// Number of events.
  let count: UInt32

  // MARK: Runs

  @inline(__always) func end(ofGraphRun index: Int) -> UInt32 {
    index &+ 1 < graphRuns.count ? graphRuns[index &+ 1].start : count
  }

  @inline(__always) func end(ofAuthorRun index: Int) -> UInt32 {
    index &+ 1 < authorRuns.count ? authorRuns[index &+ 1].start : count
  }

  @inline(__always) func end(ofLogRun index: Int) -> UInt32 {
    index &+ 1 < logRuns.count ? logRuns[index &+ 1].start : count
  }

  /// The parents of the first event of a graph run.
  @inline(__always) func parents(ofGraphRun index: Int) -> UnsafeBufferPointer<EventGraph.Parent> {
    let start = Int(graphRuns[index].parentsStart)
    let end = index &+ 1 < graphRuns.count ? Int(graphRuns[index &+ 1].parentsStart) : parents.count
    // The first run has an address, if there are any.
    return UnsafeBufferPointer(start: parents.baseAddress.map { $0 + start }, count: end &- start)
  }

  /// The least parent of a graph run; -1 if it has none.
  @inline(__always) func leastParent(ofGraphRun index: Int) -> Int {
    let parents = parents(ofGraphRun: index)
    guard let least = parents.first else { return -1 }
    return Int(least.place)
  }

  /// The graph run that holds a place; it is one of `bounds`, if given. O(log n).
  @inline(__always) func graphRun(at place: UInt32, in bounds: Range<Int>? = nil) -> Int {
    graphRuns.index(ofRunWith: place, in: bounds ?? 0..<graphRuns.count)
  }

  /// The author run that holds a place. O(log n).
  func authorRun(at place: UInt32) -> Int {
    authorRuns.index(ofRunWith: place, in: 0..<authorRuns.count)
  }

  /// The log run that holds a place; it is one of `bounds`, if given. O(log n).
  @inline(__always) func logRun(at place: UInt32, in bounds: Range<Int>? = nil) -> Int {
    logRuns.index(ofRunWith: place, in: bounds ?? 0..<logRuns.count)
  }

  // MARK: Operations

  /// What the events `start ..< end` of log run `index` did.
  @inline(__always) func operation(ofLogRun index: Int, from start: UInt32, to end: UInt32) -> Operation {
    let run = logRuns[index]
    let whole = Operation(kind: run.kind, position: run.position, length: end - run.start)
    return start == run.start ? whole : whole.dropping(start - run.start)
  }

  /// The text that the events `start ..< end` of the insert run `index` inserted.
  @inline(__always)
  func text(ofLogRun index: Int, from start: UInt32, to end: UInt32) -> UnsafeBufferPointer<UInt8> {
    let run = logRuns[index]
    let textEnd = index + 1 < logRuns.count ? Int(logRuns[index + 1].content) : content.count
    let length = Int(self.end(ofLogRun: index) - run.start)
    var bytes = UnsafeBufferPointer(rebasing: content[Int(run.content)..<textEnd])
    let (from, to) = (Int(start - run.start), Int(end - run.start))
    if bytes.count == length { return UnsafeBufferPointer(rebasing: bytes[from..<to]) }
    if from > 0 {
      bytes = UnsafeBufferPointer(rebasing: bytes[TextMetrics.byteOffset(ofScalar: from, in: bytes)...])
    }
    if to == length { return bytes }
    return UnsafeBufferPointer(
      rebasing: bytes[..<TextMetrics.byteOffset(ofScalar: to - from, in: bytes)])
  }

  /// Adds the text of scalars `id ..< id + length` (see `Item.id`) to `text`; their log runs are among
  /// `bounds`. O(log n + length).
  @inline(__always)
  func appendText(
    ofScalars id: UInt32, length: UInt32, in bounds: Range<Int>, to text: inout FlatBuffer<UInt8>
  ) {
    var id = id
    let end = id + length
    while id < end {
      let index = logRun(thatInserted: id, in: bounds)
      let run = logRuns[index]
      let start = run.start + (id - run.content)
      let stop = min(start + (end - id), self.end(ofLogRun: index))
      text.append(self.text(ofLogRun: index, from: start, to: stop))
      id += stop - start
    }
  }

  /// The insert run that holds a scalar; it is one of `bounds`. O(log n).
  @inline(__always)
  private func logRun(thatInserted id: UInt32, in bounds: Range<Int>) -> Int {
    var (low, high) = (bounds.lowerBound, bounds.upperBound)
    while low + 1 < high {
      let middle = (low + high) / 2
      if logRuns[middle].content <= id { low = middle } else { high = middle }
    }
    return low
  }

  /// Whether the event that inserted scalar `a` (a content offset) goes first where nothing but the ids
  /// decides.
  func isOrdered(_ a: UInt32, before b: UInt32) -> Bool { event(thatInserted: a) < event(thatInserted: b) }

  private func event(thatInserted id: UInt32) -> EventID {
    let low = logRun(thatInserted: id, in: 0..<logRuns.count)
    let place = logRuns[low].start + (id - logRuns[low].content)
    let run = authorRuns[authorRun(at: place)]
    return EventID(replica: replicas[Int(run.author)], seq: run.seq + (place - run.start))
  }
}

extension TextHistory {
  /// Lends the history as plain pointers.
  func withView<Result>(_ body: (HistoryView) -> Result) -> Result {
    graph.runs.withUnsafeBufferPointer { graphRuns in
      graph.parents.withUnsafeBufferPointer { parents in
        graph.authorRuns.withUnsafeBufferPointer { authorRuns in
          graph.replicas.withUnsafeBufferPointer { replicas in
            log.runs.withUnsafeBufferPointer { logRuns in
              log.content.withUnsafeBufferPointer { content in
                body(
                  HistoryView(
                    graphRuns: graphRuns, parents: parents, authorRuns: authorRuns, replicas: replicas,
                    logRuns: logRuns, content: content, count: graph.count))
              }
            }
          }
        }
      }
    }
  }
}
