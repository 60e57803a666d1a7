import RopewalkCore
import RopewalkSync

/// What a client keeps of one room: a model of the replica's file, as `ClientSession.Effect` asks for it. A
/// value, so that a copied file is a copied value.
struct SimulatedStore {
  struct OutboxRow: Equatable {
    let header: EntryHeader
    let payload: [UInt8]
  }

  var events: [CoverageKey: [UInt32: UInt32]] = [:]
  var outbox: [OutboxRow] = []
  var cursor: UInt64 = 0
  var digest = LogDigest.zero
  var needsOffer = false
  /// What the log holds, as far as it was read.
  var inLog: [CoverageKey: Set<UInt32>] = [:]
  /// What the log held up to which cursor, as far as it was read; `tip` is the cursor of the entry that holds the last
  /// of the events, 0 where a checkpoint does not say.
  var spansInLog: [(cursor: UInt64, key: CoverageKey, seqs: Range<UInt32>, tip: UInt64)] = []
  /// Who authors the next edit in each document.
  var author: ReplicaID?

  mutating func write(_ contents: [UInt32], to document: DocumentKey, as author: ReplicaID) {
    let key = CoverageKey(document: document, replica: author)
    let first = events[key]?.keys.max().map { $0 + 1 } ?? 0
    for (index, content) in contents.enumerated() {
      events[key, default: [:]][first + UInt32(index)] = content
    }
    addRow(key, first..<first + UInt32(contents.count))
  }

  mutating func addRow(_ key: CoverageKey, _ seqs: Range<UInt32>) {
    let contents = seqs.map { events[key]?[$0] ?? 0 }
    let header = EntryHeader(document: key.document, span: EventSpan(replica: key.replica, seqs: seqs))
    outbox.append(OutboxRow(header: header, payload: Payload.bytes(contents)))
  }

  /// Some parts of a checkpoint were read, and not the last one yet.
  var isTakingCheckpoint = false

  mutating func restart() {
    cursor = 0
    digest = .zero
    needsOffer = true
    inLog = [:]
    spansInLog = []
    isTakingCheckpoint = false
  }

  /// What was read of a checkpoint counts when its last part was. Of another one, or where the log has none, it says
  /// nothing: then what is here and not in the log must be pushed again.
  mutating func endCheckpoint(isWhole: Bool) {
    if isTakingCheckpoint, !isWhole { restart() }
    isTakingCheckpoint = false
  }

  /// Applies an entry, or a part of a checkpoint with its `tip`; `newID` re-authors own events whose ids the log gives to others.
  mutating func apply(_ entry: LogEntry, tip: UInt64? = nil, newID: () -> ReplicaID) {
    let key = CoverageKey(entry.header)
    let contents = Payload.contents(entry.payload, of: entry.header.span.seqs)
    if let clash = firstClash(contents, key) { reauthor(key, from: clash, as: newID()) }
    events[key, default: [:]].merge(contents) { _, new in new }
    inLog[key, default: []].formUnion(entry.header.span.seqs)
    spansInLog.append((entry.cursor, key, entry.header.span.seqs, tip ?? entry.cursor))
    outbox.removeAll { $0.header == entry.header }
  }

  /// The checkpoint at a cursor, as everybody makes it. No subject has more ids than it has free tips.
  func checkpoint(at cursor: UInt64) -> [CheckpointPart] {
    var held: [CoverageKey: Set<UInt32>] = [:]
    var first: [DocumentKey: UInt64] = [:]
    var lasts: [CoverageKey: (end: UInt32, tip: UInt64)] = [:]
    for span in spansInLog where span.cursor <= cursor {
      if span.seqs.upperBound > lasts[span.key]?.end ?? 0 {
        lasts[span.key] = (span.seqs.upperBound, span.tip)
      }
      held[span.key, default: []].formUnion(span.seqs)
      first[span.key.document] = min(first[span.key.document] ?? .max, span.cursor)
    }
    var parts: [CheckpointPart] = []
    for key in held.keys.sorted(by: { ($0.document, $0.replica) < ($1.document, $1.replica) }) {
      let seqs = held[key, default: []].sorted()
      var start = 0
      for index in seqs.indices where index + 1 == seqs.count || seqs[index + 1] != seqs[index] + 1 {
        let range = seqs[start]..<seqs[index] + 1
        start = index + 1
        let header = EntryHeader(
          document: key.document, span: EventSpan(replica: key.replica, seqs: range))
        let contents = range.map { events[key]?[$0] ?? 0 }
        let tip = lasts[key].map { range.upperBound == $0.end ? $0.tip : 0 } ?? 0
        parts.append(
          CheckpointPart(
            cursor: first[key.document] ?? 1, tip: tip, header: header, payload: Payload.bytes(contents)))
      }
    }
    return parts
  }

  private func firstClash(_ contents: [UInt32: UInt32], _ key: CoverageKey) -> UInt32? {
    contents.filter { seq, content in events[key]?[seq].map { $0 != content } ?? false }.keys.min()
  }

  private mutating func reauthor(_ key: CoverageKey, from first: UInt32, as newID: ReplicaID) {
    let own = (events[key] ?? [:]).filter { $0.key >= first && !(inLog[key]?.contains($0.key) ?? false) }
    if own.isEmpty { return }
    let contents = own.sorted { $0.key < $1.key }.map(\.value)
    for seq in own.keys { events[key]?[seq] = nil }
    if events[key]?.isEmpty == true { events[key] = nil }
    let rows = outbox.filter { CoverageKey($0.header) == key }
    outbox.removeAll { CoverageKey($0.header) == key && $0.header.span.seqs.upperBound > first }
    for row in rows where row.header.span.seqs.lowerBound < first && row.header.span.seqs.upperBound > first {
      let left = row.header.span.seqs.lowerBound..<first
      addRuns(key, left.filter { !(inLog[key]?.contains($0) ?? false) })
    }
    if author == key.replica { author = newID }
    write(contents, to: key.document, as: newID)
  }

  /// The id of a row is somebody else's at the relay.
  mutating func disown(_ header: EntryHeader, as newID: ReplicaID) {
    reauthor(CoverageKey(header), from: header.span.seqs.lowerBound, as: newID)
  }

  /// Cuts the rows of a replica anew, by what the log is known to hold.
  mutating func recut(_ key: CoverageKey) {
    let rows = outbox.filter { CoverageKey($0.header) == key }
    outbox.removeAll { CoverageKey($0.header) == key }
    for row in rows { addRuns(key, row.header.span.seqs.filter { !(inLog[key]?.contains($0) ?? false) }) }
  }

  /// Puts into the outbox all that the log does not hold.
  mutating func offer() {
    needsOffer = false
    for key in events.keys.sorted(by: { ($0.document, $0.replica) < ($1.document, $1.replica) }) {
      let queued = outbox.filter { CoverageKey($0.header) == key }.flatMap { Array($0.header.span.seqs) }
      let lacking = Set(events[key]?.keys.map { $0 } ?? []).subtracting(inLog[key] ?? []).subtracting(queued)
      addRuns(key, lacking.sorted())
    }
  }

  private mutating func addRuns(_ key: CoverageKey, _ seqs: [UInt32]) {
    var start = 0
    for index in seqs.indices where index + 1 == seqs.count || seqs[index + 1] != seqs[index] + 1 {
      addRow(key, seqs[start]..<seqs[index] + 1)
      start = index + 1
    }
  }
}
