import Foundation
import GRDB
import RopewalkCore
import RopewalkSync

/// What became of updates that had waited in a document and turned out to contradict it.
struct SettledRefusals {
  var patches: [TextPatch] = []
  /// Entries of the log that were kept aside.
  var held: [UInt64] = []
  /// Whether the document has changed.
  var hasChanged = false
}

extension Transaction {
  /// Looks at updates that had waited in a document and could not be merged when their turn came. Own
  /// events that nobody else has make way for them, as for any entry; what cannot be merged for all that is
  /// kept aside.
  ///
  /// - Parameters:
  ///   - reauthoring: whether own events may be given to another id.
  ///   - before: what was known before a file was merged: what came with that makes way for what the log has.
  func settleRefused(
    _ loaded: inout LoadedDocument, reauthoring: Bool, since before: VersionVector? = nil
  ) throws -> SettledRefusals {
    var settled = SettledRefusals()
    while true {
      let refused = loaded.document.takeRefusedUpdates()
      if refused.isEmpty { return settled }
      for item in refused where try !(reauthoring && makeWay(for: item, in: &loaded, since: before, &settled))
      {
        let cursor = try hold(item.update, item.error, of: loaded)
        if cursor > 0 { settled.held.append(UInt64(cursor)) }
      }
    }
  }

  /// Whether the update could be merged after own events were given to a fresh id.
  private func makeWay(
    for refused: RefusedUpdate, in loaded: inout LoadedDocument, since before: VersionVector?,
    _ settled: inout SettledRefusals
  ) throws -> Bool {
    guard case .idClash(let event) = refused.error else { return false }
    var entry: EventSpan?
    if let before, event.seq >= before[event.replica], refused.update.spans.count == 1 {
      let span = refused.update.spans[0]
      entry = try logSpans(of: loaded.id, overlapping: span).first { $0 == span }
    }
    do {
      settled.patches += try reauthor(&loaded, from: event, for: entry)
    } catch ReplicaError.idClash { return false }
    settled.hasChanged = true
    do throws(ApplyError) {
      settled.patches += try loaded.document.apply(refused.update)
    } catch { return false }
    // It was folded away with the snapshot that was just written.
    try append(refused.update, to: &loaded)
    return true
  }

  /// Keeps an update aside under its entry's cursor; one that is not from the log, under a number below 0.
  /// What is kept already is not kept twice.
  func hold(_ update: Update, _ error: ApplyError, of loaded: LoadedDocument) throws -> Int64 {
    let cursor = try entry(of: update, for: loaded)
    let place: Int64
    if let cursor {
      let same = try db.row(
        "SELECT 1 FROM held WHERE room = ? AND cursor = ? AND payload = ?",
        [loaded.roomID, cursor, Data(update.bytes)])
      if same != nil { return cursor }
      place = cursor
    } else {
      let (free, isKept) = try placeAside(update.bytes, in: loaded.roomID)
      if isKept { return free }
      place = free
    }
    let reason = "\(ReplicaError.Damage(error, in: "log", row: cursor))"
    try keepAside(update.bytes, as: .contradicts, at: place, in: loaded.roomID, because: reason)
    return place
  }

  /// The log's entry that an update which waited came with. An entry of the same events that is merged is
  /// another one.
  func entry(of update: Update, for loaded: LoadedDocument) throws -> Int64? {
    guard update.spans.count == 1, let span = update.spans.first else { return nil }
    let isMerged =
      try loaded.document.versionVector[span.replica] >= span.seqs.upperBound
      && !isUnsent(EventID(replica: span.replica, seq: span.seqs.lowerBound), in: loaded.id)
    if isMerged { return nil }
    return try db.row(
      #"SELECT cursor FROM entries WHERE document = ? AND replica = ? AND first = ? AND "end" = ?"#,
      [
        loaded.id, span.replica.stored, Int64(span.seqs.lowerBound), Int64(span.seqs.upperBound),
      ])?.integer(0)
  }

  /// What was kept aside in a room, or in all of them, and what waits in documents.
  func heldEntries(in room: RoomName?) throws -> [HeldEntry] {
    var held = try db.rows(
      """
      SELECT r.name, h.cursor, d.name, d.lineage, e.subject, h.reason, length(h.payload)
      FROM held h JOIN rooms r ON r.id = h.room
      LEFT JOIN entries e ON e.room = h.room AND e.cursor = h.cursor LEFT JOIN documents d ON d.id = e.document
      WHERE ?1 IS NULL OR r.name = ?1 ORDER BY r.name, h.cursor
      """, [room?.text]
    ).map { row in
      guard let room = RoomName(try row.string(0)) else {
        throw ReplicaError.damaged(.init(place: "rooms", problem: "the name breaks the rule"))
      }
      var key: DocumentKey?
      if let name = try row.optionalString(2).flatMap({ DocumentName($0) }) {
        key = DocumentKey(name: name, lineage: Lineage(rawValue: try row.unsigned(3)))
      }
      let cursor = try row.integer(1)
      return HeldEntry(
        room: room, key: key, cursor: cursor > 0 ? UInt64(cursor) : nil, subject: try row.optionalString(4),
        reason: try row.string(5), byteCount: Int(try row.integer(6)))
    }
    let documents = try db.rows(
      """
      SELECT d.id FROM documents d JOIN rooms r ON r.id = d.room
      WHERE d.waiting > 0 AND (?1 IS NULL OR r.name = ?1) ORDER BY d.id
      """, [room?.text])
    for row in documents {
      // Of one that cannot be read, that is known elsewhere.
      do { held += try waitingEntries(of: loaded(try row.integer(0))) } catch ReplicaError.damaged {
        continue
      }
    }
    return held.sorted { ($0.room, $0.cursor ?? 0) < ($1.room, $1.cursor ?? 0) }
  }

  /// What waits in a document for events that nobody has sent.
  private func waitingEntries(of loaded: LoadedDocument) throws -> [HeldEntry] {
    try loaded.document.waitingUpdates.map { update in
      var entry = HeldEntry(
        room: loaded.room, key: loaded.key, reason: Self.waits, byteCount: update.bytes.count)
      guard update.spans.count == 1, let span = update.spans.first else { return entry }
      let row = try db.row(
        """
        SELECT cursor, subject FROM entries
          WHERE document = ?1 AND replica = ?2 AND first = ?3 AND "end" = ?4
        UNION ALL SELECT cursor, subject FROM checkpoint_spans
          WHERE document = ?1 AND replica = ?2 AND first = ?3 AND "end" = ?4
        """,
        [
          loaded.id, span.replica.stored, Int64(span.seqs.lowerBound), Int64(span.seqs.upperBound),
        ])
      entry.cursor = try row?.unsigned(0)
      entry.subject = try row?.optionalString(1)
      return entry
    }
  }
}
