import GRDB
import RopewalkCore
import RopewalkSync

extension Transaction {
  private static let statusColumns = """
    SELECT r.name, d.name, d.lineage, d.is_current, d.version, d.events, d.scalars,
      (SELECT coalesce(sum(o."end" - o.first), 0) FROM outbox o
        WHERE o.document = d.id AND o.acknowledged IS NULL)
    FROM documents d JOIN rooms r ON r.id = d.room
    """

  func documents(in room: RoomName?) throws -> [DocumentStatus] {
    let rows =
      if let room {
        try db.rows(
          Self.statusColumns + " WHERE r.name = ? ORDER BY r.name, d.name, d.lineage", [room.text])
      } else {
        try db.rows(Self.statusColumns + " ORDER BY r.name, d.name, d.lineage")
      }
    return try rows.map(Self.status)
  }

  func status(of document: Int64) throws -> DocumentStatus {
    guard let row = try db.row(Self.statusColumns + " WHERE d.id = ?", [document]) else {
      throw ReplicaError.noSuchDocument
    }
    return try Self.status(row)
  }

  private static func status(_ row: Row) throws -> DocumentStatus {
    guard let room = RoomName(try row.string(0)), let name = DocumentName(try row.string(1)),
      let version = try? Version(encoded: try row.bytes(4))
    else {
      throw ReplicaError.damaged(
        .init(place: "documents", problem: "a name or a version cannot be read"))
    }
    return DocumentStatus(
      room: room, key: DocumentKey(name: name, lineage: Lineage(rawValue: try row.unsigned(2))),
      isCurrent: try row.flag(3), version: version, eventCount: Int(try row.integer(5)),
      scalarCount: Int(try row.integer(6)), unsentEventCount: Int(try row.integer(7)))
  }

  // MARK: History

  /// Who wrote what and when: the log's entries, what a checkpoint held in place of them, and what was
  /// written or merged here, which knows the time better.
  func history(of document: Int64) throws -> [HistoryEntry] {
    let entries = try db.rows(
      """
      SELECT replica, first, "end", cursor, subject, time, inserted, deleted FROM entries
      WHERE document = ? ORDER BY cursor
      """, [document]
    ).map { row in
      let time = try row.optionalInteger(5).map { UInt64(bitPattern: $0) } ?? 0
      return HistoryEntry(
        span: try row.span(0), origin: .relay, time: time...time, subject: try row.optionalString(4),
        cursor: try row.unsigned(3), inserted: Int(try row.integer(6)), deleted: Int(try row.integer(7)))
    }
    let parts = try db.rows(
      """
      SELECT replica, first, "end", cursor, subject, time FROM checkpoint_spans
      WHERE document = ? ORDER BY time, replica, first
      """, [document]
    ).map { row in
      let time = try row.optionalInteger(5).map { UInt64(bitPattern: $0) } ?? 0
      return HistoryEntry(
        span: try row.span(0), origin: .checkpoint, time: time...time, subject: try row.optionalString(4),
        cursor: try row.unsigned(3), inserted: 0, deleted: 0)
    }
    let entriesByReplica = Dictionary(grouping: entries) { $0.span.replica }
    var known = SpanSet()
    var result: [HistoryEntry] = []
    let rows = try db.rows(
      """
      SELECT replica, first, "end", origin, began, ended, inserted, deleted FROM history
      WHERE document = ? ORDER BY id
      """, [document])
    for row in rows {
      var entry = try Self.historyEntry(row)
      // By cursor: the first entry that has the stretch's last event says who pushed it.
      let last = entry.span.seqs.upperBound - 1
      let pushed = entriesByReplica[entry.span.replica]?.first { $0.span.seqs.contains(last) }
      entry.subject = pushed?.subject
      entry.cursor = pushed?.cursor
      known.insert(entry.span)
      result.append(entry)
    }
    for entry in entries + parts {
      var rest = SpanSet()
      rest.insert(entry.span)
      for span in rest.subtracting(known).spans {
        var part = entry
        part.span = span
        result.append(part)
      }
    }
    return result.sorted { ($0.time.upperBound, $0.cursor ?? .max) < ($1.time.upperBound, $1.cursor ?? .max) }
  }

  private static func historyEntry(_ row: Row) throws -> HistoryEntry {
    guard let origin = HistoryEntry.Origin(rawValue: Int(try row.integer(3))), origin != .checkpoint else {
      throw ReplicaError.damaged(.init(place: "history", problem: "an origin that does not exist"))
    }
    let (began, ended) = (try row.unsigned(4), try row.unsigned(5))
    return HistoryEntry(
      span: try row.span(0), origin: origin, time: began...max(began, ended), subject: nil, cursor: nil,
      inserted: Int(try row.integer(6)), deleted: Int(try row.integer(7)))
  }

  // MARK: Receipts

  func receipts(of document: Int64) throws -> Receipts {
    let authors = try authors()
    let own = SpanSet(try loaded(document).vector).spans.filter { authors.contains($0.replica) }
    var receipts = Receipts(onThisDevice: [], atRelay: [])
    let rows = try db.rows(
      """
      SELECT replica, first, "end", cursor FROM entries WHERE document = ?1
      UNION SELECT replica, first, "end", acknowledged FROM outbox
        WHERE document = ?1 AND acknowledged IS NOT NULL
      ORDER BY 4
      """, [document])
    var stored = SpanSet()
    for row in rows {
      let span = try row.span(0)
      guard authors.contains(span.replica) else { continue }
      stored.insert(span)
      receipts.atRelay.append(Receipts.Stored(span: span, cursor: try row.unsigned(3)))
    }
    for span in own {
      var all = SpanSet()
      all.insert(span)
      receipts.onThisDevice += all.subtracting(stored).spans
    }
    receipts.reauthored = try renamings(of: document).filter { authors.contains($0.event.replica) }.map {
      Receipts.Reauthored(event: $0.event, replica: $0.fresh)
    }
    let known = try loaded(document)
    for (span, reason) in try refusedSpans(of: document) where authors.contains(span.replica) {
      receipts.refused.append(RefusedEvents(room: known.room, key: known.key, span: span, reason: reason))
    }
    return receipts
  }
}
