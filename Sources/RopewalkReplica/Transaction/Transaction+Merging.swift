import Foundation
import GRDB
import RopewalkCore
import RopewalkSync

extension Transaction {
  /// Takes in what another replica has, of which `source` is a transaction that only reads.
  func merge(from source: Transaction) throws -> MergeReport {
    var report = MergeReport(gained: [], clashes: [])
    for room in try source.rooms() {
      let isNew = try roomID(room) == nil
      let roomID = try roomIDMakingIt(room)
      guard let sourceRoom = try source.roomID(room) else { continue }
      var ids: [Int64: Int64] = [:]
      // A name that is unknown here means what it means there.
      let documents = try source.db.rows(
        "SELECT id FROM documents WHERE room = ? ORDER BY is_current DESC, id", [sourceRoom])
      for row in documents {
        let sourceID = try row.integer(0)
        let other = try LoadedDocument(sourceID, in: source.db)
        let id = try documentID(other.key, in: room) ?? makeDocument(other.key, in: room)
        ids[sourceID] = id
        do throws(ReplicaError) {
          let gain = try merge(other, into: id, from: source)
          if gain > 0 {
            report.gained.append(MergeReport.Gain(room: room, key: other.key, eventCount: gain))
          }
        } catch .idClash(let event) {
          report.clashes.append(MergeReport.Clash(room: room, key: other.key, event: event))
        }
      }
      if isNew {
        try copyLog(of: sourceRoom, from: source, to: roomID, ids)
      }
      for id in ids.values.sorted() {
        try offerWhatLogLacks(of: id)
        try releaseWaiting(of: id)
      }
    }
    return report
  }

  private func releaseWaiting(of id: Int64) throws {
    var loaded = try take(id)
    defer { put(loaded) }
    guard let patches = try releaseWaiting(into: &loaded, isAnyNew: true) else { return }
    loaded.vector = loaded.document.versionVector
    try saveAnew(&loaded)
    note(patches, of: loaded, from: .file)
  }

  private func merge(_ other: LoadedDocument, into id: Int64, from source: Transaction) throws(ReplicaError)
    -> Int
  {
    try ReplicaError.mapping {
      var loaded = try take(id)
      defer { put(loaded) }
      let theirs = try source.renamings(of: other.id)
      var patches = try follow(theirs, in: &loaded)
      var (document, followed) = try source.following(try renamings(of: id), in: other)
      // What the log holds in excess stays with who wrote it, and so does what follows it: it would reach nobody else.
      let excess = try source.excess(of: other.id) + excess(of: id)
      if excess.contains(where: { document.eventCount(of: $0.replica) > $0.seqs.lowerBound }) {
        document = document.reduced(to: document.versionVector(without: excess)) ?? document
      }
      for renaming in theirs { try noteRenaming(renaming, of: id) }
      let before = loaded.document.versionVector
      let pendingBefore = loaded.document.pendingEventCount
      let waiting = try moveWaiting(outOf: &loaded)
      if loaded.document.eventCount == 0, loaded.document.pendingEventCount == 0 {
        // The whole value, so that what waits there waits here.
        loaded.document = document
        patches = TextPatch.difference(from: [], to: document.utf8).map { [$0] } ?? []
      } else {
        patches += try apply(document, from: other.id, to: &loaded)
      }
      for update in waiting { patches += try apply(waiting: update, to: &loaded) }
      patches += try makeWayForHeld(in: &loaded)
      patches += try settleRefused(&loaded, reauthoring: true, since: before).patches
      loaded.vector = loaded.document.versionVector
      let new = SpanSet(from: before, to: loaded.vector)
      guard !new.isEmpty || !patches.isEmpty || loaded.document.pendingEventCount != pendingBefore else {
        return 0
      }
      try saveAnew(&loaded)
      try copyHistory(of: other.id, from: source, to: id, only: new, after: followed, loaded.document)
      note(patches, of: loaded, from: .file)
      return new.spans.reduce(0) { $0 + $1.seqs.count }
    }
  }

  /// Applies all that the other has, so that an id that was used twice is noticed; and what waits there
  /// waits here.
  private func apply(_ other: TextDocument, from row: Int64, to loaded: inout LoadedDocument) throws
    -> [TextPatch]
  {
    var patches: [TextPatch] = []
    let update = other.update(since: VersionVector())
    while true {
      do throws(ApplyError) {
        patches += try loaded.document.apply(update)
        break
      } catch .idClash(let event) {
        patches += try reauthor(&loaded, from: event, for: nil)
      } catch { throw ReplicaError.damaged(.init(error, in: "documents", row: row)) }
    }
    for waiting in other.waitingUpdates { patches += try apply(waiting: waiting, to: &loaded) }
    return patches
  }

