import GRDB
import RopewalkCore
import RopewalkSync

// Others may have these events: from a file that was merged, or from a log that is gone. Where the relay does not take
// them from those under their id, they push them under the one that follows from it. When the log shows that one here,
// the own events get it too: else they would be there under both.
extension Transaction {
  /// How often an id is made of one that was made so: beyond that, nobody could know it in advance.
  static let longestDerivation = 3

  /// Gives own events that the log did not have the id of an entry that holds them under another one.
  func recognize(_ entry: LogEntry, in open: inout OpenDocument) throws {
    try giveBack(to: entry, in: &open)
    guard let event = try ownEvent(beginning: entry, in: &open) else { return }
    open.patches += try rename(event, as: entry.header.span.replica, in: &open.loaded)
    open.hasChanged = true
    open.forgetWhatLogLacks()
  }

  /// The own event that an entry begins with under another id.
  func ownEvent(beginning entry: LogEntry, in open: inout OpenDocument) throws -> EventID? {
    let span = entry.header.span
    guard span.seqs.lowerBound == 0, open.loaded.document.eventCount(of: span.replica) == 0 else {
      return nil
    }
    let derived = try open.derived ?? derivedIDs(of: open.loaded)
    open.derived = derived
    return derived[span.replica]
  }

  /// An entry was noted: what the log lacks begins elsewhere now.
  func noteLogged(_ entry: LogEntry, in open: inout OpenDocument) {
    let span = entry.header.span
    open.besides?.remove(span)
    guard open.derived?.isEmpty == false else { return }
    if open.loaded.document.eventCount(of: span.replica) > span.seqs.lowerBound { open.derived = nil }
  }

  /// The ids that others would give to what is here and not in the log.
  private func derivedIDs(of loaded: LoadedDocument) throws -> [ReplicaID: EventID] {
    var lacking = try outboxSpans(of: loaded.id)
    if try db.row("SELECT needs_offer FROM rooms WHERE id = ?", [loaded.roomID])?.flag(0) == true {
      lacking = SpanSet(loaded.document.versionVector).subtracting(try logSpans(of: loaded.id))
    }
    var derived: [ReplicaID: EventID] = [:]
    for span in lacking.spans {
      let event = EventID(replica: span.replica, seq: span.seqs.lowerBound)
      for id in loaded.document.derivedIDs(for: event, count: Self.longestDerivation) { derived[id] = event }
    }
    return derived
  }

  /// How many times the id of an event was made of another one without anything being sent under that.
  func derivation(of event: EventID, in document: Int64) throws -> Int {
    var (id, count) = (event.replica, 0)
    guard event.seq == 0 else { return 0 }
    while count < Self.longestDerivation {
      let row = try db.row(
        "SELECT replica, first FROM renamings WHERE document = ? AND fresh = ?", [document, id.stored])
      guard let row else { return count }
      count += 1
      guard try row.integer(1) == 0 else { return count }
      id = ReplicaID(rawValue: try row.unsigned(0))
    }
    return count
  }
}
