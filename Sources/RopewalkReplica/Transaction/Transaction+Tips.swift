import Foundation
import GRDB
import RopewalkCore
import RopewalkSync

// A bound on what a subject's concurrency may cost, alike for everybody who reads the log (`Spec/retention.md`, *Too
// many branches*): each subject has some tips in each document, which are replica ids. Another id of it takes the place
// of one whose events it knows; where it knows none, and there are too many, its entry is in excess and never merged.

/// What becomes of an entry by the rule.
enum TipVerdict {
  case isFine
  case isInExcess
  /// That can be said when what came with it is merged.
  case notYet
}

extension Transaction {
  /// `held.reason` of an entry in excess.
  static let isInExcess = "whoever pushed it writes on too many branches of the document at once"

  /// Judges an entry of the log at its place, once.
  ///
  /// - Parameter isNext: everything that came before it was merged. Otherwise some may not be in the document yet.
  func judge(_ entry: LogEntry, _ update: Update, in open: inout OpenDocument, isNext: Bool) throws
    -> TipVerdict
  {
    let document = open.loaded.id
    let tips = try tips(of: entry.subject, in: document)
    if tips.note(entry) { return .isFine }
    if tips.count >= options.tipLimits.free {
      try tips.complete { try last(of: $0, in: document) }
      guard let past = try pastInLog(of: update, asTo: tips, in: &open, isNext: isNext) else {
        return isNext ? .isInExcess : .notYet
      }
      // Read through `open`, it would be copied for each of the tips.
      let reading = open.loaded.document
      let replaced = tips.oldest { reading.isKnown($0, in: past) }
      if let replaced {
        try db.run(
          """
          UPDATE tips SET until = ?
          WHERE document = ? AND replica = ? AND subject = CAST(? AS TEXT) AND until IS NULL
          """, [Int64(bitPattern: entry.cursor), document, replaced.stored, Data(entry.subject)])
        tips.remove(replaced)
      } else if tips.count >= options.tipLimits.most {
        return .isInExcess
      }
    }
    try addTip(entry, since: entry.cursor, of: document)
    return .isFine
  }

  /// Notes by a checkpoint's word that an id is a tip, whose last event was in the entry at a cursor.
  func noteTip(_ part: AttributedPart, of document: Int64) throws {
    switch part.part.kind {
    case .plain:
      if part.part.tip > 0 { try addTip(part.entry, since: part.part.tip, of: document) }
    case .carried:
      // What an id has in entries that wait is known to nobody, so nobody has taken its place.
      guard part.entry.update != nil, try !tips(of: part.subject, in: document).note(part.entry) else {
        return
      }
      try addTip(part.entry, since: part.part.cursor, of: document)
    case .inExcess: break
    }
  }

  private func addTip(_ entry: LogEntry, since cursor: UInt64, of document: Int64) throws {
    let span = entry.header.span
    try tips(of: entry.subject, in: document)
      .insert(span.replica, SubjectTips.Last(end: span.seqs.upperBound, cursor: cursor))
    try db.run(
      "INSERT OR REPLACE INTO tips (document, replica, since, subject) VALUES (?, ?, ?, CAST(? AS TEXT))",
      [document, span.replica.stored, Int64(bitPattern: cursor), Data(entry.subject)])
  }

  private func tips(of subject: [UInt8], in document: Int64) throws -> SubjectTips {
    if let known = state.tips[document]?[subject] { return known }
    let rows = try db.rows(
      "SELECT replica FROM tips WHERE document = ? AND subject = CAST(? AS TEXT) AND until IS NULL",
      [document, Data(subject)])
    let tips = SubjectTips(try rows.map { ReplicaID(rawValue: try $0.unsigned(0)) })
    state.tips[document, default: [:]][subject] = tips
    return tips
  }

  /// The last event of a tip, as far as its entries were noted.
  private func last(of id: ReplicaID, in document: Int64) throws -> SubjectTips.Last {
    var last = SubjectTips.Last()
    let part = try db.row(
      """
      SELECT s."end", t.since FROM checkpoint_spans s
      JOIN tips t ON t.document = s.document AND t.replica = s.replica AND t.until IS NULL
      WHERE s.document = ? AND s.replica = ? ORDER BY s.first DESC LIMIT 1
      """, [document, id.stored])
    if let part {
      last = SubjectTips.Last(end: UInt32(clamping: try part.integer(0)), cursor: try part.unsigned(1))
    }
    let entry = try db.row(
      """
      SELECT e."end", e.cursor FROM entries e LEFT JOIN held h ON h.room = e.room AND h.cursor = e.cursor
      WHERE e.document = ? AND e.replica = ? AND (h.kind IS NULL OR h.kind NOT IN (?, ?))
      ORDER BY e.first DESC LIMIT 1
      """, [document, id.stored, HeldKind.noUpdate.rawValue, HeldKind.inExcess.rawValue])
    if let entry {
      let end = UInt32(clamping: try entry.integer(0))
      if end > last.end { last = SubjectTips.Last(end: end, cursor: try entry.unsigned(1)) }
    }
    return last
  }

