import GRDB
import RopewalkCore
import RopewalkSync

/// One transaction on a replica's file, from the look at what others wrote to the commit.
///
/// The acts are in extensions, one file each. What they read and change in memory is in `state`; a document
/// that is changed is taken out of there first (`take`) and put back when everything for it was written
/// (`put`), so that a failure anywhere leaves nothing in memory that is not in the file.
final class Transaction {
  let db: Database
  let state: ReplicaState
  let options: ReplicaOptions
  let observers: Observers

  /// To be published: what others committed, whatever becomes of this transaction.
  private(set) var foreignChanges: [Change] = []
  /// To be published when this transaction is committed.
  private(set) var changes: [Change] = []
  /// Entries that come now are parts of a checkpoint.
  var isTakingCheckpoint = false
  /// Whether an outbox may have grown.
  var outboxGrew = false
  /// Whether the author was written into the file.
  var recordedAuthor = false
  /// Whether other processes wrote.
  private(set) var foundForeignWrites = false

  /// Documents that were taken to be changed, as they were before.
  private var touched: [Int64: Moment] = [:]

  struct Change {
    let change: DocumentChange
    let isCurrent: Bool
  }

  private struct Moment {
    let vector: VersionVector
    let version: Version
  }

  init(_ db: Database, _ state: ReplicaState, _ options: ReplicaOptions, _ observers: Observers) {
    self.db = db
    self.state = state
    self.options = options
    self.observers = observers
  }

  /// Notes a change of a document for its observers.
  func note(_ patches: [TextPatch], of loaded: LoadedDocument, from origin: DocumentChange.Origin) {
    guard !patches.isEmpty else { return }
    let change = DocumentChange(origin: origin, room: loaded.room, key: loaded.key, patches: patches)
    changes.append(Change(change: change, isCurrent: loaded.isCurrent))
  }

  // MARK: What others wrote

  /// Brings what is in memory up to what is in the file. A document that cannot be read is forgotten; whoever
  /// asks for it is told then.
  func refresh() throws {
    let version = try db.row("PRAGMA data_version")?.integer(0) ?? 0
    guard version != state.dataVersion else { return }
    foundForeignWrites = state.dataVersion >= 0
    state.forgetLookups()
    for id in state.documents.keys.sorted() {
      guard var loaded = state.documents.removeValue(forKey: id) else { continue }
      do {
        let patches = try refresh(&loaded)
        state.documents[id] = loaded
        guard !patches.isEmpty else { continue }
        let change = DocumentChange(
          origin: .otherProcess, room: loaded.room, key: loaded.key, patches: patches)
        foreignChanges.append(Change(change: change, isCurrent: loaded.isCurrent))
      } catch ReplicaError.damaged {
        continue
      } catch ReplicaError.noSuchDocument {
        continue
      }
    }
    try refreshShown()
    state.dataVersion = version
  }

  /// Tells the observers of names that have come to mean another document.
  private func refreshShown() throws {
    for name in observers.watchedNames {
      let shown = state.shown[name]
      guard let id = try currentID(name.name, in: name.room), id != shown else { continue }
      do {
        let old = try shown.map { try loaded($0).document.utf8 } ?? []
        let new = try loaded(id)
        state.shown[name] = id
        guard let patch = TextPatch.difference(from: old, to: new.document.utf8) else { continue }
        let change = DocumentChange(
          origin: shown == nil ? .otherProcess : .adoption, room: name.room, key: new.key, patches: [patch])
        foreignChanges.append(Change(change: change, isCurrent: true))
      } catch ReplicaError.damaged {
        continue
      }
    }
  }

  // MARK: Failure

  /// Notes what a document was before this transaction changed it.
  func remember(_ loaded: LoadedDocument) {
    if touched[loaded.id] == nil {
      touched[loaded.id] = Moment(vector: loaded.vector, version: loaded.document.version)
    }
  }

  /// After the transaction was rolled back: forgets what it did in memory. Documents that somebody watches
  /// are read anew at once, lest a change that another process makes meanwhile is missed.
  func forgetEverything() {
    state.forgetLookups()
    changes = []
    for (id, moment) in touched {
      state.documents[id] = nil
      guard let loaded = try? LoadedDocument(id, in: db),
        observers.watch(ReplicaState.Name(room: loaded.room, name: loaded.key.name))
      else { continue }
      state.documents[id] = loaded
      guard loaded.vector != moment.vector, let old = loaded.document.text(at: moment.version),
        let patch = TextPatch.difference(from: Array(old.utf8), to: loaded.document.utf8)
      else { continue }
      let change = DocumentChange(
        origin: .otherProcess, room: loaded.room, key: loaded.key, patches: [patch])
      foreignChanges.append(Change(change: change, isCurrent: loaded.isCurrent))
    }
  }

  private func refresh(_ loaded: inout LoadedDocument) throws -> [TextPatch] {
    guard
      let row = try db.row(
        "SELECT generation, snapshot_update, is_current, text_update FROM documents WHERE id = ?",
        [loaded.id])
    else { throw ReplicaError.noSuchDocument }
    loaded.isCurrent = try row.flag(2)
    loaded.textUpdate = try row.integer(3)
    if try row.integer(0) != loaded.generation {
      let old = loaded.document.utf8
      loaded = try LoadedDocument(loaded.id, in: db)
      return TextPatch.difference(from: old, to: loaded.document.utf8).map { [$0] } ?? []
    }
    if try row.integer(1) > loaded.lastUpdate {
      // The updates that are missing here were folded into the snapshot.
      let newer = try LoadedDocument(loaded.id, in: db)
      let patches = try patches(from: loaded, to: newer)
      loaded = newer
      return patches
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
    return patches
  }

  private func patches(from old: LoadedDocument, to new: LoadedDocument) throws -> [TextPatch] {
    var document = old.document
    do { return try document.apply(new.document.update(since: old.vector)) } catch {
      throw ReplicaError.damaged(.init(error, in: "snapshots", row: old.id))
    }
  }
}
