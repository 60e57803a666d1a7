import GRDB
import RopewalkCore
import RopewalkSync

/// Which outbox entries of one document the relay gets before those that are chosen now.
struct OutboxOrder {
  /// Entries that are on their way, or go first.
  private(set) var going: Set<Int64>
  /// The last span of each replica that was found to go first, lest it is looked up for every event.
  private var found: [ReplicaID: Range<UInt32>] = [:]

  init(going: Set<Int64>) { self.going = going }

  mutating func go(_ id: Int64) { going.insert(id) }

  fileprivate func knows(_ event: EventID) -> Bool { found[event.replica]?.contains(event.seq) == true }
  fileprivate mutating func note(_ span: EventSpan) { found[span.replica] = span.seqs }
}

// Nothing is pushed before what it follows: were that refused, since others' events are in the log under the
// same ids, everybody would take it to follow those.
extension Transaction {
  /// Where the beginning of a span ends that may be pushed: all that its events follow is in the log, or goes
  /// first.
  func pushableEnd(of span: EventSpan, of document: Int64, _ order: inout OutboxOrder) throws -> UInt32 {
    let (first, end) = (span.seqs.lowerBound, span.seqs.upperBound)
    if first > 0 {
      guard try goesFirst(EventID(replica: span.replica, seq: first - 1), of: document, &order) else {
        return first
      }
    }
    // Most often one replica writes, and follows nobody whose events are not in the log yet.
    let others = try db.row(
      "SELECT 1 FROM outbox WHERE document = ? AND replica <> ? AND acknowledged IS NULL LIMIT 1",
      [document, span.replica.stored])
    guard others != nil else { return end }
    let text = try loaded(document).document
    var seq = first
    while seq < end {
      let parents = text.parents(of: EventSpan(replica: span.replica, seqs: seq..<end), limit: 256)
      guard let last = parents.last else { return end }
      for (seq, parent) in parents where try !goesFirst(parent, of: document, &order) { return seq }
      seq = last.seq + 1
    }
    return end
  }

  private func goesFirst(_ event: EventID, of document: Int64, _ order: inout OutboxOrder) throws -> Bool {
    if order.knows(event) { return true }
    let row = try db.row(
      """
      SELECT id, replica, first, "end" FROM outbox
      WHERE document = ? AND replica = ? AND first <= ? AND "end" > ? AND acknowledged IS NULL
      """,
      [document, event.replica.stored, Int64(event.seq), Int64(event.seq)])
    guard let row else { return true }
    guard try order.going.contains(row.integer(0)) else { return false }
    order.note(try row.span(1))
    return true
  }

  // MARK: Lineages

  /// The documents whose outbox waits, in one room.
  ///
  /// A document that the room's log never had is not pushed while its name means another one: to the room,
  /// whose log has or had one of another lineage, or here. And where a log is filled again, a name's documents
  /// go in the order in which the log that is gone had them, so that the first stays the room's.
  func waitingDocuments(in roomID: Int64) throws -> Set<Int64> {
    let rows = try db.rows(
      """
      SELECT d.id FROM documents d
      WHERE d.room = ?1 AND d.id IN (SELECT document FROM outbox) AND (\(Self.isHeldBack)
        OR d.first_cursor < 0 AND EXISTS (
          SELECT 1 FROM documents o JOIN outbox b ON b.document = o.id
          WHERE o.room = d.room AND o.name = d.name AND o.first_cursor < 0 AND o.first_cursor > d.first_cursor
            AND b.acknowledged IS NULL AND b.state < 2))
      """, [roomID])
    return Set(try rows.map { try $0.integer(0) })
  }

  /// Of a document `d`: its events stay on this device, since its name means another one and no log had any of it,
  /// nor has a relay acknowledged any.
  static let isHeldBack = """
    (d.first_cursor IS NULL AND (d.is_current = 0 OR EXISTS (
      SELECT 1 FROM documents named
      WHERE named.room = d.room AND named.name = d.name AND named.id <> d.id AND named.first_cursor IS NOT NULL))
      AND NOT EXISTS (SELECT 1 FROM outbox sent WHERE sent.document = d.id AND sent.acknowledged IS NOT NULL))
    """

  /// Whether a document whose events stay on this device is the current one of its name, so that somebody is
  /// to decide; nil for other documents.
  func heldBack(_ document: Int64) throws -> Bool? {
    try db.row("SELECT d.is_current FROM documents d WHERE d.id = ? AND \(Self.isHeldBack)", [document])?
      .flag(0)
  }
}
