import GRDB
import RopewalkCore
import RopewalkSync

// Who carries somebody's events gives them another id where that person does not seem to bring them. Then both may bring
// them at one moment, and the log has them under both ids. The text is the same for all who read that log, and there
// twice, until the client of the person who wrote it deletes what came under the other id: an edit like any other.
extension Transaction {
  /// How often it is looked, for one own id and while the file is open, whether the log has its events twice: that replays
  /// the document, and somebody who only wants it to be done again and again could go on for ever.
  static let mostTwinChecks = 64

  // MARK: Before the log has them twice

  /// Gives events that only this file has under another id the old one back, if an entry holds them under that: whose they
  /// are has brought them.
  func giveBack(to entry: LogEntry, in open: inout OpenDocument) throws {
    guard let twins = try givenAway(beginning: entry, in: &open) else { return }
    // What contradicts the entry is something else.
    guard var probe = open.loaded.document.goingBack(twins), let update = entry.update,
      (try? probe.apply(update)) != nil
    else { return }
    open.patches += try goBack(twins, in: &open.loaded)
    open.hasChanged = true
    open.forgetWhatLogLacks()
  }

  /// The events that an entry begins with, if they are in the outbox under an id that they were given, and nothing under
  /// that has left this device: nothing that follows them has either, then.
  func givenAway(beginning entry: LogEntry, in open: inout OpenDocument) throws -> TwinEvents? {
    let event = EventID(replica: entry.header.span.replica, seq: entry.header.span.seqs.lowerBound)
    let renamings = try open.renamings ?? freshIDs(of: open.loaded.id)
    open.renamings = renamings
    guard let fresh = renamings[event], open.loaded.document.eventCount(of: event.replica) == event.seq else {
      return nil
    }
    let span = EventSpan(replica: fresh, seqs: 0..<open.loaded.document.eventCount(of: fresh))
    guard !span.seqs.isEmpty, try hasNotLeft(span, of: open.loaded.id) else { return nil }
    return TwinEvents(event: event, fresh: fresh)
  }

  /// Whether all of a span is in the outbox, and none of it is fixed to be sent.
  private func hasNotLeft(_ span: EventSpan, of document: Int64) throws -> Bool {
    let rows = try db.rows(
      "SELECT replica, first, \"end\", cut IS NULL AND acknowledged IS NULL FROM outbox WHERE document = ? AND replica = ?",
      [document, span.replica.stored])
    var waiting = SpanSet()
    for row in rows {
      guard try row.flag(3) else { return false }
      waiting.insert(try row.span(0))
    }
    return waiting.contains(span)
  }

  private func freshIDs(of document: Int64) throws -> [EventID: ReplicaID] {
    Dictionary(try renamings(of: document).map { ($0.event, $0.fresh) }) { first, _ in first }
  }

  private func goBack(_ twins: TwinEvents, in loaded: inout LoadedDocument) throws -> [TextPatch] {
    try db.run(
      "DELETE FROM renamings WHERE document = ? AND replica = ? AND first = ?",
      [loaded.id, twins.event.replica.stored, Int64(twins.event.seq)])
    return try move(EventID(replica: twins.fresh, seq: 0), to: twins.event, in: &loaded)
  }

  // MARK: When the log has them twice

  /// Deletes what others have pushed of this file's events under the ids that follow from them, where the log has them
  /// under their own too: as a further edit, whose events have an id of their own.
  ///
  /// Only whose they are does: everybody else reads that in the log. Always what is under the other id goes, whichever the
  /// log had first, so that of two who do it neither takes what the other one leaves.
  func deleteTwins(in open: inout OpenDocument) throws {
    let (old, vector) = (open.loaded.vector, open.loaded.document.versionVector)
    var starts: [EventID]?
    for span in SpanSet(from: old, to: vector).spans where span.seqs.lowerBound == 0 {
      try noteTwins(of: span.replica, &starts, in: open.loaded)
    }
    var all: [TwinEvents] = []
    for renaming in try renamings(of: open.loaded.id) {
      let twins = TwinEvents(event: renaming.event, fresh: renaming.fresh)
      guard twins.count(in: vector) > 0, try hasWritten(as: twins.event.replica),
        open.loaded.document.derivedIDs(for: twins.event, count: Self.longestDerivation).contains(twins.fresh)
      else { continue }
      all.append(twins)
    }
    let grown = all.filter { $0.count(in: vector) > $0.count(in: old) && mayLook(at: $0) }
    if grown.isEmpty { return }
    for twins in grown { state.twinChecks[twins.event.replica, default: 0] += 1 }
    if open.loaded.document.areSame(all) {
      for twins in grown { try delete(twins, in: &open) }
    } else {
      for twins in grown where open.loaded.document.areSame([twins]) { try delete(twins, in: &open) }
    }
  }

  private func mayLook(at twins: TwinEvents) -> Bool {
    state.twinChecks[twins.event.replica, default: 0] < Self.mostTwinChecks
  }

  private func delete(_ twins: TwinEvents, in open: inout OpenDocument) throws {
    let seqs = 0..<twins.count(in: open.loaded.document.versionVector)
    let author = try drawAuthor()
    try retire(author)
    let text = EventSpan(replica: twins.fresh, seqs: seqs)
    guard let deletion = open.loaded.document.deletion(ofTextInsertedBy: text, by: author) else { return }
    let before = open.loaded.document.scalarCount
    do throws(ApplyError) { open.patches += try open.loaded.document.apply(deletion) } catch { return }
    try append(deletion, to: &open.loaded)
    open.hasChanged = true
    open.forgetWhatLogLacks()
    let now = Int64(bitPattern: options.now())
    for span in deletion.spans {
      try addToOutbox(span, of: open.loaded.id)
      let entry = HistoryEntry(
        span: span, origin: .edit, time: 0...0, subject: nil, cursor: nil, inserted: 0,
        deleted: before - open.loaded.document.scalarCount)
      try insertHistory(entry, of: open.loaded.id, began: now, ended: now)
    }
  }

  /// Finds out whether an id that is new here follows from own events that the log has.
  private func noteTwins(of fresh: ReplicaID, _ starts: inout [EventID]?, in loaded: LoadedDocument) throws {
    let first = EventSpan(replica: fresh, seqs: 0..<1)
    // It follows the event before them, unless they are the first under their id.
    var candidates = loaded.document.parents(of: first, limit: 1).map {
      EventID(replica: $0.parent.replica, seq: $0.parent.seq + 1)
    }
    let latest = try starts ?? latestStarts(of: loaded.id)
    starts = latest
    candidates += latest
    for event in candidates where loaded.document.eventCount(of: event.replica) > event.seq {
      guard mayLook(at: TwinEvents(event: event, fresh: fresh)), try hasWritten(as: event.replica),
        loaded.document.derivedIDs(for: event, count: Self.longestDerivation).contains(fresh)
      else { continue }
      return try noteRenaming(Renaming(event: event, fresh: fresh), of: loaded.id)
    }
  }

  /// The first events under own ids, of those whose beginning the log got last: others have had no time to push older ones
  /// without having read them.
  private func latestStarts(of document: Int64) throws -> [EventID] {
    try db.rows(
      """
      SELECT a.replica FROM authors a
      JOIN entries e ON e.document = ? AND e.replica = a.replica AND e.first = 0 ORDER BY e.cursor DESC LIMIT 16
      """, [document]
    ).map { EventID(replica: ReplicaID(rawValue: try $0.unsigned(0)), seq: 0) }
  }
}
