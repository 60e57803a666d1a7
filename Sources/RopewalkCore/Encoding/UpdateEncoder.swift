/// Writes events of a history as an update.
struct UpdateEncoder {
  private let history: TextHistory
  private let lineage: Lineage

  private var replicas: [ReplicaID] = []
  private var authorCount = 0
  private var firstSeqs: [UInt32] = []
  private var counts: [UInt32] = []
  private var carets: [UInt32] = []
  /// Table index by local replica number.
  private var indices: [UInt32: UInt32] = [:]

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
    let graph = history.graph
    for range in ranges {
      var index = graph.authorRun(at: range.start)
      var at = range.start
      while at < range.end {
        let run = graph.authorRuns[index]
        let end = min(range.end, graph.end(ofAuthorRun: index))
        if let known = indices[run.author] {
          counts[Int(known)] += end - at
        } else {
          indices[run.author] = UInt32(replicas.count)
          replicas.append(graph.replicas[Int(run.author)])
          firstSeqs.append(run.seq + (at - run.start))
          counts.append(end - at)
          carets.append(0)
        }
        at = end
        index += 1
      }
    }
    authorCount = replicas.count
  }

  private mutating func write(_ range: PlaceRange) {
    let graph = history.graph
    var at = range.start
    var run = graph.run(at: at)
    var authorRun = graph.authorRun(at: at)
    var logRun = history.log.run(at: at)
    while at < range.end {
      let end = min(range.end, graph.end(ofRun: run), graph.end(ofAuthorRun: authorRun))
      begin(at, run: run, authorRun: authorRun)
      while at < end {
        let stop = min(end, history.log.end(ofRun: logRun))
        write(at, stop, logRun: logRun)
        if stop == history.log.end(ofRun: logRun) { logRun += 1 }
        at = stop
      }
      lastPlaces[lastPlaces.count - 1] = end - 1
      if end == graph.end(ofRun: run) { run += 1 }
      if end == graph.end(ofAuthorRun: authorRun) { authorRun += 1 }
    }
  }

  /// Starts a run with the event at `place`, unless that just continues the run before.
  private mutating func begin(_ place: UInt32, run: Int, authorRun: Int) {
    let graph = history.graph
    let author = graph.authorRuns[authorRun].author
    let seq = graph.authorRuns[authorRun].seq + (place - graph.authorRuns[authorRun].start)
    let before: [UInt32] =
      place == graph.runs[run].start ? graph.parentPlaces(ofRun: run) : [place - 1]
    let own = seq > 0 ? graph.place(ofSeq: seq - 1, author: Int(author)) : nil
    if let own, before == [own], let last = lastPlaces.last, last == own, runAuthor == author { return }
    endRun()
    runAuthor = author
    let index = indices[author] ?? 0
    authors.varint32(index)
    lastPlaces.append(place)
    guard let own, before.contains(own), before.count <= 2 else {
      parents.varint(UInt64(before.count) + 2)
      let sorted =
        before.count > 1
        ? before.map { ($0, graph.event(at: $0)) }.sorted { $0.1 < $1.1 }.map { $0.0 } : before
      for parent in sorted { refer(to: parent) }
      return
    }
    parents.varint(before.count == 1 ? 0 : 1)
    for parent in before where parent != own { refer(to: parent) }
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
    let index: UInt32
    if let known = indices[run.author] {
      index = known
    } else {
      index = UInt32(replicas.count)
      indices[run.author] = index
      replicas.append(history.graph.replicas[Int(run.author)])
    }
    parents.varint(UInt64(index) << 1 | 1)
    parents.varint32(run.seq + (place - run.start))
  }

  private mutating func write(_ start: UInt32, _ end: UInt32, logRun: Int) {
    runLength += end - start
    var operation = history.log.operation(ofRun: logRun, from: start, to: end)
    if operation.kind == .insert {
      let first = Int(start - history.log.runs[logRun].start)
      let range = history.log.contentRange(ofRun: logRun, scalars: first..<first + Int(operation.length))
      content.append(contentsOf: history.log.content[range])
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
    let index = Int(indices[runAuthor] ?? 0)
    let shift = Int64(operation.position) - Int64(carets[index])
    positions.varint(UInt64(bitPattern: shift << 1 ^ shift >> 63))
    carets[index] = operation.caret
  }

  private mutating func endRun() {
    flush()
    if runLength > 0 { lengths.varint32(runLength) }
    runLength = 0
  }

  private mutating func finish() -> Update {
    endRun()
    var writer = ByteWriter()
    writer.reserve(
      authors.bytes.count + lengths.bytes.count + parents.bytes.count + operations.bytes.count
        + positions.bytes.count + content.count + 20 * replicas.count + 40)
    writer.byte(Update.magic)
    writer.byte(Update.version | (lineage == .blank ? 0 : Update.seededFlag))
    if lineage != .blank { writer.fixed64(lineage.rawValue) }
    writer.varint(UInt64(authorCount))
    var spans: [EventSpan] = []
    for index in 0..<authorCount {
      writer.fixed64(replicas[index].rawValue)
      writer.varint32(firstSeqs[index])
      writer.varint32(counts[index])
      spans.append(
        EventSpan(replica: replicas[index], seqs: firstSeqs[index]..<firstSeqs[index] + counts[index]))
    }
    writer.varint(UInt64(replicas.count - authorCount))
    for replica in replicas[authorCount...] { writer.fixed64(replica.rawValue) }
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
