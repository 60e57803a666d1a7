import Foundation
import GRDB
import RopewalkCore
import RopewalkSync
import RopewalkZstd

extension Transaction {
  /// The plain text is written when so many bytes of it come on each update since it last was: a short one at
  /// every edit, a long one now and then, so that an edit never writes much more than itself.
  static let textBytesPerUpdate = 4096
  /// A tail of this many bytes is folded into a snapshot, however few updates it has.
  static let longTailBytes = 1 << 20
  /// Documents kept in memory.
  static let documentsInMemory = 64

  // MARK: Finding

  func roomID(_ room: RoomName) throws -> Int64? {
    if let id = state.rooms[room] { return id }
    guard let id = try db.row("SELECT id FROM rooms WHERE name = ?", [room.text])?.integer(0) else {
      return nil
    }
    state.rooms[room] = id
    return id
  }

  func roomIDMakingIt(_ room: RoomName) throws -> Int64 {
    if let id = try roomID(room) { return id }
    try db.run("INSERT INTO rooms (name) VALUES (?)", [room.text])
    // Known to others only after the commit: looked up again until then.
    return db.lastInsertedRowID
  }

  /// The document that a name means here.
  func currentID(_ name: DocumentName, in room: RoomName) throws -> Int64? {
    let key = ReplicaState.Name(room: room, name: name)
    if let id = state.current[key] { return id }
    guard let roomID = try roomID(room) else { return nil }
    let row = try db.row(
      "SELECT id FROM documents WHERE room = ? AND name = ? AND is_current = 1", [roomID, name.text])
    guard let id = try row?.integer(0) else { return nil }
    state.current[key] = id
    return id
  }

  func documentID(_ key: DocumentKey, in room: RoomName) throws -> Int64? {
    guard let roomID = try roomID(room) else { return nil }
    return try db.row(
      "SELECT id FROM documents WHERE room = ? AND name = ? AND lineage = ?",
      [roomID, key.name.text, key.lineage.stored])?.integer(0)
  }

  /// Makes a document without events. It becomes the current one of its name unless something was written in
  /// another one of that name, here or in the room.
  func makeDocument(_ key: DocumentKey, in room: RoomName) throws -> Int64 {
    let roomID = try roomIDMakingIt(room)
    let name = ReplicaState.Name(room: room, name: key.name)
    state.current[name] = nil
    var takesName = true
    var emptied: Int64?
    if let current = try currentID(key.name, in: room) {
      takesName = try mayTakeName(from: current)
      if takesName {
        try db.run("UPDATE documents SET is_current = 0 WHERE id = ?", [current])
        emptied = current
      }
      state.current[name] = nil
    }
    try db.run(
      "INSERT INTO documents (room, name, lineage, is_current) VALUES (?, ?, ?, ?)",
      [roomID, key.name.text, key.lineage.stored, takesName ? 1 : 0])
    let id = db.lastInsertedRowID
    if let emptied {
      try moveName(name, from: emptied, to: id)
    }
    if takesName, observers.watch(name) { show(id, as: name) }
    return id
  }

  /// A name means another document than before, in which nothing was written.
  func moveName(_ name: ReplicaState.Name, from emptied: Int64, to id: Int64) throws {
    state.current[name] = nil
    // What a program keeps beside the name goes with the name.
    try db.run("UPDATE OR REPLACE local_values SET document = ? WHERE document = ?", [id, emptied])
  }

  // MARK: In memory

  /// A document as it is in the file, without taking it out of memory.
  func loaded(_ id: Int64) throws -> LoadedDocument {
    if let loaded = state.documents[id] { return loaded }
    let loaded = try read(id)
    put(loaded)
    return loaded
  }

  /// Takes a document out of memory, to be changed.
  func take(_ id: Int64) throws -> LoadedDocument {
    let loaded = try state.documents.removeValue(forKey: id) ?? read(id)
    remember(loaded)
    return loaded
  }

