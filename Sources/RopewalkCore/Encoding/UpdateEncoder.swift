/// Writes events of a history as an update.
struct UpdateEncoder {
  private let history: TextHistory
  private let lineage: Lineage

  /// A replica that the update names.
  private struct Named {
    /// Its local number.
    let number: UInt32
    /// The first event inside, and how many are.
    var firstSeq: UInt32 = 0
    var count: UInt32 = 0
    /// Where its last operation so far left the caret.
    var caret: UInt32 = 0
  }

  /// First those with events inside.
  private var table: [Named] = []
  private var authorCount = 0
  /// Table index by local number, once there are too many to look through.
  private var indices: [UInt32: Int] = [:]
  private static let mostLookedThrough = 8

  private var authors = ByteWriter()
  private var lengths = ByteWriter()
  private var parents = ByteWriter()
  private var operations = ByteWriter()
  private var positions = ByteWriter()
  private var content: [UInt8] = []

  /// The place of the last event of each run written.
  private var lastPlaces: [UInt32] = []
  private var runLength: UInt32 = 0
  private var runAuthor: UInt32 = 0
  /// Of its author, in the table.
  private var runIndex = 0
  private var open: Operation?

  init(history: TextHistory, lineage: Lineage) {
    self.history = history
    self.lineage = lineage
  }

  /// Encodes the events at some ranges of places, ascending. Of each replica they must be consecutive.
  static func encode(
    _ ranges: [PlaceRange], of history: TextHistory, lineage: Lineage
  ) -> Update {
    var encoder = UpdateEncoder(history: history, lineage: lineage)
    encoder.listAuthors(ranges)
    for range in ranges { encoder.write(range) }
    return encoder.finish()
  }

  /// Numbers the replicas with events inside, so that those which only occur as parents come after them.
  private mutating func listAuthors(_ ranges: [PlaceRange]) {
    for range in ranges {
      var at = range.start
      var authorRun = history.graph.authorRun(at: at)
      while at < range.end {
        let run = history.graph.authorRuns[authorRun]
        let end = min(range.end, history.graph.end(ofAuthorRun: authorRun))
        if let index = index(of: run.author) {
          table[index].count += end - at
        } else {
          add(Named(number: run.author, firstSeq: run.seq + (at - run.start), count: end - at))
        }
        at = end
        authorRun += 1
      }
    }
    authorCount = table.count
  }

  private func index(of number: UInt32) -> Int? {
    if table.count > Self.mostLookedThrough { return indices[number] }
    return table.firstIndex { $0.number == number }
  }

  private mutating func add(_ named: Named) {
    table.append(named)
    if table.count == Self.mostLookedThrough + 1 {
      for (index, named) in table.enumerated() { indices[named.number] = index }
    } else if table.count > Self.mostLookedThrough {
      indices[named.number] = table.count - 1
    }
  }

  private mutating func write(_ range: PlaceRange) {
    var at = range.start
    var run = history.graph.run(at: at)
    var authorRun = history.graph.authorRun(at: at)
    var logRun = history.log.run(at: at)
    while at < range.end {
      let end = min(range.end, history.graph.end(ofRun: run), history.graph.end(ofAuthorRun: authorRun))
      begin(at, run: run, authorRun: authorRun)
      while at < end {
        let stop = min(end, history.log.end(ofRun: logRun))
        write(at, stop, logRun: logRun)
        if stop == history.log.end(ofRun: logRun) { logRun += 1 }
        at = stop
      }
      lastPlaces[lastPlaces.count - 1] = end - 1
      if end == history.graph.end(ofRun: run) { run += 1 }
      if end == history.graph.end(ofAuthorRun: authorRun) { authorRun += 1 }
    }
  }

  /// Starts a run with the event at `place`, unless that just continues the run before.
  private mutating func begin(_ place: UInt32, run: Int, authorRun: Int) {
    let authored = history.graph.authorRuns[authorRun]
    let author = authored.author
    let isFirst = place == history.graph.runs[run].start
    // Mostly an event just follows the one before, of the same author.
    let followsOwn = !isFirst && place > authored.start
    if followsOwn, lastPlaces.last == place - 1, runAuthor == author { return }
    let seq = authored.seq + (place - authored.start)
    let before: [UInt32] =
      isFirst ? history.graph.parentPlaces(ofRun: run) : followsOwn ? [] : [place - 1]
    let own: UInt32? =
      followsOwn ? place - 1 : seq > 0 ? history.graph.place(ofSeq: seq - 1, author: Int(author)) : nil
    // A parent in any case, listed in the graph or not.
    let besides = before.filter { $0 != own }
    if let own, besides.isEmpty, lastPlaces.last == own, runAuthor == author { return }
    endRun()
    runAuthor = author
    runIndex = index(of: author) ?? 0
    if authorCount > 1 { authors.varint32(UInt32(runIndex)) }
    lastPlaces.append(place)
    parents.varint(UInt64(besides.count))
    if besides.isEmpty { return }
    let sorted =
      besides.count > 1
      ? besides.map { ($0, history.graph.event(at: $0)) }.sorted { $0.1 < $1.1 }.map { $0.0 } : besides
    for parent in sorted { refer(to: parent) }
  }

