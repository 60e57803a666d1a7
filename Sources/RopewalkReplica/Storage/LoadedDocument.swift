import Foundation
import GRDB
import RopewalkCore
import RopewalkSync
import RopewalkZstd

/// A document in memory, and how far in the file it has been read.
struct LoadedDocument {
  /// `documents.id`.
  let id: Int64
  let room: RoomName
  /// `rooms.id`.
  let roomID: Int64
  let key: DocumentKey

  var document: TextDocument
  /// `document.versionVector`, kept beside it because edits ask for it each time.
  var vector: VersionVector

  /// The last row of `updates` that is inside.
  var lastUpdate: Int64
  /// The last row that is in the file's snapshot.
  var snapshotUpdate: Int64
  /// Changes when events were re-authored, so that what is in memory does not fit any more.
  var generation: Int64
  /// The last row that is in the file's plain text, as far as it is known.
  var textUpdate: Int64
  /// At most so many updates are not in the plain text.
  var textBehind: Int
  /// Updates since the snapshot, and their bytes.
  var tailCount: Int
  var tailBytes: Int

  /// Reads a document's text and history, without replay but for what is concurrent in the tail. Throws
  /// `ReplicaError.damaged` naming the row.
  ///
  /// - Parameter limit: updates after this row are left out.
  init(_ id: Int64, in db: Database, upTo limit: Int64 = .max) throws {
    guard
      let row = try db.row(
        """
        SELECT d.room, r.name, d.name, d.lineage, d.generation, d.snapshot_update, s.snapshot, d.text_update
        FROM documents d JOIN rooms r ON r.id = d.room LEFT JOIN snapshots s ON s.document = d.id
        WHERE d.id = ?
        """, [id])
    else { throw ReplicaError.noSuchDocument }
    guard let room = RoomName(try row.string(1)), let name = DocumentName(try row.string(2)) else {
      throw ReplicaError.damaged(.init(place: "documents", row: id, problem: "the name breaks the rule"))
    }
    self.id = id
    self.room = room
    roomID = try row.integer(0)
    key = DocumentKey(name: name, lineage: Lineage(rawValue: try row.unsigned(3)))
    generation = try row.integer(4)
    snapshotUpdate = try row.integer(5)
    if let snapshot = try row.optionalBytes(6) {
      document = try Self.open(snapshot, row: id)
      guard document.lineage == key.lineage else {
        throw ReplicaError.damaged(
          .init(place: "snapshots", row: id, problem: "the snapshot is of another lineage"))
      }
    } else {
      document = TextDocument(lineage: key.lineage)
    }
    lastUpdate = snapshotUpdate
    textUpdate = try row.integer(7)
    textBehind = 0
    tailCount = 0
    tailBytes = 0
    vector = VersionVector()
    _ = try readTail(in: db, upTo: limit)
    vector = document.versionVector
  }

  private static func open(_ snapshot: [UInt8], row: Int64) throws -> TextDocument {
    let bytes: [UInt8]
    do {
      bytes = try Zstd.decompress(snapshot, maximumBytes: DecodingBudget.standard.maximumBytes)
    } catch {
      throw ReplicaError.damaged(
        .init(place: "snapshots", row: row, problem: "the snapshot is no zstd frame, or a damaged one"))
    }
    do { return try TextDocument(snapshot: bytes) } catch {
      throw ReplicaError.damaged(.init(error, in: "snapshots", row: row))
    }
  }

  /// Applies the updates that the file has beyond what was read. `vector` is the caller's to renew.
  mutating func readTail(in db: Database, upTo limit: Int64 = .max) throws -> [TextPatch] {
    let rows = try db.rows(
      "SELECT id, payload FROM updates WHERE document = ? AND id > ? AND id <= ? ORDER BY id",
      [id, lastUpdate, limit])
    if rows.isEmpty { return [] }
    var updates: [Update] = []
    var last = lastUpdate
    for row in rows {
      last = try row.integer(0)
      if last > textUpdate { textBehind += 1 }
      let payload = try row.bytes(1)
      do { updates.append(try Update(bytes: payload)) } catch {
        throw ReplicaError.damaged(.init(error, in: "updates", row: last))
      }
      tailBytes += payload.count
    }
    // All at once: where much is concurrent, the walk through it is made once.
    let (patches, failures) = document.apply(updates)
    if let failure = failures.first {
      throw ReplicaError.damaged(
        .init(failure.error, in: "updates", row: try rows[failure.index].integer(0)))
    }
    lastUpdate = last
    tailCount += updates.count
    return patches
  }
}
