import GRDB
import RopewalkCore

extension Transaction {
  /// Takes refused events out of a document, and what follows them: nobody else has these. Returns what was
  /// taken out.
  func discardRefused(of id: Int64) throws -> [EventSpan] {
    let refused = try refusedSpans(of: id).filter { $0.reason == .forbidden || $0.reason == .tooLarge }
    guard !refused.isEmpty else { return [] }
    var loaded = try take(id)
    let unsent = try unsentSpans(of: id)
    let removable = removable(refused.map { $0.span }, of: loaded.document, unsent: unsent)
    let kept = loaded.document.versionVector(without: removable)
    let discarded = SpanSet(from: kept, to: loaded.vector).spans
    guard !discarded.isEmpty, let reduced = loaded.document.reduced(to: kept) else {
      put(loaded)
      return []
    }
    let old = loaded.document.utf8
    loaded.document = reduced
    loaded.vector = kept
    for span in discarded {
      try removeFromOutbox(span, of: id)
      try removeFromHistory(span, of: id)
      // Somebody may have the events all the same: their numbers are never given to others.
      try retire(span.replica)
    }
    _ = try releaseWaiting(into: &loaded)
    loaded.vector = loaded.document.versionVector
    try saveAnew(&loaded)
    note(
      TextPatch.difference(from: old, to: loaded.document.utf8).map { [$0] } ?? [], of: loaded,
      from: .discarding)
    put(loaded)
    // What waited for them may go.
    outboxGrew = true
    return discarded
  }

  private func unsentSpans(of document: Int64) throws -> SpanSet {
    var spans = SpanSet()
    let rows = try db.rows(
      #"SELECT replica, first, "end" FROM outbox WHERE document = ? AND acknowledged IS NULL"#, [document])
    for row in rows { spans.insert(try row.span(0)) }
    return spans
  }

  /// The spans on which nothing builds that has left this device.
  private func removable(_ spans: [EventSpan], of document: TextDocument, unsent: SpanSet) -> [EventSpan] {
    let whole = document.versionVector
    func isFree(_ spans: [EventSpan]) -> Bool {
      SpanSet(from: document.versionVector(without: spans), to: whole).subtracting(unsent).isEmpty
    }
    return isFree(spans) ? spans : spans.filter { isFree([$0]) }
  }

  private func removeFromHistory(_ span: EventSpan, of document: Int64) throws {
    let (replica, first) = (span.replica.stored, Int64(span.seqs.lowerBound))
    try db.run(
      "DELETE FROM history WHERE document = ? AND replica = ? AND first >= ?", [document, replica, first])
    try db.run(
      #"UPDATE history SET "end" = ? WHERE document = ? AND replica = ? AND "end" > ?"#,
      [first, document, replica, first])
  }
}
