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
  var foreignChanges: [NotedChange] = []
  /// To be published when this transaction is committed.
  private(set) var changes: [NotedChange] = []
  /// To be done after that.
  var afterPublishing: [() -> Void] = []
  /// Entries that come now are parts of the checkpoint at this cursor, cut anew.
  var checkpointBeingTaken: UInt64?
  var isTakingCheckpoint: Bool { checkpointBeingTaken != nil }
  /// Events that others made way for, or were not taken under their id, and have another one now.
  var reauthored: [ReauthoredEvents] = []
  /// Whether an outbox may have grown.
  var outboxGrew = false
  /// Whether the author was written into the file.
  var recordedAuthor = false
  /// Whether other processes wrote.
  var foundForeignWrites = false

  /// Documents that were taken to be changed, as they were before.
  private var touched: [Int64: Moment] = [:]
  /// What observers of names had been shown before this transaction made the names mean something else.
  private var shownBefore: [ReplicaState.Name: Int64?] = [:]

  private struct Moment {
    let name: ReplicaState.Name
    let vector: VersionVector
    let version: Version
    let generation: Int64
  }

  init(_ db: Database, _ state: ReplicaState, _ options: ReplicaOptions, _ observers: Observers) {
    self.db = db
    self.state = state
    self.options = options
    self.observers = observers
  }

  // MARK: Noting changes

  /// Notes a change of a document for its observers.
  func note(_ patches: [TextPatch], of loaded: LoadedDocument, from origin: DocumentChange.Origin) {
    guard !patches.isEmpty else { return }
    changes.append(change(.patches(patches), of: loaded, from: origin))
  }

  /// A change of a document for its observers, and for those of its name, if that is what they have been shown.
  func change(
    _ content: NotedChange.Content, of loaded: LoadedDocument, from origin: DocumentChange.Origin
  ) -> NotedChange {
    let name = ReplicaState.Name(room: loaded.room, name: loaded.key.name)
    return NotedChange(
      origin: origin, room: loaded.room, key: loaded.key, content: content,
      scalarCount: loaded.document.scalarCount, audience: state.shown[name] == loaded.id ? .all : .pinned)
  }

  /// The observers of a name are shown another document from now on, if this transaction is committed. What
  /// that changes for them is the caller's to note, unless both texts are empty.
  func show(_ id: Int64, as name: ReplicaState.Name) {
    if shownBefore[name] == nil { shownBefore[name] = .some(state.shown[name]) }
    state.shown[name] = id
  }

  /// The observers of a name are shown another document from now on, in the place of `old`.
  func show(_ loaded: LoadedDocument, as name: ReplicaState.Name, inPlaceOf old: LoadedDocument?) {
    let new = loaded.document.utf8
    var content = NotedChange.Content.whole(new)
    if state.shown[name] == old?.id {
      let patch = TextPatch.difference(from: old?.document.utf8 ?? [], to: new)
      content = .patches(patch.map { [$0] } ?? [])
    }
    show(loaded.id, as: name)
    var change = change(content, of: loaded, from: .adoption)
    change.audience = .names
    changes.append(change)
  }

  // MARK: Failure

  /// Notes what a document was before this transaction changed it.
  func remember(_ loaded: LoadedDocument) {
    if touched[loaded.id] == nil {
      touched[loaded.id] = Moment(
        name: ReplicaState.Name(room: loaded.room, name: loaded.key.name), vector: loaded.vector,
        version: loaded.document.version, generation: loaded.generation)
    }
  }

  /// Puts back a document that was taken and is what it is in the file.
  func putBackUnchanged(_ loaded: LoadedDocument) {
    touched[loaded.id] = nil
    put(loaded)
  }

  /// After the transaction was rolled back: forgets what it did in memory. Documents that somebody watches
  /// are read anew at once, lest a change that another process makes meanwhile is missed.
  func forgetEverything() {
    state.forgetLookups()
    changes = []
    for (name, shown) in shownBefore { state.shown[name] = shown }
    for (id, moment) in touched {
      state.documents[id] = nil
      guard observers.watch(moment.name) else { continue }
      guard let loaded = try? LoadedDocument(id, in: db) else {
        state.missed[id] = moment.name
        continue
      }
      state.documents[id] = loaded
      guard loaded.vector != moment.vector || loaded.generation != moment.generation else { continue }
      var content = NotedChange.Content.whole(loaded.document.utf8)
      if loaded.generation == moment.generation, let old = loaded.document.text(at: moment.version) {
        let patch = TextPatch.difference(from: Array(old.utf8), to: loaded.document.utf8)
        content = .patches(patch.map { [$0] } ?? [])
      }
      foreignChanges.append(change(content, of: loaded, from: .otherProcess))
    }
  }
}
