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
  /// Entries that the relay has acknowledged are left out, and so are those that follow events that it has
  /// not got and does not get before (`pushableEnd`), and documents that wait (`waitingDocuments`).
  ///
  /// - Parameters:
  ///   - maximumBytes: about how large an entry is cut that was not fixed yet.
  ///   - largest: what the relay takes. It has never taken a larger entry, which is cut anew, unless it is a
  ///     single event.
  ///   - going: entries that are in flight, and are taken unless an answer says otherwise.
  ///   - excluding: entries that are not pushed now, nor taken: they were refused over this connection, or
  ///     were sent after one that was.
  func cuts(
    in room: RoomName, maximumBytes: Int, largest: Int, limit: Int, going: Set<Int64>,
    excluding: Set<Int64>
  ) throws -> [OutboxCut] {
    guard let roomID = try roomID(room) else { return [] }
    try permit(roomID, excluding)
    let waiting = try waitingDocuments(in: roomID)
    let bytes = (maximum: min(maximumBytes, largest), largest: largest)
    var orders: [Int64: OutboxOrder] = [:]
    var cuts: [OutboxCut] = []
    var last: Int64 = 0
    while cuts.count < limit {
      let page = try readyRows(of: roomID, after: last, limit: limit + 16)
      guard let end = try page.last?.integer(0) else { break }
      last = end
      for row in page where cuts.count < limit {
        let (id, document) = (try row.integer(0), try row.integer(1))
        if going.contains(id) || excluding.contains(id) || waiting.contains(document) { continue }
        var order = orders[document] ?? OutboxOrder(going: going)
        if let cut = try cut(row, bytes, &order) {
          order.go(id)
          cuts.append(cut)
        }
        orders[document] = order
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

  /// An entry as it is pushed, or its beginning: as it was fixed, if the relay takes that. Nil if it cannot go
  /// now.
  private func cut(_ row: Row, _ bytes: (maximum: Int, largest: Int), _ order: inout OutboxOrder) throws
    -> OutboxCut?
  {
    let (id, document, span) = (try row.integer(0), try row.integer(1), try row.span(2))
    guard let name = DocumentName(try row.string(5)) else { return nil }
    let key = DocumentKey(name: name, lineage: Lineage(rawValue: try row.unsigned(6)))
    do {
      let end = try pushableEnd(of: span, of: document, &order)
      if end == span.seqs.lowerBound { return nil }
      if let payload = try db.row("SELECT cut FROM outbox WHERE id = ?", [id])?.optionalBytes(0),
        payload.count <= bytes.largest || span.seqs.count == 1
      {
        guard end == span.seqs.upperBound else { return nil }
        return OutboxCut(id: id, header: EntryHeader(document: key, span: span), payload: payload)
      }
      // Whoever has a seed's text offers it, and the first owns it: in one piece it is all theirs, or all known.
      let isSeed = span.replica.rawValue == key.lineage.rawValue
      let maximum = isSeed ? bytes.largest : bytes.maximum
      if let update = try fix(id, span, upTo: end, of: document, maximumBytes: maximum) {
        return OutboxCut(
          id: id, header: EntryHeader(document: key, span: update.spans[0]), payload: update.bytes)
      }
    } catch ReplicaError.damaged {}
    try db.run("UPDATE outbox SET state = ? WHERE id = ?", [OutboxState.unreadable.rawValue, id])
    return nil
  }

  /// Fixes an entry; what does not fit, or cannot go yet, becomes another entry. Nil if the document lacks the
  /// events.
  private func fix(
    _ id: Int64, _ span: EventSpan, upTo bound: UInt32, of documentID: Int64, maximumBytes: Int
  ) throws -> Update? {
    let part = EventSpan(replica: span.replica, seqs: span.seqs.lowerBound..<bound)
    guard let update = Self.cut(part, of: try loaded(documentID).document, maximumBytes: maximumBytes) else {
      return nil
    }
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
