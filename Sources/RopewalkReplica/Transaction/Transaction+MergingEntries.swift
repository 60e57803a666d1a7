import RopewalkCore
import RopewalkSync

/// A document while entries are merged into it.
struct OpenDocument {
  var loaded: LoadedDocument
  /// Whether events waited here before the batch came.
  let hadPending: Bool
  var patches: [TextPatch] = []
  var hasChanged = false
  /// Entries of the log that had waited in it and were kept aside.
  var held: [UInt64] = []
  /// What others would call what the log lacks of it; nil where that must be found anew.
  var derived: [ReplicaID: EventID]?
  /// What it has that nobody has by the log (`Transaction.eventsBesidesLog`); nil where that must be found anew.
  var besides: SpanSet?
  /// By the first of them, the ids that events were given; nil where they must be read anew.
  var renamings: [EventID: ReplicaID]?

  init(_ loaded: LoadedDocument) {
    self.loaded = loaded
    hadPending = loaded.document.waitingUpdateCount > 0
  }

  /// Events have other ids now, or came otherwise than from the log.
  mutating func forgetWhatLogLacks() { (derived, besides, renamings) = (nil, nil, nil) }
}

/// An entry is not merged yet (`Transaction.mustWait`).
struct EntryMustWait: Error {}

extension Transaction {
  /// Merges the first of many entries with one walk, and says how many that were, and which of them could
  /// not be merged so. 0 where each is better merged by itself: it is among the first few, what it follows is not
  /// concurrent with anything, or it cannot be merged.
  ///
  /// What the text gained by each is a share of what it gained by all.
  func mergeTogether(
    _ entries: ArraySlice<LogEntry>, into open: inout OpenDocument, in batch: inout Batch
  ) throws -> (count: Int, failed: [LogEntry]) {
    guard entries.count >= 4, batch.kind != .inExcess, open.loaded.document.version.heads.count > 1 else {
      return (0, [])
    }
    var (updates, chosen, count): ([Update], [LogEntry], Int) = ([], [], 0)
    choosing: for entry in entries {
      // Own events that are in it get its id first.
      if try ownEvent(beginning: entry, in: &open) != nil || givenAway(beginning: entry, in: &open) != nil {
        break
      }
      guard let update = entry.update, try !mustWait(update, in: open.loaded.id) else { break }
      if batch.kind == nil {
        switch try judge(entry, update, in: &open, isNext: updates.isEmpty) {
        case .isFine: break
        case .notYet: break choosing
        case .isInExcess:
          count += 1
          try receiveExcess(entry, of: open.loaded.id, into: &open, in: &batch)
          continue
        }
      }
      count += 1
      updates.append(update)
      chosen.append(entry)
    }
    if updates.isEmpty { return (count, []) }
    var stored = SpanSet(open.loaded.document.versionVector)
    let (patches, failures) = open.loaded.document.apply(updates)
    let failed = Set(failures.map { $0.index })
    var merged: [LogEntry] = []
    var news: [Bool] = []
    for (index, (entry, update)) in zip(chosen, updates).enumerated() where !failed.contains(index) {
      merged.append(entry)
      let span = entry.header.span
      // A replica's entries may come in any order: later events wait in the document for earlier ones.
      let isNews = !stored.contains(span)
      news.append(isNews)
      guard isNews else { continue }
      stored.insert(span)
      try retire(span.replica)
      try append(update, to: &open.loaded)
      open.hasChanged = true
    }
    open.patches += patches
    let growth = Self.growth(of: patches)
    let events = zip(merged, news).reduce(0) { $1.1 ? $0 + $1.0.header.span.seqs.count : $0 }
    for (entry, isNews) in zip(merged, news) {
      let count = isNews ? entry.header.span.seqs.count : 0
      let share = (growth.inserted * count / max(1, events), growth.deleted * count / max(1, events))
      try noteEntry(entry, of: open.loaded.id, roomID: batch.roomID, share)
      try removeFromOutbox(entry.header.span, of: open.loaded.id)
      noteLogged(entry, in: &open)
    }
    return (count, failures.map { chosen[$0.index] })
  }

  /// Merges one entry; re-authors own events that it shows to be named like someone else's. Throws
  /// `EntryMustWait` if it follows events that the log has not got.
  func merge(_ entry: LogEntry, into open: inout OpenDocument) throws -> (inserted: Int, deleted: Int) {
    let update = try update(of: entry)
    if try mustWait(update, in: open.loaded.id), !open.loaded.document.has(update) { throw EntryMustWait() }
    let eventsBefore = open.loaded.document.eventCount
    let waitingBefore = open.loaded.document.waitingUpdateCount
    var patches: [TextPatch] = []
    let row = Int64(bitPattern: entry.cursor)
    do throws(ApplyError) {
      patches = try open.loaded.document.apply(update)
    } catch .idClash(let event) {
      open.patches += try reauthor(&open.loaded, from: event, for: entry.header.span)
      open.hasChanged = true
      open.forgetWhatLogLacks()
      do { patches = try open.loaded.document.apply(update) } catch {
        throw ReplicaError.damaged(.init(error, in: "log", row: row))
      }
    } catch { throw ReplicaError.damaged(.init(error, in: "log", row: row)) }
    let isNews =
      open.loaded.document.eventCount != eventsBefore
      || open.loaded.document.waitingUpdateCount != waitingBefore
    guard isNews else { return (0, 0) }
    // Who wrote it is not this file, whose events are never news. Were its own id used by somebody else, it would
    // write events that the log has otherwise.
    try retire(entry.header.span.replica)
    try append(update, to: &open.loaded)
    open.hasChanged = true
    open.patches += patches
    return Self.growth(of: patches)
  }

  /// The update in an entry, if it is what the header says.
  private func update(of entry: LogEntry) throws(ReplicaError) -> Update {
    let row = Int64(bitPattern: entry.cursor)
    if let update = entry.update { return update }
    do { _ = try Update(bytes: entry.payload) } catch {
      throw .damaged(.init(error, in: "log", row: row))
    }
    throw .damaged(.init(place: "log", row: row, problem: "the update is not what its header says"))
  }

  private static func growth(of patches: [TextPatch]) -> (inserted: Int, deleted: Int) {
    patches.reduce(into: (0, 0)) { sum, patch in
      sum.0 += TextPatch.scalars(patch.inserted[...])
      sum.1 += patch.deleted
    }
  }
}
