import Foundation
import GRDB
import RopewalkCore
import RopewalkSync

extension Transaction {
  /// Runs a local edit: the document, its outbox entry and its history in one.
  func edit<Result>(
    _ id: Int64, from origin: DocumentChange.Origin = .edit, _ body: (inout TextEdit) throws -> Result
  ) throws -> Result {
    var loaded = try take(id)
    let author = try author(in: loaded.document)
    let before = Before(loaded)
    loaded.document.replica = author
    let isWatched = observers.watch(ReplicaState.Name(room: loaded.room, name: loaded.key.name))
    var edit = TextEdit(of: &loaded.document, in: self, isWatched: isWatched)
    let result: Result
    do { result = try body(&edit) } catch {
      // A mistake in the first call is not worth reading the document anew.
      if (try? edit.finish(into: &loaded.document, in: self)) != nil, before.isUnchanged(loaded) {
        putBackUnchanged(loaded)
      }
      throw error
    }
    let patches = try edit.finish(into: &loaded.document, in: self)
    // An edit is of the present author: none of its events is given to another.
    _ = try settleRefused(&loaded, reauthoring: false)
    let spans = try newSpans(of: &loaded, by: author, since: before)
    if !spans.isEmpty || loaded.document.waitingUpdateCount != before.pendingCount {
      try store(spans, of: &loaded, since: before)
      note(patches, of: loaded, from: origin)
    }
    put(loaded)
    return result
  }

  /// What a document was before an edit.
  private struct Before {
    let vector: VersionVector
    let eventCount: Int
    let scalarCount: Int
    let pendingCount: Int

    init(_ loaded: LoadedDocument) {
      vector = loaded.vector
      eventCount = loaded.document.eventCount
      scalarCount = loaded.document.scalarCount
      pendingCount = loaded.document.waitingUpdateCount
    }

    /// Of a document without events it is not known whether it is in the file.
    func isUnchanged(_ loaded: LoadedDocument) -> Bool {
      eventCount > 0 && loaded.document.eventCount == eventCount
        && loaded.document.waitingUpdateCount == pendingCount
    }
  }

  private func newSpans(of loaded: inout LoadedDocument, by author: ReplicaID, since before: Before) throws
    -> [EventSpan]
  {
    loaded.vector = loaded.document.versionVector
    let spans = SpanSet(from: before.vector, to: loaded.vector).spans
    for span in spans where span.replica != author { try recordForeignAuthor(span.replica) }
    return spans
  }

  private func store(_ spans: [EventSpan], of loaded: inout LoadedDocument, since before: Before) throws {
    let single = spans.count == 1 ? loaded.document.update(of: spans[0]) : nil
    let update = single ?? loaded.document.update(since: before.vector)
    if !update.isEmpty { try append(update, to: &loaded) }
    let growth = loaded.document.scalarCount - before.scalarCount
    for span in spans {
      try addToOutbox(span, of: loaded.id)
      // Of n events that made a text longer by g, (n + g) / 2 were insertions, unless others deleted the
      // same.
      let inserted = spans.count == 1 ? min(max(0, (span.seqs.count + growth) / 2), span.seqs.count) : 0
      let deleted = spans.count == 1 ? span.seqs.count - inserted : 0
      try addHistory(span, of: loaded.id, inserted: inserted, deleted: deleted)
    }
    if loaded.document.waitingUpdateCount != before.pendingCount {
      // What waits is in snapshots, and in no update of what is known.
      try saveAnew(&loaded)
    } else {
      try save(&loaded)
    }
  }

  // MARK: History

  /// Edits that follow each other within this many milliseconds are one stretch of history.
  static let stretch: UInt64 = 30_000

  /// Notes events that were written here.
  private func addHistory(_ span: EventSpan, of document: Int64, inserted: Int, deleted: Int) throws {
    let now = Int64(bitPattern: options.now())
    try db.run(
      """
      UPDATE history SET "end" = ?, ended = ?, inserted = inserted + ?, deleted = deleted + ?
      WHERE document = ? AND replica = ? AND "end" = ? AND origin = ? AND ended BETWEEN ? AND ?
      """,
      [
        Int64(span.seqs.upperBound), now, inserted, deleted, document, span.replica.stored,
        Int64(span.seqs.lowerBound), HistoryEntry.Origin.edit.rawValue, now - Int64(Self.stretch), now,
      ])
    guard db.changesCount == 0 else { return }
    let entry = HistoryEntry(
      span: span, origin: .edit, time: 0...0, subject: nil, cursor: nil, inserted: inserted, deleted: deleted)
    try insertHistory(entry, of: document, began: now, ended: now)
  }

  /// Adds a row of history.
  func insertHistory(_ entry: HistoryEntry, of document: Int64, began: Int64, ended: Int64) throws {
    try db.run(
      """
      INSERT INTO history (document, replica, first, "end", origin, began, ended, inserted, deleted)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        document, entry.span.replica.stored, Int64(entry.span.seqs.lowerBound),
        Int64(entry.span.seqs.upperBound), entry.origin.rawValue, began, ended, entry.inserted, entry.deleted,
      ])
  }

  // MARK: Seeding and local values

  /// Makes a document that began as `text`, unless it is there.
  func seed(_ name: DocumentName, in room: RoomName, with text: String) throws {
    let lineage = TextDocument.lineage(ofSeed: text)
    let key = DocumentKey(name: name, lineage: lineage)
    if let current = try currentID(name, in: room) {
      let existing = try loaded(current)
      if existing.key.lineage == lineage, existing.document.eventCount > 0 || lineage == .blank { return }
      guard try mayTakeName(from: current) || existing.key.lineage == lineage else {
        throw ReplicaError.lineageClash(existing: existing.key.lineage)
      }
    }
    let id = try documentID(key, in: room) ?? makeDocument(key, in: room)
    guard lineage != .blank else { return }
    var loaded = try take(id)
    if loaded.document.eventCount == 0 {
      let seeded = TextDocument(seed: text)
      let update = seeded.update(since: VersionVector())
      let patches: [TextPatch]
      do { patches = try loaded.document.apply(update) } catch {
        throw ReplicaError.damaged(.init(error, in: "documents", row: id))
      }
      loaded.vector = loaded.document.versionVector
      try append(update, to: &loaded)
      let now = Int64(bitPattern: options.now())
      for span in update.spans {
        try recordForeignAuthor(span.replica)
        try addToOutbox(span, of: id)
        let entry = HistoryEntry(
          span: span, origin: .seed, time: 0...0, subject: nil, cursor: nil, inserted: span.seqs.count,
          deleted: 0)
        try insertHistory(entry, of: id, began: now, ended: now)
      }
      try save(&loaded)
      note(patches, of: loaded, from: .edit)
    }
    put(loaded)
  }

  func localValue(_ key: String, of document: Int64) throws -> [UInt8]? {
    try db.row("SELECT value FROM local_values WHERE document = ? AND key = ?", [document, key])?.bytes(0)
  }

  func setLocalValue(_ value: [UInt8]?, for key: String, of document: Int64) throws {
    if let value {
      try db.run(
        "INSERT OR REPLACE INTO local_values (document, key, value) VALUES (?, ?, ?)",
        [document, key, Data(value)])
    } else {
      try db.run("DELETE FROM local_values WHERE document = ? AND key = ?", [document, key])
    }
  }
}
