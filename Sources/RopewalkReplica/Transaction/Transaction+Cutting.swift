import Foundation
import GRDB
import RopewalkCore
import RopewalkSync

/// An update that is fixed in the outbox, and is pushed as it is until the relay answers.
package struct OutboxCut: Sendable {
  /// The outbox row. A row whose events or bytes change gets another number.
  package let id: Int64
  /// What it carries.
  package let header: EntryHeader
  /// The update.
  package let payload: [UInt8]
}

extension Transaction {
  /// The oldest outbox entries that may be pushed, fixed: their bytes do not change from now on, unless a
  /// relay does not take that many. For who may push to the room: what was not allowed before, now is.
  ///
  /// Entries that the relay has acknowledged are left out, and so are those that others hold back
  /// (`pushable`).
  ///
  /// - Parameters:
  ///   - maximumBytes: about how large an entry is cut that was not fixed yet.
  ///   - largest: what the relay takes. It has never taken a larger entry, which is cut anew, unless it is a
  ///     single event.
  ///   - excluding: entries that are in flight, or were refused over this connection.
  func cuts(in room: RoomName, maximumBytes: Int, largest: Int, limit: Int, excluding: Set<Int64>) throws
    -> [OutboxCut]
  {
    guard let roomID = try roomID(room) else { return [] }
    try permit(roomID, excluding)
    var cuts: [OutboxCut] = []
    var pushable: [Int64: VersionVector?] = [:]
    var last: Int64 = 0
    while cuts.count < limit {
      let page = try readyRows(of: roomID, after: last, limit: limit + 16)
      guard let end = try page.last?.integer(0) else { break }
      last = end
      for row in page where cuts.count < limit {
        let (id, document) = (try row.integer(0), try row.integer(1))
        if excluding.contains(id) { continue }
        let bound = try pushable[document] ?? self.pushable(of: document)
        pushable[document] = .some(bound)
        let span = try row.span(2)
        if let bound, bound[span.replica] < span.seqs.upperBound { continue }
        guard let name = DocumentName(try row.string(5)) else { continue }
        let key = DocumentKey(name: name, lineage: Lineage(rawValue: try row.unsigned(6)))
        let bytes = (min(maximumBytes, largest), largest)
        if let cut = try fixed(id, span, of: document, key, bytes) { cuts.append(cut) }
      }
    }
    return cuts
  }

  /// A page of the room's entries that wait for nothing but their turn.
  private func readyRows(of roomID: Int64, after last: Int64, limit: Int) throws -> [Row] {
    try db.rows(
      """
      SELECT o.id, o.document, o.replica, o.first, o."end", d.name, d.lineage
      FROM outbox o JOIN documents d ON d.id = o.document
      WHERE d.room = ? AND o.id > ? AND o.acknowledged IS NULL AND o.state = 0
      ORDER BY o.id LIMIT ?
      """, [roomID, last, limit])
  }

  /// Who may push now was not allowed to before.
  private func permit(_ roomID: Int64, _ excluding: Set<Int64>) throws {
    let rows = try db.rows(
      """
      SELECT o.id FROM outbox o JOIN documents d ON d.id = o.document
      WHERE d.room = ? AND o.state <> 0 AND o.state = ?
      """, [roomID, OutboxState.forbidden.rawValue])
    for row in rows {
      let id = try row.integer(0)
      if !excluding.contains(id) { try db.run("UPDATE outbox SET state = 0 WHERE id = ?", [id]) }
    }
  }

  /// An entry as it is pushed: as it was fixed, if the relay takes that.
  private func fixed(
    _ id: Int64, _ span: EventSpan, of document: Int64, _ key: DocumentKey,
    _ bytes: (maximum: Int, largest: Int)
  ) throws -> OutboxCut? {
    if let payload = try db.row("SELECT cut FROM outbox WHERE id = ?", [id])?.optionalBytes(0),
      payload.count <= bytes.largest || span.seqs.count == 1
    {
      return OutboxCut(id: id, header: EntryHeader(document: key, span: span), payload: payload)
    }
    guard let update = try fix(id, span, of: document, maximumBytes: bytes.maximum) else {
      try db.run("UPDATE outbox SET state = ? WHERE id = ?", [OutboxState.unreadable.rawValue, id])
      return nil
    }
    return OutboxCut(
      id: id, header: EntryHeader(document: key, span: update.spans[0]), payload: update.bytes)
  }

  /// Fixes an entry; what does not fit becomes another entry. Nil if the document cannot be read or lacks the
  /// events.
  private func fix(_ id: Int64, _ span: EventSpan, of documentID: Int64, maximumBytes: Int) throws -> Update?
  {
    let document: TextDocument
    do { document = try loaded(documentID).document } catch ReplicaError.damaged { return nil }
    guard let update = Self.cut(span, of: document, maximumBytes: maximumBytes) else { return nil }
    let end = update.spans[0].seqs.upperBound
    try db.run(
      #"UPDATE outbox SET "end" = ?, cut = ? WHERE id = ?"#, [Int64(end), Data(update.bytes), id])
    if end < span.seqs.upperBound {
      try insertIntoOutbox(
        EventSpan(replica: span.replica, seqs: end..<span.seqs.upperBound), of: documentID)
    }
    return update
  }

  /// The first events of a span, as many as about fill an update of a size. Nil if the document lacks them.
  private static func cut(_ span: EventSpan, of document: TextDocument, maximumBytes: Int) -> Update? {
    let first = span.seqs.lowerBound
    // An event that was typed takes about a byte; what takes less is found by doubling, what takes more by
    // its share.
    var count = min(UInt32(span.seqs.count), UInt32(clamping: max(1, maximumBytes)))
    var best: Update?
    while true {
      guard
        let update = document.update(of: EventSpan(replica: span.replica, seqs: first..<first + count)),
        update.spans.count == 1
      else { return best }
      if update.bytes.count > maximumBytes, count > 1 {
        if best != nil { return best }
        let fitting = Double(count) * Double(maximumBytes) / Double(update.bytes.count) * 0.95
        count = min(max(1, UInt32(fitting)), count - 1)
      } else {
        if count == span.seqs.count || update.bytes.count > maximumBytes / 2 { return update }
        best = update
        count = min(UInt32(span.seqs.count), count * 2)
      }
    }
  }
}