  /// The tips of all subjects at a cursor that was read, each with the cursor from which it is one.
  func tips(of document: Int64, at cursor: Int64) throws -> [ReplicaID: UInt64] {
    var tips: [ReplicaID: UInt64] = [:]
    let rows = try db.rows(
      "SELECT replica, since FROM tips WHERE document = ?1 AND since <= ?2 AND (until IS NULL OR until > ?2)",
      [document, cursor])
    for row in rows { tips[ReplicaID(rawValue: try row.unsigned(0))] = try row.unsigned(1) }
    return tips
  }

  func forgetTips(in room: Int64) throws {
    try db.run("DELETE FROM tips WHERE document IN (SELECT id FROM documents WHERE room = ?)", [room])
    state.tips = [:]
  }

  // MARK: What an entry knows

  /// What the author of an entry knew, by the log up to there alone; nil if the entry waits by that, whatever else is
  /// here.
  private func pastInLog(of update: Update, asTo tips: SubjectTips, in open: inout OpenDocument, isNext: Bool)
    throws -> CausalPast?
  {
    guard let parents = try? update.outerParents() else { return nil }
    if let past = try pastInLog(after: parents, asTo: tips, in: &open) { return past }
    // An entry before it may have let others go on that had waited.
    guard isNext, try release(&open) else { return nil }
    return try pastInLog(after: parents, asTo: tips, in: &open)
  }

  private func pastInLog(after parents: [EventID], asTo tips: SubjectTips, in open: inout OpenDocument) throws
    -> CausalPast?
  {
    let isHere = { (event: EventID) in open.loaded.document.eventCount(of: event.replica) > event.seq }
    guard parents.allSatisfy(isHere) else { return nil }
    let besides = try open.besides ?? eventsBesidesLog(in: open)
    open.besides = besides
    if !besides.isEmpty {
      let plain = open.loaded.document.versionVector(without: besides.spans)
      guard parents.allSatisfy({ plain.contains($0) }) else { return nil }
    }
    return open.loaded.document.past(of: parents, asTo: tips.lastEvents)
  }

  /// The events of a document that nobody has by the log as far as it was read: it has not got them, or holds them in
  /// entries in excess.
  private func eventsBesidesLog(in open: OpenDocument) throws -> SpanSet {
    let document = open.loaded.document
    var besides = try outboxSpans(of: open.loaded.id)
    if try db.row("SELECT needs_offer FROM rooms WHERE id = ?", [open.loaded.roomID])?.flag(0) == true {
      besides = SpanSet(document.versionVector).subtracting(try logSpans(of: open.loaded.id))
    }
    for span in try excess(of: open.loaded.id)
    where document.eventCount(of: span.replica) > span.seqs.lowerBound { besides.insert(span) }
    return besides
  }

  // MARK: Excess

  /// What the log holds of a document in excess.
  func excess(of document: Int64) throws -> [EventSpan] {
    try db.rows(
      """
      SELECT e.replica, e.first, e."end" FROM held h JOIN entries e ON e.room = h.room AND e.cursor = h.cursor
      WHERE h.room = (SELECT room FROM documents WHERE id = ?1) AND h.kind = ?2 AND e.document = ?1
      """, [document, HeldKind.inExcess.rawValue]
    ).map { try $0.span(0) }
  }

  /// Keeps an entry in excess aside for good. Whoever wrote it keeps its events; nobody else gets them.
  func holdExcess(_ entry: LogEntry, of id: Int64, in batch: inout Batch) throws {
    try noteEntry(entry, of: id, roomID: batch.roomID, (0, 0))
    try removeFromOutbox(entry.header.span, of: id)
    try keepAside(
      entry.payload, as: .inExcess, at: Int64(bitPattern: entry.cursor), in: batch.roomID,
      because: Self.isInExcess)
    batch.result.held.append(entry.cursor)
  }
}
