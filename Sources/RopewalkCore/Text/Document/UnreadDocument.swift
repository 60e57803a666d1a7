/// A snapshot opened for its text: what a person sees first, at a cost that has nothing to do with how long
/// the document's history is.
///
/// It can be edited at once. Whatever needs the history — merging, the past, most updates — needs `read()`,
/// which gives the whole document, with these edits.
///
///     var opened = try UnreadDocument(snapshot: bytes)
///     show(opened.text)
///     opened.replica = freshReplica
///     opened.insert("!", at: opened.scalarCount)
///     var document = try opened.read()
///
/// A value, as `TextDocument` is. Units and bounds are those of `TextDocument`.
public struct UnreadDocument: Sendable {
  /// In its history the heads stand in for all that led to them; only local edits follow.
  private var document: TextDocument
  private let bytes: [UInt8]
  private let layout: SnapshotLayout
  private let budget: DecodingBudget
  private let vector: VersionVector
  /// How many events stand in for others.
  private let standIns: UInt32

  /// Opens a snapshot. O(n) in the text, and in the number of replicas; O(n) in all of it for one whose heads
  /// are of the same replica.
  ///
  /// Throws `FormatError` when the bytes are damaged, from a newer version, or larger than the budget.
  /// Damage to the history comes to light in `read()`.
  public init(snapshot bytes: [UInt8], budget: DecodingBudget = .standard) throws(FormatError) {
    let layout = try SnapshotLayout(bytes, budget: budget)
    let moment = layout.moment
    if let history = TextHistory(standingInFor: moment.version, moment.vector) {
      document = TextDocument(lineage: moment.lineage)
      document.history = history
      vector = moment.vector
      standIns = history.graph.count
    } else {
      document = try TextDocument(snapshot: bytes, layout, budget: budget)
      vector = document.versionVector
      standIns = 0
    }
    document.buffer = bytes[layout.text].withUnsafeBufferPointer { TextBuffer(utf8: $0) }
    (self.bytes, self.layout, self.budget) = (bytes, layout, budget)
  }

  /// Reads the history: the whole document, as `TextDocument(snapshot:)` gives it, with the edits made
  /// since. O(n).
  ///
  /// Throws `FormatError` if the history is damaged. The text, and `updates` with the edits, are not lost
  /// then.
  public func read() throws(FormatError) -> TextDocument {
    var whole = document
    if standIns > 0 {
      whole = try TextDocument(snapshot: bytes, layout, budget: budget)
      whole.buffer = document.buffer
      whole.replica = document.replica
      whole.history.append(document.history, from: standIns)
    }
    try whole.mergeWaiting(of: bytes, layout, budget: budget)
    return whole
  }

  // MARK: Reading

  /// What the document began as.
  public var lineage: Lineage { document.lineage }
  /// Length in Unicode scalars. O(1).
  public var scalarCount: Int { document.scalarCount }
  /// Length in bytes of UTF-8. O(log n).
  public var utf8Count: Int { document.utf8Count }
  /// Length in UTF-16 units. O(log n).
  public var utf16Count: Int { document.utf16Count }
  /// The present text. O(n).
  public var text: String { document.text }
  /// The present text in UTF-8. O(n).
  public var utf8: [UInt8] { document.utf8 }
  /// A part of the present text, by scalar indices in bounds. O(log n + length).
  public func text(in range: Range<Int>) -> String { document.text(in: range) }

  /// The present moment.
  public var version: Version { document.version }

  /// How many events of each replica the document has merged. O(r log r) in the replicas.
  public var versionVector: VersionVector {
    var all = vector
    for (replica, count) in document.versionVector.entries { all[replica] = count }
    return all
  }

  // MARK: Editing

  /// Who authors the edits made from now on: an id that was never used before, as for `TextDocument.replica`.
  public var replica: ReplicaID? {
    get { document.replica }
    set {
      // The program's own mistake: the numbers of an old id's events go on where the history ends, unread.
      precondition(
        newValue.map { vector[$0] == 0 || standIns == 0 } ?? true, "the id of a new session must be fresh")
      document.replica = newValue
    }
  }

  /// Inserts before scalar `index` (0 … scalarCount). Needs `replica`. O(log n + length).
  public mutating func insert(_ text: String, at index: Int) { document.insert(text, at: index) }

