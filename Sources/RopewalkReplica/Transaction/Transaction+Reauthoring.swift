import GRDB
import RopewalkCore
import RopewalkSync

extension Transaction {
  /// The way out of an id clash: the events from `event` on that are known here, and that the room's log
  /// has not got, go on under another id, which is the same for everybody who has them.
  ///
  /// Throws `idClash`, and changes nothing, if others may know the event from the room's log. Returns what
  /// changes in the text: events at one place are ordered by id.
  ///
  /// What follows these events keeps its ids, and has other parents from now on: none of it was pushed before
  /// them, and whoever else has it does the same.
  ///
  /// - Parameter entry: the log's entry that contradicts them, which counts for everybody. Without one they
  ///   must not have left this device.
  func reauthor(_ loaded: inout LoadedDocument, from event: EventID, for entry: EventSpan?) throws
    -> [TextPatch]
  {
    let count = loaded.document.versionVector[event.replica]
    guard event.seq < count, try mayMakeWay(event, in: loaded.id, for: entry) else {
      throw ReplicaError.idClash(event)
    }
    reauthored.append(
      ReauthoredEvents(room: loaded.room, key: loaded.key, eventCount: Int(count - event.seq)))
    return try rename(event, as: try anotherID(for: event, in: loaded), in: &loaded)
  }

  /// Gives the events from `event` on another id, here and in what is kept about them.
  func rename(_ event: EventID, as fresh: ReplicaID, in loaded: inout LoadedDocument) throws -> [TextPatch] {
    try noteRenaming(Renaming(event: event, fresh: fresh), of: loaded.id)
    return try move(event, to: EventID(replica: fresh, seq: 0), in: &loaded)
  }

  /// Calls the events from `event` on those from `new` on, of which none is known; all before it are.
  func move(_ event: EventID, to new: EventID, in loaded: inout LoadedDocument) throws -> [TextPatch] {
    let count = loaded.document.versionVector[event.replica]
    let old = loaded.document.utf8
    let logged = try logged(after: event, count, in: loaded)
    loaded.document = loaded.document.reauthoring(event.replica, from: event.seq, as: new.replica)
    if try hasWritten(as: event.replica) { try recordForeignAuthor(new.replica) }
    try retire(event.replica)
    try moveOutbox(from: event, to: new, count: count - event.seq, of: loaded.id)
    try moveHistory(from: event, to: new, of: loaded.id, loaded.document)
    try moveMoments(from: event, to: new, of: loaded.id)
    for (cursor, payload) in logged { try wait(payload, at: cursor, of: loaded.id, in: loaded.roomID) }
    try recutOutbox(of: loaded)
    try saveAnew(&loaded)
    return TextPatch.difference(from: old, to: loaded.document.utf8).map { [$0] } ?? []
  }

  /// What the log has of the later events under the id stays that, wherever the events before it go: it waits
  /// for what the log gets in their place.
  private func logged(after event: EventID, _ count: UInt32, in loaded: LoadedDocument) throws
    -> [(cursor: Int64, payload: [UInt8])]
  {
    let rows = try db.rows(
      """
      SELECT e.cursor, e.replica, e.first, e."end" FROM entries e
      WHERE e.document = ?1 AND e.replica = ?2 AND e.first > ?3 AND e.first < ?4
        AND NOT EXISTS (SELECT 1 FROM held h WHERE h.room = e.room AND h.cursor = e.cursor)
      """, [loaded.id, event.replica.stored, Int64(event.seq), Int64(count)])
    return try rows.compactMap { row in
      // Without the events, it contradicts them, and is not merged here.
      guard let update = loaded.document.update(of: try row.span(1)) else { return nil }
      return (try row.integer(0), update.bytes)
    }
  }

  /// An id that follows from the first event under the old one: whoever else has that event, of another
  /// file or from a log that is gone, arrives at the same, so that what both have is not there twice.
  private func anotherID(for event: EventID, in loaded: LoadedDocument) throws -> ReplicaID {
    let document = loaded.document
    guard let derived = document.derivedID(for: event) else { throw ReplicaError.idClash(event) }
    guard try !hasWritten(as: derived), document.versionVector[derived] == 0,
      try derivation(of: event, in: loaded.id) < Self.longestDerivation
    else { return try drawAuthor() }
    return derived
  }

  /// Others may know the event if the log holds it in another entry than the one that contradicts it.
  private func mayMakeWay(_ event: EventID, in document: Int64, for entry: EventSpan?) throws -> Bool {
    if try isUnsent(event, in: document) { return true }
    guard let entry else { return false }
    let one = EventSpan(replica: event.replica, seqs: event.seq..<event.seq + 1)
    return try logSpans(of: document, overlapping: one).allSatisfy { $0 == entry }
  }

