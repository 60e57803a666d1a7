import RopewalkCore
import RopewalkSync

@testable import RopewalkReplica

/// A log of one document in which some subjects write under many ids, each knowing more or less of what others did;
/// some entries come late or never, some are damaged.
struct BranchingLog {
  static let room = RoomName("room")!
  static let key = DocumentKey(name: DocumentName("notes.md")!, lineage: .blank)

  private(set) var entries: [LogEntry] = []
  /// `digests[n]` is the log's after n entries.
  private(set) var digests: [LogDigest] = [.zero]
  /// What each event follows.
  private(set) var parents: [EventID: [EventID]] = [:]
  private(set) var authors: [TextDocument] = []
  private var subjects: [ReplicaID: String] = [:]

  init() {}

  /// - Parameter hurts: whether some entries come late or never, and some are damaged.
  init(seed: UInt64, entries count: Int, hurts: Bool = true) {
    var random = SeededGenerator(seed: seed)
    var late: [(LogEntry, ReplicaID)] = []
    while entries.count < count {
      let subject = ["ann", "ben", "eve", "eve"].randomElement(using: &random) ?? "eve"
      let own = authors.indices.filter { subjects[authors[$0].replica ?? .init(rawValue: 0)] == subject }
      var author: Int
      if let known = own.randomElement(using: &random), Int.random(in: 0..<3, using: &random) == 0 {
        author = known
      } else {
        author = begin(ReplicaID(rawValue: .random(in: 1 ... .max, using: &random)), by: subject)
        if let base = authors.indices.dropLast().randomElement(using: &random),
          Int.random(in: 0..<8, using: &random) > 0
        {
          learn(author, from: base)
        }
      }
      if let other = authors.indices.randomElement(using: &random), Bool.random(using: &random) {
        learn(author, from: other)
      }
      let entry = write("abc".prefix(Int.random(in: 1...3, using: &random)), author)
      switch hurts ? Int.random(in: 0..<20, using: &random) : 19 {
      case 0: break
      case 1, 2: late.append((entry, entry.header.span.replica))
      case 3: append(entry.header, [1, 2, 3], by: subject)
      default: append(entry.header, entry.payload, by: subject)
      }
      if Int.random(in: 0..<6, using: &random) == 0, let index = late.indices.randomElement(using: &random) {
        let (entry, id) = late.remove(at: index)
        append(entry.header, entry.payload, by: subjects[id] ?? "eve")
      }
    }
  }

  /// Begins an id that knows nothing; returns its number.
  mutating func begin(_ id: ReplicaID, by subject: String) -> Int {
    var document = TextDocument(lineage: Self.key.lineage)
    document.replica = id
    authors.append(document)
    subjects[id] = subject
    return authors.count - 1
  }

  /// Lets an author go on under another id.
  mutating func rename(_ author: Int, _ id: ReplicaID) {
    subjects[id] = authors[author].replica.flatMap { subjects[$0] }
    authors[author].replica = id
  }

  /// Lets an author read what another one knows.
  mutating func learn(_ author: Int, from other: Int) {
    _ = try? authors[author].apply(authors[other].update(since: authors[author].versionVector))
  }

  /// Lets an author write, without anything in the log.
  mutating func write(_ text: some StringProtocol, _ author: Int) -> LogEntry {
    let id = authors[author].replica ?? ReplicaID(rawValue: 0)
    let first = authors[author].eventCount(of: id)
    authors[author].insert(String(text), at: 0)
    let span = EventSpan(replica: id, seqs: first..<authors[author].eventCount(of: id))
    for seq in span.seqs {
      let one = EventSpan(replica: id, seqs: seq..<seq + 1)
      var followed = authors[author].parents(of: one, limit: .max).map(\.parent)
      if seq > 0 { followed.append(EventID(replica: id, seq: seq - 1)) }
      parents[EventID(replica: id, seq: seq)] = followed
    }
    return LogEntry(
      cursor: 0, subject: [], time: 0, header: EntryHeader(document: Self.key, span: span),
      payload: authors[author].update(of: span)?.bytes ?? [])
  }

  /// Lets an author write an entry.
  mutating func push(_ text: String, _ author: Int) {
    let entry = write(text, author)
    append(entry.header, entry.payload, by: subjects[entry.header.span.replica] ?? "")
  }

  mutating func append(_ header: EntryHeader, _ payload: [UInt8], by subject: String) {
    let entry = LogEntry(
      cursor: UInt64(entries.count + 1), subject: Array(subject.utf8), time: 1, header: header,
      payload: payload)
    digests.append(entry.digest(after: digests[entries.count]))
    entries.append(entry)
  }

  func subject(of id: ReplicaID) -> [UInt8] { Array((subjects[id] ?? "").utf8) }
}

/// The rule of `Spec/retention.md`, *Too many branches*, word for word and slow.
struct ReferenceTips {
  /// The cursors of entries in excess.
  private(set) var excess: Set<UInt64> = []
  /// By subject, the tips after the last entry.
  private(set) var tips: [[UInt8]: [ReplicaID]] = [:]
  /// The events of plain entries, and the entries that wait.
  private var plain: Set<EventID> = []
  private var waiting: [LogEntry] = []

  init(of log: BranchingLog, free: Int, most: Int) {
    for (place, entry) in log.entries.enumerated() where entry.update != nil {
      judge(entry, after: log.entries.prefix(place), in: log, free, most)
      guard !excess.contains(entry.cursor) else { continue }
      waiting.append(entry)
      while let index = waiting.firstIndex(where: { past(of: $0, in: log).isSubset(of: plain) }) {
        let span = waiting.remove(at: index).header.span
        for seq in span.seqs { plain.insert(EventID(replica: span.replica, seq: seq)) }
      }
    }
  }

  private mutating func judge(
    _ entry: LogEntry, after before: some Sequence<LogEntry>, in log: BranchingLog, _ free: Int, _ most: Int
  ) {
    let id = entry.header.span.replica
    var own = tips[entry.subject] ?? []
    if own.contains(id) { return }
    if own.count >= free {
      let past = past(of: entry, in: log)
      let waits = !past.isSubset(of: plain)
      let known = own.compactMap { tip -> (cursor: UInt64, tip: ReplicaID)? in
        let entries = before.filter {
          $0.header.span.replica == tip && $0.update != nil && !excess.contains($0.cursor)
        }
        let last = entries.max { $0.header.span.seqs.upperBound < $1.header.span.seqs.upperBound }
        guard let last, !waits else { return nil }
        let event = EventID(replica: tip, seq: last.header.span.seqs.upperBound - 1)
        return past.contains(event) ? (last.cursor, tip) : nil
      }
      if let oldest = known.min(by: { $0.cursor < $1.cursor }) {
        own.removeAll { $0 == oldest.tip }
      } else if own.count >= most || waits {
        excess.insert(entry.cursor)
        return
      }
    }
    tips[entry.subject] = own + [id]
  }

  /// All events that those of an entry follow, directly or not.
  private func past(of entry: LogEntry, in log: BranchingLog) -> Set<EventID> {
    let span = entry.header.span
    var (past, next) = (Set<EventID>(), [EventID]())
    for seq in span.seqs { next += log.parents[EventID(replica: span.replica, seq: seq)] ?? [] }
    while let event = next.popLast() {
      if past.insert(event).inserted { next += log.parents[event] ?? [] }
    }
    return past.filter { $0.replica != span.replica || $0.seq < span.seqs.lowerBound }
  }
}
