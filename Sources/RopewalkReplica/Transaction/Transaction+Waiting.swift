import Foundation
import GRDB
import RopewalkCore
import RopewalkSync

// Entries of the log that follow events which are here, and which the log has not got as far as it was read.
//
// Nobody pushes anything before what it follows, so such an entry is of somebody who guesses others' ids and
// may push other events under them. Were it merged here, it would follow ours, and theirs everywhere else. It
// waits until the log has what it follows, whosever that is: among what was kept aside, from which it is taken
// by itself.
extension Transaction {
  /// `held.reason` of an entry that waits.
  static let waits = "it follows events that the room's log does not hold yet"

  /// Whether an entry follows events of the outbox.
  func mustWait(_ update: Update, in document: Int64) throws -> Bool {
    // The parts of a checkpoint come in no causal order.
    try !isTakingCheckpoint && unsentParent(of: update, in: document) != nil
  }

  /// An event of the outbox that an update follows; nil if it follows none.
  private func unsentParent(of update: Update, in document: Int64) throws -> EventID? {
    guard try db.row("SELECT 1 FROM outbox WHERE document = ? LIMIT 1", [document]) != nil,
      let parents = try? update.outerParents()
    else { return nil }
    return try parents.first { parent in
      try db.row(
        #"SELECT 1 FROM outbox WHERE document = ? AND replica = ? AND first <= ? AND "end" > ?"#,
        [document, parent.replica.stored, Int64(parent.seq), Int64(parent.seq)]) != nil
    }
  }

  /// Lets an entry of the log wait, which is noted already.
  func wait(_ payload: [UInt8], at cursor: Int64, of document: Int64, in roomID: Int64) throws {
    try keepAside(payload, as: .waits, at: cursor, in: roomID, because: Self.waits)
    state.waiting[document]?.release(cursor)
  }

  /// Before events come that no log has: entries that wait in the document, for events that it does not know,
  /// wait outside. Returns the waiting updates that did not come from the log.
  func moveWaiting(outOf loaded: inout LoadedDocument) throws -> [Update] {
    var others: [Update] = []
    for update in loaded.document.takeWaitingUpdates() {
      if let cursor = try entry(of: update, for: loaded) {
        try wait(update.bytes, at: cursor, of: loaded.id, in: loaded.roomID)
      } else {
        others.append(update)
      }
    }
    return others
  }

  /// Merges the entries whose wait is over; nil if no entry was released. O(log n) for each that is looked at:
  /// those whose events have left the outbox.
  ///
  /// - Parameter isAnyNew: the document may have got, otherwise than from the log, what an entry holds. Then all
  ///   are looked at.
  func releaseWaiting(into loaded: inout LoadedDocument, isAnyNew: Bool = false) throws -> [TextPatch]? {
    var patches: [TextPatch]?
    if isAnyNew { state.waiting[loaded.id] = nil }
    while let entry = try releasable(for: loaded) {
      try db.run("DELETE FROM held WHERE room = ? AND cursor = ?", [loaded.roomID, entry.cursor])
      var gained: [TextPatch] = []
      var failure: ApplyError?
      do throws(ApplyError) { gained = try loaded.document.apply(entry.update) } catch { failure = error }
      if case .idClash(let event) = failure {
        do {
          gained = try reauthor(&loaded, from: event, for: entry.update.spans[0])
          failure = nil
          do throws(ApplyError) {
            gained += try loaded.document.apply(entry.update)
          } catch { failure = error }
        } catch ReplicaError.idClash {}
      }
      if let failure {
        _ = try hold(entry.update, failure, of: loaded)
      } else {
        try append(entry.update, to: &loaded)
      }
      patches = (patches ?? []) + gained + (try settleRefused(&loaded, reauthoring: true).patches)
    }
    return patches
  }

  /// What came here under the ids of entries that wait, or cannot be merged, goes on under others: the log has
  /// these.
  func makeWayForHeld(in loaded: inout LoadedDocument) throws -> [TextPatch] {
    let rows = try db.rows(
      """
      SELECT e.replica, e.first, e."end", h.payload
      FROM held h JOIN entries e ON e.room = h.room AND e.cursor = h.cursor
      WHERE h.room = ? AND e.document = ? ORDER BY h.cursor
      """, [loaded.roomID, loaded.id])
    var patches: [TextPatch] = []
    for row in rows {
      let span = try row.span(0)
      guard loaded.document.versionVector[span.replica] > span.seqs.lowerBound else { continue }
      if let update = try? Update(bytes: try row.bytes(3)), loaded.document.has(update) { continue }
      do { patches += try makeWay(for: span, in: &loaded) } catch ReplicaError.idClash { continue }
    }
    return patches
  }

  /// The first entry of a document that need not wait any more.
  private func releasable(for loaded: LoadedDocument) throws -> (cursor: Int64, update: Update)? {
    if state.waiting[loaded.id] == nil { try lookUpWaiting(of: loaded) }
    var cursors = state.waiting[loaded.id]?.takeReleased()[...] ?? []
    while let cursor = cursors.popFirst() {
      guard let update = try waitingEntry(at: cursor, of: loaded) else { continue }
      if !loaded.document.has(update), let parent = try unsentParent(of: update, in: loaded.id) {
        state.waiting[loaded.id]?.wait(cursor, for: parent)
        continue
      }
      for later in cursors { state.waiting[loaded.id]?.release(later) }
      return (cursor, update)
    }
    return nil
  }

  private func lookUpWaiting(of loaded: LoadedDocument) throws {
    var waiting = WaitingEntries()
    let rows = try db.rows(
      """
      SELECT h.cursor FROM held h JOIN entries e ON e.room = h.room AND e.cursor = h.cursor
      WHERE h.room = ? AND h.kind = ? AND e.document = ?
      """, [loaded.roomID, HeldKind.waits.rawValue, loaded.id])
    for row in rows { waiting.release(try row.integer(0)) }
    state.waiting[loaded.id] = waiting
  }

  private func waitingEntry(at cursor: Int64, of loaded: LoadedDocument) throws -> Update? {
    let row = try db.row(
      "SELECT payload FROM held WHERE room = ? AND cursor = ? AND kind = ?",
      [loaded.roomID, cursor, HeldKind.waits.rawValue])
    guard let row, let update = try? Update(bytes: try row.bytes(0)), update.spans.count == 1 else {
      return nil
    }
    return update
  }
}

extension TextDocument {
  /// Whether it has just these events of one replica.
  func has(_ update: Update) -> Bool {
    update.spans.count == 1 && self.update(of: update.spans[0])?.bytes == update.bytes
  }
}