  /// The relay takes nothing of ours under the id of an entry, since it is somebody else's.
  func disown(_ header: EntryHeader, in room: RoomName) throws {
    guard let document = try documentID(header.document, in: room) else { return }
    let first = EventID(replica: header.span.replica, seq: header.span.seqs.lowerBound)
    guard try isUnsent(first, in: document) else { return }
    var loaded: LoadedDocument
    do { loaded = try take(document) } catch ReplicaError.damaged {
      return try db.run(
        "UPDATE outbox SET state = ? WHERE document = ? AND replica = ?",
        [OutboxState.unreadable.rawValue, document, first.replica.stored])
    }
    defer { put(loaded) }
    var patches = try reauthor(&loaded, from: first, for: nil)
    patches += try releaseWaiting(into: &loaded) ?? []
    loaded.vector = loaded.document.versionVector
    try save(&loaded)
    note(patches, of: loaded, from: .relay)
  }

  /// Gives what is here under the ids of an entry, and nobody can have from the log, to another id: the entry
  /// holds the ids, whether it can be merged or not.
  func makeWay(for entry: EventSpan, in loaded: inout LoadedDocument) throws -> [TextPatch] {
    let end = min(entry.seqs.upperBound, loaded.document.versionVector[entry.replica])
    guard entry.seqs.lowerBound < end else { return [] }
    let span = EventSpan(replica: entry.replica, seqs: entry.seqs.lowerBound..<end)
    var free = SpanSet()
    free.insert(span)
    for logged in try logSpans(of: loaded.id, overlapping: span) where logged != entry { free.remove(logged) }
    let unsent = try db.row(
      """
      SELECT min(max(first, ?3)) FROM outbox
      WHERE document = ?1 AND replica = ?2 AND first < ?4 AND "end" > ?3 AND acknowledged IS NULL
      """, [loaded.id, span.replica.stored, Int64(span.seqs.lowerBound), Int64(end)])
    let first = [
      free.spans.first?.seqs.lowerBound, try unsent?.optionalInteger(0).map { UInt32(clamping: $0) },
    ].compactMap { $0 }.min()
    guard let first else { return [] }
    return try reauthor(&loaded, from: EventID(replica: span.replica, seq: first), for: entry)
  }

  /// Where the log holds something under the ids of a span, what is here under them goes on under others: it is
  /// not what the log holds, which would have been taken out of the outbox.
  func makeWay(for span: EventSpan, of document: Int64) throws {
    guard let entry = try logSpans(of: document, overlapping: span).first else { return }
    var loaded = try take(document)
    defer { put(loaded) }
    let first = EventID(replica: span.replica, seq: max(span.seqs.lowerBound, entry.seqs.lowerBound))
    do {
      var patches = try reauthor(&loaded, from: first, for: entry)
      try letHeldWait(entry, of: loaded)
      patches += try releaseWaiting(into: &loaded) ?? []
      loaded.vector = loaded.document.versionVector
      try save(&loaded)
      note(patches, of: loaded, from: .relay)
    } catch ReplicaError.idClash { return }
  }

  /// What was kept aside of an entry may be merged when nothing contradicts it any more.
  private func letHeldWait(_ entry: EventSpan, of loaded: LoadedDocument) throws {
    let row = try db.row(
      """
      SELECT h.cursor, h.payload FROM held h JOIN entries e ON e.room = h.room AND e.cursor = h.cursor
      WHERE e.document = ? AND e.replica = ? AND e.first = ? AND e."end" = ?
        AND h.kind <> ?
      """,
      [
        loaded.id, entry.replica.stored, Int64(entry.seqs.lowerBound), Int64(entry.seqs.upperBound),
        HeldKind.inExcess.rawValue,
      ])
    guard let row, let update = try? Update(bytes: try row.bytes(1)), update.spans == [entry] else { return }
    try wait(update.bytes, at: try row.integer(0), of: loaded.id, in: loaded.roomID)
  }

  /// The log's entries that hold some of a span, and parts of a checkpoint, ascending.
  func logSpans(of document: Int64, overlapping span: EventSpan) throws -> [EventSpan] {
    try db.rows(
      """
      SELECT replica, first, "end" FROM entries WHERE document = ?1 AND replica = ?2 AND first < ?4 AND "end" > ?3
      UNION SELECT replica, first, "end" FROM checkpoint_spans
        WHERE document = ?1 AND replica = ?2 AND first < ?4 AND "end" > ?3
      ORDER BY 2
      """,
      [
        document, span.replica.stored, Int64(span.seqs.lowerBound), Int64(span.seqs.upperBound),
      ]
    ).map { try $0.span(0) }
  }

