import RopewalkCore
import RopewalkTraces

/// What one edit costs, made as a user makes it: each patch of a trace for itself, through the public interface.
struct EditResult: Encodable {
  let trace: String
  let edits: Int
  let events: Int
  let ok: Bool
  /// Why it was not measured.
  let skipped: String?
  /// The whole trace.
  let totalMs: Double?
  let nsPerEdit: Double?
  let nsPerEditMedian: Double?
  /// With the update of each edit encoded as it is made.
  let encodedNsPerEdit: Double?
  let encodedNsPerEditMedian: Double?
  /// The update of one edit, in bytes, on average, and at most for one typed character.
  let bytesPerEdit: Double?
  let typedBytesMaximum: Int?
  /// What another replica takes to apply each of these updates as it comes.
  let receivedNsPerEdit: Double?

  static func measure(_ trace: Trace, name: String, runs: Int) throws -> EditResult {
    guard trace.isLinear else {
      return EditResult(
        trace: name, edits: 0, events: trace.eventCount, ok: true,
        skipped: "its authors are concurrent; see replay", totalMs: nil, nsPerEdit: nil, nsPerEditMedian: nil,
        encodedNsPerEdit: nil, encodedNsPerEditMedian: nil, bytesPerEdit: nil, typedBytesMaximum: nil,
        receivedNsPerEdit: nil)
    }
    let session = EditSession(trace)
    var (plain, encoded, received) = (Samples(), Samples(), Samples())
    var isCorrect = true
    for run in 1...runs {
      Terminal.progress("\(name): editing, \(run) of \(runs)")
      plain.add(session.play(checking: &isCorrect))
      encoded.add(session.playEncoding(checking: &isCorrect))
    }
    let updates = session.updates
    for run in 1...min(3, runs) {
      Terminal.progress("\(name): receiving, \(run)")
      received.add(try session.receive(updates, checking: &isCorrect))
    }
    let edits = session.patches.count
    let scale = 1e9 / Double(max(1, edits))
    let typed = zip(session.patches, updates).filter { $0.0.eventCount == 1 && $0.0.deleted == 0 }
    return EditResult(
      trace: name, edits: edits, events: trace.eventCount, ok: isCorrect, skipped: nil,
      totalMs: plain.minimum * 1e3, nsPerEdit: plain.minimum * scale, nsPerEditMedian: plain.median * scale,
      encodedNsPerEdit: encoded.minimum * scale, encodedNsPerEditMedian: encoded.median * scale,
      bytesPerEdit: Double(updates.reduce(0) { $0 + $1.bytes.count }) / Double(max(1, edits)),
      typedBytesMaximum: typed.map { $0.1.bytes.count }.max(), receivedNsPerEdit: received.minimum * scale)
  }

  static func table(_ results: [EditResult]) -> Table {
    var table = Table(
      "trace", "edits", "ok", "total ms", "ns/edit", "median", "ns/edit encoded", "median", "bytes/edit",
      "bytes typed", "ns/edit received")
    for one in results {
      table.add(
        one.trace, grouped(one.edits), one.skipped ?? (one.ok ? "yes" : "NO"), number(one.totalMs),
        number(one.nsPerEdit), number(one.nsPerEditMedian), number(one.encodedNsPerEdit),
        number(one.encodedNsPerEditMedian), number(one.bytesPerEdit), grouped(one.typedBytesMaximum),
        number(one.receivedNsPerEdit))
    }
    return table
  }
}

/// A trace of one author, ready to be typed.
struct EditSession {
  let patches: [TracePatch]
  private let start: TextDocument
  private let expected: [UInt8]
  private static let replica = ReplicaID(rawValue: 0x5ca1_ab1e_0000_0001)

  init(_ trace: Trace) {
    patches = trace.transactions.flatMap(\.patches)
    start = TextDocument(seed: trace.startText)
    expected = Array(trace.endText.utf8)
  }

  private var opened: TextDocument {
    var document = start
    document.replica = Self.replica
    return document
  }

  /// Seconds to make all edits.
  func play(checking isCorrect: inout Bool) -> Double {
    var document = opened
    let seconds = processorSeconds { for patch in patches { document.perform(patch) } }
    isCorrect = isCorrect && document.utf8 == expected
    return seconds
  }

  /// Seconds to make all edits and encode each.
  func playEncoding(checking isCorrect: inout Bool) -> Double {
    var document = opened
    let seeded = document.eventCount
    var bytes = 0
    let seconds = processorSeconds {
      for patch in patches { bytes += Self.encode(patch, in: &document, after: seeded)?.bytes.count ?? 0 }
    }
    isCorrect = isCorrect && document.utf8 == expected && bytes > 0
    return seconds
  }

  /// The update of each edit.
  var updates: [Update] {
    var document = opened
    let seeded = document.eventCount
    return patches.compactMap { Self.encode($0, in: &document, after: seeded) }
  }

  /// Seconds for another replica to apply each update as it comes.
  func receive(_ updates: [Update], checking isCorrect: inout Bool) throws -> Double {
    var document = start
    let seconds = try processorSeconds { for update in updates { _ = try document.apply(update) } }
    isCorrect = isCorrect && document.utf8 == expected
    return seconds
  }

  @inline(__always)
  private static func encode(
    _ patch: TracePatch, in document: inout TextDocument, after seeded: Int
  ) -> Update? {
    let first = UInt32(document.eventCount - seeded)
    document.perform(patch)
    return document.update(
      of: EventSpan(replica: replica, seqs: first..<UInt32(document.eventCount - seeded)))
  }
}

extension TextDocument {
  /// Makes one recorded edit. It must lie within the text.
  @inline(__always)
  mutating func perform(_ patch: TracePatch) {
    if patch.deleted > 0 { delete(patch.position..<patch.position + patch.deleted) }
    if !patch.inserted.isEmpty { insert(patch.inserted, at: patch.position) }
  }
}
