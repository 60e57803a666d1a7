import GRDB
import RopewalkCore
import RopewalkSync

/// Who has pushed everything in a room's log up to a cursor, if that is one subject.
///
/// What the confirmed checkpoint holds counts by the last entry in each of its parts, which is all that is
/// known of it. Ends at the second subject, so that a long log is read only if it is one person's.
struct SoleAuthor {
  /// Nil if there are several, or none.
  private(set) var subject: [UInt8]?
  private var areSeveral = false

  init(_ room: RoomName, through cursor: UInt64, _ database: Database) throws {
    let checkpoint = try StoredCheckpoint.confirmed(of: room, database)
    let since = Int64(bitPattern: checkpoint?.head.cursor ?? 0)
    if let checkpoint {
      let parts = try Row.fetchAll(
        database,
        sql: """
          SELECT DISTINCT coalesce(s.name, '') FROM checkpoint_parts p LEFT JOIN subjects s ON s.id = p.subject
          WHERE p.checkpoint = ?
          """, arguments: [checkpoint.id])
      for row in parts { note(Array(try row.text(0).utf8)) }
    }
    guard !areSeveral else { return }
    let range: StatementArguments = [room.text, since, Int64(bitPattern: cursor)]
    let rows = try Row.fetchAll(
      database,
      sql: """
        SELECT DISTINCT s.name FROM entries e JOIN subjects s ON s.id = e.subject
        WHERE e.room = (SELECT id FROM rooms WHERE name = ?) AND e.cursor > ? AND e.cursor <= ?
        """, arguments: range)
    for row in rows { note(Array(try row.text(0).utf8)) }
    let segments = try Row.fetchCursor(
      database,
      sql: """
        SELECT \(StoredSegment.columns) FROM segments
        WHERE room = (SELECT id FROM rooms WHERE name = ?) AND last > ? AND first <= ? ORDER BY first
        """, arguments: range)
    while !areSeveral, let row = try segments.next() {
      for entry in try StoredSegment(row).entries() where entry.cursor > since && entry.cursor <= cursor {
        note(entry.subject)
      }
    }
  }

  private mutating func note(_ other: [UInt8]) {
    guard !areSeveral, subject != other else { return }
    // Whose a part is, is not always known: that is not one subject either.
    areSeveral = subject != nil || other.isEmpty
    subject = areSeveral ? nil : other
  }
}