  /// What was fixed with parents that have other ids now is cut anew.
  private func recutOutbox(of loaded: LoadedDocument) throws {
    let rows = try db.rows(
      """
      SELECT id, replica, first, "end", cut FROM outbox
      WHERE document = ? AND cut IS NOT NULL AND acknowledged IS NULL
      """, [loaded.id])
    for row in rows {
      let span = try row.span(1)
      if try loaded.document.update(of: span)?.bytes == row.bytes(4) { continue }
      try db.run("DELETE FROM outbox WHERE id = ?", [try row.integer(0)])
      try insertIntoOutbox(span, of: loaded.id)
    }
  }

  /// Whether an event is in the outbox, and the relay has not acknowledged it.
  func isUnsent(_ event: EventID, in document: Int64) throws -> Bool {
    try db.row(
      """
      SELECT 1 FROM outbox
      WHERE document = ? AND replica = ? AND first <= ? AND "end" > ? AND acknowledged IS NULL
      """,
      [document, event.replica.stored, Int64(event.seq), Int64(event.seq)]) != nil
  }

  private func moveOutbox(from event: EventID, to new: EventID, count: UInt32, of document: Int64) throws {
    try removeFromOutbox(EventSpan(replica: event.replica, seqs: event.seq..<event.seq + count), of: document)
    try db.run(
      "UPDATE outbox SET state = 0 WHERE document = ? AND replica = ?", [document, event.replica.stored])
    try addToOutbox(EventSpan(replica: new.replica, seqs: new.seq..<new.seq + count), of: document)
  }

  private func moveHistory(from event: EventID, to new: EventID, of document: Int64, _ text: TextDocument)
    throws
  {
    let (replica, seq) = (event.replica.stored, Int64(event.seq))
    let (fresh, first) = (new.replica.stored, Int64(new.seq))
    // A stretch that begins before the event is split.
    let split = try db.rows(
      """
      SELECT id, "end", inserted, deleted FROM history
      WHERE document = ? AND replica = ? AND first < ? AND "end" > ?
      """, [document, replica, seq, seq])
    for row in split {
      let end = first + (try row.integer(1)) - seq
      var growth: (inserted: Int, deleted: Int) = (0, 0)
      if let last = UInt32(exactly: end), last > new.seq {
        growth = text.growth(of: EventSpan(replica: new.replica, seqs: new.seq..<last))
      }
      let inserted = min(Int64(growth.inserted), try row.integer(2))
      let deleted = min(Int64(growth.deleted), try row.integer(3))
      try db.run(
        """
        INSERT INTO history (document, replica, first, "end", origin, began, ended, inserted, deleted)
        SELECT document, ?, ?, ?, origin, ended, ended, ?, ? FROM history WHERE id = ?
        """, [fresh, first, end, inserted, deleted, try row.integer(0)])
      try db.run(
        "UPDATE history SET inserted = inserted - ?, deleted = deleted - ? WHERE id = ?",
        [inserted, deleted, try row.integer(0)])
    }
    try db.run(
      #"UPDATE history SET "end" = ? WHERE document = ? AND replica = ? AND first < ? AND "end" > ?"#,
      [seq, document, replica, seq, seq])
    try db.run(
      """
      UPDATE history SET replica = ?1, first = first - ?5 + ?2, "end" = "end" - ?5 + ?2
      WHERE document = ?3 AND replica = ?4 AND first >= ?5
      """, [fresh, first, document, replica, seq])
  }
}

extension TextDocument {
  /// How many scalars a span's events insert and how many they delete; nothing if it is not known whole.
  func growth(of span: EventSpan) -> (inserted: Int, deleted: Int) {
    guard let update = update(of: span), let text = try? update.insertedBytes() else { return (0, 0) }
    let inserted = text.count { $0 & 0xc0 != 0x80 }
    return (inserted, max(0, span.seqs.count - inserted))
  }

  /// The id under which an event and what follows it under its id go on. What it follows plays no part: that may have
  /// got another id already, or will.
  func derivedID(for event: EventID) -> ReplicaID? { derivedIDs(for: event, count: 1).first }

  /// The ids under which an event goes on, if somebody else has each of them in turn.
  func derivedIDs(for event: EventID, count: Int) -> [ReplicaID] {
    let span = EventSpan(replica: event.replica, seqs: event.seq..<event.seq + 1)
    guard let update = update(of: span), let text = try? update.insertedBytes() else { return [] }
    var ids: [ReplicaID] = []
    var next = event
    for _ in 0..<count {
      var writer = ByteWriter()
      writer.fixed64(next.replica.rawValue)
      writer.varint(UInt64(next.seq))
      let hash = PayloadHash(of: writer.bytes + text).bytes
      ids.append(ReplicaID(rawValue: hash.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }))
      next = EventID(replica: ids[ids.count - 1], seq: 0)
    }
    return ids
  }
}