  /// Names a parent: the end of an earlier run of this update, counted back, or an id.
  private mutating func refer(to place: UInt32) {
    let written = lastPlaces.count - 1
    var (low, high) = (0, written)
    while low < high {
      let middle = (low + high) / 2
      if lastPlaces[middle] < place { low = middle + 1 } else { high = middle }
    }
    if low < written, lastPlaces[low] == place {
      parents.varint(UInt64(written - low) << 1)
      return
    }
    let run = history.graph.authorRuns[history.graph.authorRun(at: place)]
    let index = index(of: run.author) ?? table.count
    if index == table.count { add(Named(number: run.author)) }
    parents.varint(UInt64(index) << 1 | 1)
    parents.varint32(run.seq + (place - run.start))
  }

  private mutating func write(_ start: UInt32, _ end: UInt32, logRun: Int) {
    runLength += end - start
    var operation = history.log.operation(ofRun: logRun, from: start, to: end)
    if operation.kind == .insert {
      let first = Int(start - history.log.runs[logRun].start)
      let range = history.log.contentRange(ofRun: logRun, scalars: first..<first + Int(operation.length))
      history.log.content.withUnsafeBufferPointer { content.append(UnsafeBufferPointer(rebasing: $0[range])) }
    }
    if var last = open {
      let absorbed = last.absorb(operation)
      open = last
      if absorbed == operation.length { return }
      if absorbed > 0 { operation = operation.dropping(absorbed) }
      flush()
    }
    open = operation.length == 1 ? operation.prefix(1) : operation
  }

  private mutating func flush() {
    guard let operation = open else { return }
    open = nil
    operations.varint(UInt64(operation.length) << 2 | UInt64(operation.kind.rawValue))
    let shift = Int64(operation.position) - Int64(table[runIndex].caret)
    positions.varint(UInt64(bitPattern: shift << 1 ^ shift >> 63))
    table[runIndex].caret = operation.caret
  }

  private mutating func endRun() {
    flush()
    if runLength > 0 { lengths.varint32(runLength) }
    runLength = 0
  }

  private mutating func finish() -> Update {
    // The length of an only run is not told.
    if lastPlaces.count > 1 { endRun() } else { flush() }
    var writer = ByteWriter()
    writer.reserve(
      authors.bytes.count + lengths.bytes.count + parents.bytes.count + operations.bytes.count
        + positions.bytes.count + content.count + 20 * table.count + 40)
    writer.byte(Update.magic)
    writer.byte(Update.version | (lineage == .blank ? 0 : Update.seededFlag))
    if lineage != .blank { writer.fixed64(lineage.rawValue) }
    writer.varint(UInt64(authorCount))
    var spans: [EventSpan] = []
    spans.reserveCapacity(authorCount)
    for author in table[..<authorCount] {
      let replica = history.graph.replicas[Int(author.number)]
      writer.fixed64(replica.rawValue)
      writer.varint32(author.firstSeq)
      writer.varint32(author.count)
      spans.append(EventSpan(replica: replica, seqs: author.firstSeq..<author.firstSeq + author.count))
    }
    writer.varint(UInt64(table.count - authorCount))
    for other in table[authorCount...] {
      writer.fixed64(history.graph.replicas[Int(other.number)].rawValue)
    }
    writer.varint(UInt64(lastPlaces.count))
    if authorCount > 1 { writer.block(authors.bytes) }
    if lastPlaces.count > 1 { writer.block(lengths.bytes) }
    writer.block(parents.bytes)
    writer.block(operations.bytes)
    writer.block(positions.bytes)
    writer.block(content)
    writer.fixed32(crc32c(writer.bytes))
    return Update(encoded: writer.bytes, lineage: lineage, spans: spans)
  }
}