  /// Deletes scalars, in bounds. Needs `replica`. O(log n + length).
  public mutating func delete(_ range: Range<Int>) { document.delete(range) }

  /// Deletes scalars, in bounds, and inserts in their place. Needs `replica`. O(log n + length).
  public mutating func replace(_ range: Range<Int>, with text: String) {
    document.replace(range, with: text)
  }

  /// The edits made since opening, in canonical updates of at most `maximumBytes` each unless a single
  /// event does not fit. O(k log n) in their runs.
  public func updates(maximumBytes: Int) -> [Update] {
    document.updates(
      since: standIns > 0 ? document.standInVector(standIns) : vector, maximumBytes: maximumBytes)
  }

  /// The canonical update of events that were made since opening; nil for others. O(k log n) in the runs
  /// inside.
  public func update(of span: EventSpan) -> Update? {
    guard span.seqs.lowerBound >= vector[span.replica] else { return nil }
    return document.update(of: span)
  }
}

extension TextDocument {
  /// What is known of the replicas of the first `count` events.
  fileprivate func standInVector(_ count: UInt32) -> VersionVector {
    var known = VersionVector()
    for place in 0..<count {
      let event = history.graph.event(at: place)
      known[event.replica] = event.seq + 1
    }
    return known
  }
}

extension TextHistory {
  /// The heads of a version as if nothing had led to them; nil if they are none, or not the last events of
  /// as many replicas. What they did is not told; what follows them must not go on with it.
  fileprivate init?(standingInFor version: Version, _ vector: VersionVector) {
    let heads = version.heads
    guard !heads.isEmpty else { return nil }
    var runs: [EventGraph.GraphRun] = []
    var authorRuns: [EventGraph.AuthorRun] = []
    var authors: [EventGraph.Author] = []
    for (number, head) in heads.enumerated() {
      // Heads ascend by replica.
      guard vector[head.replica] == head.seq + 1, number == 0 || heads[number - 1].replica != head.replica
      else { return nil }
      let place = UInt32(number)
      runs.append(EventGraph.GraphRun(start: place, parentsStart: 0, authorRun: place, logRun: 0))
      authorRuns.append(
        EventGraph.AuthorRun(
          start: place, author: place, seq: head.seq, index: place, after: nil, lastIndex: 0, jump: nil,
          beyond: nil))
      authors.append(
        EventGraph.Author(known: head.seq + 1, lastPlace: place, lastRun: place, lastAuthorRun: place))
    }
    let count = UInt32(heads.count)
    graph = EventGraph(
      runs: runs, parents: [], authorRuns: authorRuns, count: count, heads: Array(0..<count),
      replicas: heads.map { $0.replica }, authors: authors)
    // No edit is at such a position, so that none goes on with this run.
    log = OperationLog(
      runs: [OperationLog.Run(start: 0, position: 1 << 31, content: 0, kind: .insert)], content: [],
      count: count)
  }

  /// Adds another history's events from place `first` on, which follow each other, after all that is known.
  fileprivate mutating func append(_ other: TextHistory, from first: UInt32) {
    var at = first
    while at < other.graph.count {
      let run = other.graph.authorRun(at: at)
      let end = other.graph.end(ofAuthorRun: run)
      let author = graph.number(of: other.graph.replicas[Int(other.graph.authorRuns[run].author)])
      graph.append(author: author, length: end - at, places: graph.heads, logRuns: log.runs.count)
      while at < end { at = log.append(other.log, from: at, to: end) }
    }
  }
}

extension OperationLog {
  /// Adds what the events from `start` on did, up to `end` or to the end of their run; returns where that is.
  fileprivate mutating func append(_ other: OperationLog, from start: UInt32, to end: UInt32) -> UInt32 {
    let run = other.run(at: start)
    let stop = min(end, other.end(ofRun: run))
    let operation = other.operation(ofRun: run, from: start, to: stop)
    guard operation.kind == .insert else {
      appendDelete(operation)
      return stop
    }
    let first = Int(start - other.runs[run].start)
    let bytes = other.contentRange(ofRun: run, scalars: first..<first + Int(operation.length))
    other.content.withUnsafeBufferPointer {
      appendInsert(
        UnsafeBufferPointer(rebasing: $0[bytes]), length: operation.length, at: operation.position)
    }
    return stop
  }
}
