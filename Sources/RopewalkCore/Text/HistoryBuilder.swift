/// Makes a whole history of an update that holds all of it, in one pass and without a check per element:
/// what opening and replaying from scratch spend their time on. The general way is `TextHistory.append`;
/// both give the same.
struct HistoryBuilder: ~Copyable {
  private var runs: FlatBuffer<EventGraph.GraphRun>
  private var parents: FlatBuffer<EventGraph.Parent>
  private var authorRuns: FlatBuffer<EventGraph.AuthorRun>
  private var authors: FlatBuffer<EventGraph.Author>
  private var heads = FlatBuffer<UInt32>(capacity: 8)
  private var logRuns: FlatBuffer<OperationLog.Run>
  private var count: UInt32 = 0
  /// The last log run, not yet among `logRuns`.
  private var open = OperationLog.Run(start: 0, position: 0, content: 0, kind: .insert)

  /// The history of an update for an empty document; nil if it waits for events that are not inside.
  static func build(_ decoded: borrowing DecodedUpdate, of update: Update) -> TextHistory? {
    guard !decoded.header.spans.contains(where: { $0.seqs.lowerBound > 0 }) else { return nil }
    var builder = HistoryBuilder(for: decoded)
    let isWhole = update.bytes.withUnsafeBufferPointer { builder.read(decoded, bytes: $0) }
    guard isWhole else { return nil }
    let replicas = Array(decoded.header.replicas[..<decoded.header.spans.count])
    return TextHistory(
      graph: EventGraph(
        runs: Array(builder.runs.all), parents: Array(builder.parents.all),
        authorRuns: Array(builder.authorRuns.all), count: builder.count, heads: Array(builder.heads.all),
        replicas: replicas, authors: Array(builder.authors.all)),
      log: OperationLog(
        runs: Array(builder.logRuns.all), content: Array(update.bytes[decoded.content]), count: builder.count)
    )
  }

  private init(for decoded: borrowing DecodedUpdate) {
    runs = FlatBuffer(capacity: decoded.runs.count)
    parents = FlatBuffer(capacity: decoded.parents.count + decoded.runs.count)
    authorRuns = FlatBuffer(capacity: decoded.runs.count)
    authors = FlatBuffer(capacity: decoded.header.spans.count)
    authors.grow(to: decoded.header.spans.count, filling: EventGraph.Author())
    logRuns = FlatBuffer(capacity: decoded.operations.count)
  }

  /// Reads all runs; returns false if one waits.
  private mutating func read(_ decoded: borrowing DecodedUpdate, bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    // Of each run of the update, its last event.
    var lastEvents = FlatBuffer<EventGraph.Parent>(capacity: decoded.runs.count)
    for index in 0..<decoded.runs.count {
      let run = decoded.runs[index]
      let firstParent = parents.count
      if run.followsOwn {
        let own = authors[Int(run.author)]
        parents.append(EventGraph.Parent(place: own.lastPlace, run: own.lastRun))
      }
      for at in decoded.parents(ofRun: index) {
        let parent = decoded.parents[at]
        if parent.replica == DecodedUpdate.Parent.isRun {
          parents.append(lastEvents[Int(parent.value)])
        } else if let event = find(parent) {
          parents.append(event)
        } else {
          return false
        }
      }
      parents.sortAndDeduplicate(from: firstParent)
      addRun(run, firstParent: firstParent)
      addOperations(decoded, run: index, bytes: bytes)
      lastEvents.append(EventGraph.Parent(place: count - 1, run: UInt32(runs.count - 1)))
    }
    flush()
    return true
  }

  private func find(_ parent: DecodedUpdate.Parent) -> EventGraph.Parent? {
    guard parent.replica < authors.count, parent.value < authors[Int(parent.replica)].known else {
      return nil
    }
    var run = authorRuns[Int(authors[Int(parent.replica)].lastAuthorRun)]
    while run.seq > parent.value {
      let jump = authorRuns[Int(run.jump)]
      run = jump.seq > parent.value ? jump : authorRuns[Int(run.previous)]
    }
    let place = run.start + (parent.value - run.seq)
    return EventGraph.Parent(place: place, run: UInt32(runs.all.index(ofRunWith: place, in: 0..<runs.count)))
  }

  private mutating func addRun(_ run: DecodedUpdate.Run, firstParent: Int) {
    let start = count
    count = start + run.length
    var author = authors[Int(run.author)]
    if author.lastPlace == EventGraph.none || author.lastPlace + 1 != start {
      let last = author.known > 0 ? authorRuns[Int(author.lastAuthorRun)] : nil
      let jump = last.map { authorRuns[Int($0.jump)] }
      let beyond = jump.map { authorRuns[Int($0.jump)] }
      let index = UInt32(authorRuns.count)
      authorRuns.append(
        EventGraph.AuthorRun(
          start: start, author: run.author, seq: author.known, index: index, after: last,
          lastIndex: author.lastAuthorRun, jump: jump, beyond: beyond))
      author.lastAuthorRun = index
    }
    let isSequential =
      start > 0 && parents.count == firstParent + 1 && parents[firstParent].place == start - 1
    replaceHeads(from: firstParent, by: count - 1)
    if isSequential {
      _ = parents.removeLast()
    } else {
      runs.append(
        EventGraph.GraphRun(
          start: start, parentsStart: UInt32(firstParent), authorRun: UInt32(authorRuns.count - 1),
          logRun: UInt32(logRuns.count)))
    }
    author.known += run.length
    author.lastPlace = count - 1
    author.lastRun = UInt32(runs.count - 1)
    authors[Int(run.author)] = author
  }

  @inline(__always)
  private mutating func replaceHeads(from firstParent: Int, by head: UInt32) {
    let covered = UnsafeBufferPointer(rebasing: parents.all[firstParent...])
    var kept = 0
    for index in 0..<heads.count where !covered.containsPlace(heads[index]) {
      heads[kept] = heads[index]
      kept += 1
    }
    while heads.count > kept { _ = heads.removeLast() }
    heads.append(head)
  }

  private mutating func addOperations(
    _ decoded: borrowing DecodedUpdate, run index: Int, bytes: UnsafeBufferPointer<UInt8>
  ) {
    let run = decoded.runs[index]
    let end =
      index + 1 < decoded.runs.count ? Int(decoded.runs[index + 1].firstByte) : decoded.content.upperBound
    var byte = Int(run.firstByte)
    let isAscii = end - byte == Int(run.inserted)
    var place = count - run.length
    for at in decoded.operations(ofRun: index) {
      let operation = decoded.operations[at]
      add(operation, at: place, byte: UInt32(byte - decoded.content.lowerBound))
      place += operation.length
      if operation.kind == .insert {
        let rest = UnsafeBufferPointer(rebasing: bytes[byte..<end])
        byte +=
          isAscii
          ? Int(operation.length) : TextMetrics.byteOffset(ofScalar: Int(operation.length), in: rest)
      }
    }
  }

  @inline(__always)
  private mutating func add(_ operation: Operation, at place: UInt32, byte: UInt32) {
    var start = place
    var rest = operation
    if place > 0 {
      var last = Operation(kind: open.kind, position: open.position, length: place - open.start)
      let absorbed = last.absorb(rest)
      open.kind = last.kind
      if absorbed == rest.length { return }
      if absorbed > 0 {
        rest = rest.dropping(absorbed)
        start += absorbed
      }
      logRuns.append(open)
    }
    open = OperationLog.Run(start: start, position: rest.position, content: byte, kind: rest.kind)
  }

  private mutating func flush() {
    if count > 0 { logRuns.append(open) }
  }
}
