import GRDB
import RopewalkCore
import RopewalkSync

/// Who has pushed everything in a room's log up to a cursor, if that is one subject whom a token names.
///
/// Judged by the owners of the replica ids alone, which no entry that was forgotten and no checkpoint changes. An id
/// whose owner is not known, or is somebody without a token, is nobody's alone.
struct SoleAuthor {
  /// Nil if there are several, or none, or it is not known.
  private(set) var subject: [UInt8]?

  init(_ room: RoomName, through cursor: UInt64, _ database: Database) throws {
    guard
      let id = try Int64.fetchOne(
        database, sql: "SELECT id FROM rooms WHERE name = ?", arguments: [room.text])
    else { return }
    let owners = try Row.fetchAll(
      database,
      sql: """
        SELECT DISTINCT s.name, o.identity IS NULL FROM owners o LEFT JOIN subjects s ON s.id = o.subject
        WHERE o.room = ? AND o.since <= ? LIMIT 2
        """, arguments: [id, Int64(bitPattern: cursor)])
    guard let owner = owners.first, owners.count == 1, try owner.integer(1) == 1,
      try !Self.hasUnknown(id, database)
    else { return }
    subject = Array(try owner.text(0).utf8)
  }

  /// Whether anything in the room is under an id that nobody owns, as in a file that was tampered with.
  private static func hasUnknown(_ room: Int64, _ database: Database) throws -> Bool {
    let known = "EXISTS (SELECT 1 FROM owners o WHERE o.room = ?1 AND o.replica = x.replica)"
    let ofRoom = "x.document IN (SELECT id FROM documents WHERE room = ?1)"
    for table in ["entries", "segment_spans", "checkpoint_parts"] {
      let found = try Int64.fetchOne(
        database, sql: "SELECT 1 FROM \(table) x WHERE \(ofRoom) AND NOT \(known) LIMIT 1", arguments: [room])
      if found != nil { return true }
    }
    return false
  }
}
