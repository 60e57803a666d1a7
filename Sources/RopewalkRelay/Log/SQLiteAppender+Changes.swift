import Foundation
import GRDB
import RopewalkSync

/// What a room's log is changed by besides entries, and forgetting.
extension SQLiteAppender {
  /// The most rows that are forgotten in one transaction; the rest goes with the next occasion.
  private static let mostForgotten = 8192

  func change(_ room: RoomName, _ change: LogChange, _ database: Database) throws {
    let id = try roomID(room, database)
    switch change {
    case .storeParts(let cursor, let first, let parts):
      if first == 0 { try dropUploads(id, database) }
      try store(parts, from: first, at: cursor, id, database)
    case .announceCheckpoint(let checkpoint): try announce(checkpoint, id, room, database)
    case .useCheckpoint(let cursor): try use(cursor, id, database)
    case .dropCheckpoint(let cursor): try drop(cursor, id, database)
    case .setRetention(let retention):
      try database.execute(
        sql: "UPDATE rooms SET retention = ? WHERE id = ?",
        arguments: [Int64(bitPattern: retention.wireValue), id])
    case .forget(let time): try forget(before: time, id, room, database)
    }
  }

  /// Forgets the oldest entries as far as the checkpoint holds them and all of them are older than a time.
  private func forget(before time: UInt64, _ room: Int64, _ name: RoomName, _ database: Database) throws {
    guard let checkpoint = try StoredCheckpoint.inUse(of: name, database) else { return }
    let (held, limit) = (Int64(bitPattern: checkpoint.head.cursor), Int64(clamping: time))
    var end: (cursor: Int64, digest: Data)?
    var isWhole = true
    for row in try Row.fetchAll(
      database, sql: "SELECT id, last, ended, digest FROM segments WHERE room = ? ORDER BY first",
      arguments: [room])
    {
      let (id, last, ended) = (try row.integer(0), Int64(bitPattern: try row.cursor(1)), try row.integer(2))
      guard last <= held, ended < limit else {
        isWhole = false
        break
      }
      try database.execute(
        sql: "DELETE FROM segment_spans WHERE segment = ?; DELETE FROM segments WHERE id = ?",
        arguments: [id, id])
      end = (last, Data(try row.digest(3).bytes))
    }
    if isWhole {
      let kept = try Int64.fetchOne(
        database, sql: "SELECT min(cursor) FROM entries WHERE room = ? AND (cursor > ? OR time >= ?)",
        arguments: [room, held, limit])
      let oldest = try Row.fetchAll(
        database,
        sql: "SELECT cursor, digest FROM entries WHERE room = ? AND cursor < ? ORDER BY cursor LIMIT ?",
        arguments: [room, kept ?? held + 1, Self.mostForgotten])
      if let last = oldest.last {
        let cursor = Int64(bitPattern: try last.cursor(0))
        end = (cursor, Data(try last.digest(1).bytes))
        try database.execute(
          sql: "DELETE FROM entries WHERE room = ? AND cursor <= ?", arguments: [room, cursor])
      }
    }
    guard let end else { return }
    try database.execute(
      sql: "UPDATE rooms SET oldest = ?, before = ? WHERE id = ?",
      arguments: [end.cursor + 1, end.digest, room])
    recount(room)
  }
}