  private func apply(waiting update: Update, to loaded: inout LoadedDocument) throws -> [TextPatch] {
    do throws(ApplyError) { return try loaded.document.apply(update) } catch {
      _ = try hold(update, error, of: loaded)
      return []
    }
  }

  private func copyHistory(
    of sourceID: Int64, from source: Transaction, to id: Int64, only new: SpanSet,
    after renamings: [Renaming], _ text: TextDocument
  ) throws {
    for entry in try source.history(of: sourceID) {
      let spans = renamings.applied(to: entry.span).flatMap { new.intersection($0) }
      let isWhole = spans.count == 1 && spans[0].seqs.count == entry.span.seqs.count
      for span in spans {
        var part = entry
        part.span = span
        part.origin = entry.origin == .seed ? .seed : .file
        if !isWhole { (part.inserted, part.deleted) = text.growth(of: span) }
        try insertHistory(
          part, of: id, began: Int64(bitPattern: entry.time.lowerBound),
          ended: Int64(bitPattern: entry.time.upperBound))
      }
    }
  }

  /// Of a room that was unknown here, the place in the log is taken over.
  private func copyLog(of sourceRoom: Int64, from source: Transaction, to room: Int64, _ ids: [Int64: Int64])
    throws
  {
    guard
      let row = try source.db.row(
        "SELECT cursor, digest, needs_offer, checkpoint FROM rooms WHERE id = ?", [sourceRoom])
    else { return }
    try db.run(
      "UPDATE rooms SET cursor = ?, digest = ?, needs_offer = ?, checkpoint = ? WHERE id = ?",
      [try row.integer(0), Data(try row.bytes(1)), try row.integer(2), try row.integer(3), room])
    let entries = try source.db.rows(
      """
      SELECT document, replica, first, "end", cursor, subject, time, inserted, deleted FROM entries
      WHERE room = ?
      """, [sourceRoom])
    for entry in entries {
      guard let document = ids[try entry.integer(0)] else { continue }
      let span = try entry.span(1)
      try db.run(
        """
        INSERT INTO entries (room, cursor, document, replica, first, "end", subject, time, inserted, deleted)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
          room, try entry.integer(4), document, span.replica.stored, Int64(span.seqs.lowerBound),
          Int64(span.seqs.upperBound), try entry.optionalString(5), try entry.optionalInteger(6),
          try entry.integer(7), try entry.integer(8),
        ])
      try noteFirstCursor(try entry.unsigned(4), of: document)
    }
    let parts = try source.db.rows(
      """
      SELECT p.document, p.replica, p.first, p."end", p.cursor, p.subject, p.time FROM checkpoint_spans p
      JOIN documents d ON d.id = p.document WHERE d.room = ? ORDER BY d.first_cursor
      """, [sourceRoom])
    for part in parts {
      guard let document = ids[try part.integer(0)] else { continue }
      let span = try part.span(1)
      try db.run(
        """
        INSERT INTO checkpoint_spans (document, replica, first, "end", cursor, subject, time)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        [
          document, span.replica.stored, Int64(span.seqs.lowerBound), Int64(span.seqs.upperBound),
          try part.integer(4), try part.optionalString(5), try part.optionalInteger(6),
        ])
    }
    let firsts = try source.db.rows(
      "SELECT id, first_cursor FROM documents WHERE room = ? AND first_cursor IS NOT NULL", [sourceRoom])
    for row in firsts {
      guard let document = ids[try row.integer(0)] else { continue }
      let first = try row.integer(1)
      if first > 0 { try noteFirstCursor(UInt64(first), of: document) }
      try db.run(
        "UPDATE documents SET first_cursor = ? WHERE id = ? AND first_cursor IS NULL", [first, document])
    }
    let kept = try source.db.rows(
      "SELECT cursor, kind, reason, payload FROM held WHERE room = ?", [sourceRoom])
    for held in kept {
      try db.run(
        "INSERT INTO held (room, cursor, kind, reason, payload) VALUES (?, ?, ?, ?, ?)",
        [
          room, try held.integer(0), try held.integer(1), try held.string(2), Data(try held.bytes(3)),
        ])
    }
    let tips = try source.db.rows(
      """
      SELECT t.document, t.replica, t.since, t.until, t.subject FROM tips t
      JOIN documents d ON d.id = t.document WHERE d.room = ?
      """, [sourceRoom])
    for tip in tips {
      guard let document = ids[try tip.integer(0)] else { continue }
      try db.run(
        "INSERT INTO tips (document, replica, since, until, subject) VALUES (?, ?, ?, ?, ?)",
        [
          document, try tip.integer(1), try tip.integer(2), try tip.optionalInteger(3), try tip.string(4),
        ])
    }
  }
}