  private func read(_ id: Int64) throws -> LoadedDocument {
    let loaded = try LoadedDocument(id, in: db)
    if state.missed.removeValue(forKey: id) != nil {
      foreignChanges.append(change(.whole(loaded.document.utf8), of: loaded, from: .otherProcess))
    }
    return loaded
  }

  /// Puts a document back when all of it is written.
  func put(_ loaded: LoadedDocument) {
    if state.documents.count >= Self.documentsInMemory, state.documents[loaded.id] == nil,
      let victim = state.documents.values.first(where: {
        !observers.watch(ReplicaState.Name(room: $0.room, name: $0.key.name))
      })
    {
      state.documents[victim.id] = nil
    }
    state.documents[loaded.id] = loaded
  }

  // MARK: Writing

  /// Stores an update that the document in memory has already.
  func append(_ update: Update, to loaded: inout LoadedDocument) throws {
    try db.run(
      "INSERT INTO updates (document, payload) VALUES (?, ?)", [loaded.id, Data(update.bytes)])
    loaded.lastUpdate = db.lastInsertedRowID
    loaded.textBehind += 1
    loaded.tailCount += 1
    loaded.tailBytes += update.bytes.count
  }

  /// Stores what the document has become: figures, plain text, and a snapshot when the tail has grown long.
  func save(_ loaded: inout LoadedDocument) throws {
    if loaded.tailCount >= options.updatesPerSnapshot || loaded.tailBytes >= Self.longTailBytes {
      return try saveSnapshot(&loaded)
    }
    let document = loaded.document
    try db.run(
      "UPDATE documents SET version = ?, events = ?, scalars = ?, waiting = ? WHERE id = ?",
      [
        Data(document.version.encoded), document.eventCount, document.scalarCount,
        document.waitingUpdateCount, loaded.id,
      ])
    if document.utf8Count <= loaded.textBehind * Self.textBytesPerUpdate { try saveText(&loaded) }
  }

  /// Writes the plain text.
  private func saveText(_ loaded: inout LoadedDocument) throws {
    try db.run(
      "INSERT OR REPLACE INTO texts (document, text) VALUES (?, CAST(? AS TEXT))",
      [loaded.id, Data(loaded.document.utf8)])
    try db.run("UPDATE documents SET text_update = ? WHERE id = ?", [loaded.lastUpdate, loaded.id])
    loaded.textUpdate = loaded.lastUpdate
    loaded.textBehind = 0
  }

  /// Whether a plain text in the file is older than its document.
  var hasLongTexts: Bool { state.documents.values.contains { $0.textBehind > 0 } }

  /// Writes the plain texts that were too long to be written at every edit.
  func saveLongTexts() throws {
    for id in state.documents.keys.sorted() {
      guard let behind = state.documents[id]?.textBehind, behind > 0 else { continue }
      var loaded = try take(id)
      try saveText(&loaded)
      put(loaded)
    }
  }

  /// Stores a document that has changed otherwise than by updates that were appended, in a way that other
  /// processes notice: what they have in memory would overwrite it.
  func saveAnew(_ loaded: inout LoadedDocument) throws {
    loaded.generation += 1
    try saveSnapshot(&loaded)
  }

  /// Folds the tail into a snapshot.
  func saveSnapshot(_ loaded: inout LoadedDocument) throws {
    let document = loaded.document
    try db.run(
      """
      UPDATE documents SET version = ?, events = ?, scalars = ?, waiting = ?, generation = ?, snapshot_update = ?
      WHERE id = ?
      """,
      [
        Data(document.version.encoded), document.eventCount, document.scalarCount,
        document.waitingUpdateCount, loaded.generation, loaded.lastUpdate, loaded.id,
      ])
    try db.run(
      "INSERT OR REPLACE INTO snapshots (document, snapshot) VALUES (?, ?)",
      [loaded.id, Data(Zstd.compress(document.snapshot()))])
    try saveText(&loaded)
    try db.run("DELETE FROM updates WHERE document = ? AND id <= ?", [loaded.id, loaded.lastUpdate])
    loaded.snapshotUpdate = loaded.lastUpdate
    loaded.tailCount = 0
    loaded.tailBytes = 0
  }
}
