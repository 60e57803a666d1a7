import GRDB
import RopewalkCore
import RopewalkSync

// The tips of a document (`Spec/retention.md`, *Too many branches*), as far as they can be checked without judging the log
// once more.
extension Verification {
  mutating func checkTips(of loaded: LoadedDocument) throws {
    try checkIntervals(of: loaded)
    try checkEntriesOfTips(of: loaded)
  }

  /// An id is a tip once at a time, and a subject has no more of them than the bound.
  private mutating func checkIntervals(of loaded: LoadedDocument) throws {
    let read = try db.row("SELECT cursor FROM rooms WHERE id = ?", [loaded.roomID])?.integer(0) ?? 0
    let rows = try db.rows(
      "SELECT replica, since, until, subject FROM tips WHERE document = ? ORDER BY replica, subject, since",
      [loaded.id])
    var previous: (replica: ReplicaID, subject: String, until: Int64)?
    var counts: [String: Int] = [:]
    for row in rows {
      let (replica, since) = (ReplicaID(rawValue: try row.unsigned(0)), try row.integer(1))
      let (until, subject) = (try row.optionalInteger(2), try row.string(3))
      if since <= 0 || until.map({ $0 <= since || $0 > read }) ?? false {
        add("tips", loaded.id, "a tip begins or ends where the log does not go")
      }
      if let previous, (previous.replica, previous.subject) == (replica, subject), previous.until > since {
        add("tips", loaded.id, "a replica id is a tip twice at cursor \(since)")
      }
      previous = (replica, subject, until ?? .max)
      if until == nil { counts[subject, default: 0] += 1 }
    }
    let most = TipLimits().most
    if counts.values.contains(where: { $0 > most }) {
      add("tips", loaded.id, "a subject has more than \(most) tips")
    }
  }

  /// At its cursor, the id of an entry of the log is a tip of its subject, and that of an entry in excess is not.
  private mutating func checkEntriesOfTips(of loaded: LoadedDocument) throws {
    let rows = try db.rows(
      """
      SELECT e.cursor, h.kind FROM entries e
      JOIN rooms r ON r.id = e.room AND e.cursor > r.checkpoint AND e.cursor <= r.cursor
      LEFT JOIN held h ON h.room = e.room AND h.cursor = e.cursor
      WHERE e.document = ?1 AND h.kind IS NOT ?2 AND (h.kind IS ?3) = EXISTS (
        SELECT 1 FROM tips t WHERE t.document = ?1 AND t.replica = e.replica AND t.since <= e.cursor
          AND (t.until IS NULL OR t.until > e.cursor) AND t.subject IS e.subject)
      """, [loaded.id, HeldKind.noUpdate.rawValue, HeldKind.inExcess.rawValue])
    for row in rows {
      let isInExcess = try row.optionalInteger(1) == HeldKind.inExcess.rawValue
      add(
        "entries", try row.integer(0),
        isInExcess ? "it is in excess, and its id is a tip" : "it is not in excess, and its id is not a tip")
    }
  }
}
