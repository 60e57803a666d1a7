import GRDB
import RopewalkCore
import RopewalkSync

// What other processes wrote.
extension Transaction {
  /// Brings what is in memory up to what is in the file. A document that cannot be read is forgotten; whoever
  /// asks for it gets the error then.
  func refresh() throws {
    let version = try db.row("PRAGMA data_version")?.integer(0) ?? 0
    guard version != state.dataVersion else { return }
    foundForeignWrites = state.dataVersion >= 0
    state.forgetLookups()
    let moved = try movedNames()
    for id in state.documents.keys.sorted() {
      guard var loaded = state.documents.removeValue(forKey: id) else { continue }
      do {
        let content = try refresh(&loaded)
        state.documents[id] = loaded
        if let content { foreignChanges.append(change(content, of: loaded, from: .otherProcess)) }
      } catch ReplicaError.noSuchDocument {
        loaded.document = TextDocument(lineage: loaded.key.lineage)
        foreignChanges.append(change(.whole([]), of: loaded, from: .otherProcess))
      } catch {
        state.missed[id] = ReplicaState.Name(room: loaded.room, name: loaded.key.name)
        guard case ReplicaError.damaged = error else { throw error }
      }
    }
    for (id, name) in state.missed {
      // What cannot be read is reported to whoever asks for it.
      if observers.watch(name) { _ = try? loaded(id) } else { state.missed[id] = nil }
    }
    for name in moved { try show(name) }
    state.dataVersion = version
  }

  /// A name that means another document than its observers were shown.
  private struct MovedName {
    let name: ReplicaState.Name
    let id: Int64?
    let wasShown: Bool
    /// The text that they were shown; nil if it is not known.
    let old: [UInt8]?
  }

  /// Finds the names that mean another document than their observers were shown, while what these were shown is
  /// still in memory. Until `show` they are shown nothing.
  private func movedNames() throws -> [MovedName] {
    var moved: [MovedName] = []
    for name in observers.watchedNames {
      let shown = state.shown[name]
      let id = try currentID(name.name, in: name.room)
      guard id != shown else { continue }
      let old = shown.flatMap { state.documents[$0]?.document.utf8 }
      moved.append(MovedName(name: name, id: id, wasShown: shown != nil, old: old))
      state.shown[name] = nil
    }
    return moved
  }

  /// Tells the observers of a name that it means another document.
  private func show(_ moved: MovedName) throws {
    let loaded: LoadedDocument?
    do { loaded = try moved.id.map { try self.loaded($0) } } catch ReplicaError.damaged { return }
    let new = loaded?.document.utf8 ?? []
    state.shown[moved.name] = moved.id
    var content = NotedChange.Content.whole(new)
    if let old = moved.old {
      guard let patch = TextPatch.difference(from: old, to: new) else { return }
      content = .patches([patch])
    }
    foreignChanges.append(
      NotedChange(
        origin: moved.wasShown ? .adoption : .otherProcess, room: moved.name.room,
        key: loaded?.key ?? DocumentKey(name: moved.name.name, lineage: .blank), content: content,
        scalarCount: TextPatch.scalars(new[...]), audience: .names))
  }

  /// What happened to a document; nil for nothing.
  private func refresh(_ loaded: inout LoadedDocument) throws -> NotedChange.Content? {
    guard
      let row = try db.row(
        "SELECT generation, snapshot_update, text_update FROM documents WHERE id = ?", [loaded.id])
    else { throw ReplicaError.noSuchDocument }
    loaded.textUpdate = try row.integer(2)
    if try row.integer(0) != loaded.generation {
      let old = loaded.document.utf8
      loaded = try LoadedDocument(loaded.id, in: db)
      return TextPatch.difference(from: old, to: loaded.document.utf8).map { .patches([$0]) }
    }
    if try row.integer(1) > loaded.lastUpdate {
      // The updates that are missing here were folded into the snapshot.
      let newer = try LoadedDocument(loaded.id, in: db)
      let patches = try patches(from: loaded, to: newer)
      loaded = newer
      return patches.isEmpty ? nil : .patches(patches)
    }
    if try row.integer(1) > loaded.snapshotUpdate {
      loaded.snapshotUpdate = try row.integer(1)
      loaded.tailCount = 0
      loaded.tailBytes = 0
    }
    let before = loaded.lastUpdate
    let patches = try loaded.readTail(in: db)
    if loaded.textUpdate >= loaded.lastUpdate { loaded.textBehind = 0 }
    if loaded.lastUpdate != before { loaded.vector = loaded.document.versionVector }
    return patches.isEmpty ? nil : .patches(patches)
  }

  private func patches(from old: LoadedDocument, to new: LoadedDocument) throws -> [TextPatch] {
    var document = old.document
    do { return try document.apply(new.document.update(since: old.vector)) } catch {
      throw ReplicaError.damaged(.init(error, in: "snapshots", row: old.id))
    }
  }
}
