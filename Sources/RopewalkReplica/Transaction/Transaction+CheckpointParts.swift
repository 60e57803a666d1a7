import Foundation
import GRDB
import RopewalkCore
import RopewalkSync

// What a checkpoint holds follows from the log alone, whatever else is in this file: an entry is *plain* if what it
// follows is in plain entries up to the checkpoint's cursor, and is carried as it is otherwise.

/// What a room's log holds of one document up to a cursor, by entries and by parts of a checkpoint.
private struct DocumentInLog {
  /// An entry, or a part of the checkpoint that stands for the log's beginning.
  struct Piece {
    let span: EventSpan
    /// Its place in the log; nil for a part.
    let cursor: UInt64?
    /// Its payload, where the document has not got its events, or has them though the entry was kept aside.
    var payload: [UInt8]?
    /// Why it was kept aside, if it was.
    var kind: HeldKind?
  }

  let key: DocumentKey
  let firstCursor: UInt64
  let document: TextDocument
  var pieces: [Piece]
  /// The tips of all subjects, each with the cursor from which it is one.
  let tips: [ReplicaID: UInt64]
  /// Ids that events were given here in place of those that they had, so that what follows them names others here than in
  /// the log.
  let fresh: Set<ReplicaID>

  /// The parts in order; nil if this file has trouble with some of it that others do not have.
  func parts() -> [CheckpointPart]? {
    guard let plain = plainPieces() else { return nil }
    var events = SpanSet()
    for index in plain { events.insert(pieces[index].span) }
    var parts: [CheckpointPart] = []
    let ordered = events.spans.sorted { a, b in
      (a.replica.rawValue, a.seqs.lowerBound) < (b.replica.rawValue, b.seqs.lowerBound)
    }
    let lasts = lastEntries()
    for (index, span) in ordered.enumerated() {
      let isLast = index + 1 == ordered.count || ordered[index + 1].replica != span.replica
      for seqs in Checkpoint.cuts(of: span.seqs) {
        guard let update = update(of: EventSpan(replica: span.replica, seqs: seqs)) else { return nil }
        let tip = isLast && seqs.upperBound == span.seqs.upperBound ? lasts[span.replica] ?? 0 : 0
        parts.append(
          CheckpointPart(
            cursor: firstCursor, tip: tip, header: EntryHeader(document: key, span: update.spans[0]),
            payload: update.bytes))
      }
    }
    let carried = pieces.indices.filter { !plain.contains($0) }
    for index in carried.sorted(by: { pieces[$0].cursor ?? 0 < pieces[$1].cursor ?? 0 }) {
      let piece = pieces[index]
      guard let cursor = piece.cursor, let payload = piece.payload ?? update(of: piece.span)?.bytes else {
        return nil
      }
      if piece.payload == nil, parents(of: piece.span).contains(where: { fresh.contains($0.replica) }) {
        return nil
      }
      let isInExcess = piece.kind == .inExcess
      if piece.payload != nil, !isInExcess, isOnlyTroubleHere(payload, piece.span, events) { return nil }
      parts.append(
        CheckpointPart(
          cursor: cursor, kind: isInExcess ? .inExcess : .carried,
          header: EntryHeader(document: key, span: piece.span),
          payload: payload))
    }
    return parts
  }

  /// By tip, the cursor of the entry that holds its last event.
  private func lastEntries() -> [ReplicaID: UInt64] {
    var ends: [ReplicaID: UInt32] = [:]
    var lasts: [ReplicaID: UInt64] = [:]
    for piece in pieces where piece.kind != .noUpdate && piece.kind != .inExcess {
      let (id, end) = (piece.span.replica, piece.span.seqs.upperBound)
      guard let since = tips[id], end > ends[id] ?? 0 else { continue }
      (ends[id], lasts[id]) = (end, piece.cursor ?? since)
    }
    return lasts
  }

  private func update(of span: EventSpan) -> Update? {
    guard let update = document.update(of: span), update.spans == [span] else { return nil }
    return update
  }

  /// Whether a payload that is not merged here could be merged by somebody who has read the log alone.
  private func isOnlyTroubleHere(_ payload: [UInt8], _ span: EventSpan, _ plain: SpanSet) -> Bool {
    guard let update = try? Update(bytes: payload), update.spans == [span], update.lineage == key.lineage,
      let parents = try? update.outerParents()
    else { return false }
    var probe = TextDocument(lineage: key.lineage)
    guard (try? probe.apply(update)) != nil else { return false }
    return parents.allSatisfy { plain.contains(EventSpan(replica: $0.replica, seqs: $0.seq..<$0.seq + 1)) }
  }

  /// The largest set of pieces, among those whose events are in the document, that follow nothing outside of it. Nil if
  /// a part of a checkpoint is not in it.
  private func plainPieces() -> Set<Int>? {
    var plain = Set(pieces.indices.filter { pieces[$0].payload == nil })
    if !isClosed(plain) { removeWhatFollowsOthers(from: &plain) }
    return pieces.indices.allSatisfy { plain.contains($0) || pieces[$0].cursor != nil } ? plain : nil
  }

  /// Whether what some pieces follow is in them: as good as always, and much cheaper to find out than piece by piece.
  private func isClosed(_ chosen: Set<Int>) -> Bool {
    var events = SpanSet()
    for index in chosen { events.insert(pieces[index].span) }
    return events.spans.allSatisfy { span in
      Checkpoint.cuts(of: span.seqs).allSatisfy { seqs in
        parents(of: EventSpan(replica: span.replica, seqs: seqs)).allSatisfy {
          events.contains(EventSpan(replica: $0.replica, seqs: $0.seq..<$0.seq + 1))
        }
      }
    }
  }

  private func parents(of span: EventSpan) -> [EventID] { (try? update(of: span)?.outerParents()) ?? [] }

  /// O(n log n) for n pieces and what they follow.
  private func removeWhatFollowsOthers(from plain: inout Set<Int>) {
    var byReplica: [ReplicaID: [Int]] = [:]
    for index in plain { byReplica[pieces[index].span.replica, default: []].append(index) }
    for replica in byReplica.keys {
      byReplica[replica]?.sort { pieces[$0].span.seqs.lowerBound < pieces[$1].span.seqs.lowerBound }
    }
    func holder(of event: EventID) -> Int? {
      guard let list = byReplica[event.replica] else { return nil }
      var (low, high) = (0, list.count)
      while low < high {
        let middle = (low + high) / 2
        if pieces[list[middle]].span.seqs.upperBound <= event.seq { low = middle + 1 } else { high = middle }
      }
      guard low < list.count, pieces[list[low]].span.seqs.contains(event.seq) else { return nil }
      return list[low]
    }
    var followers: [Int: [Int]] = [:]
    var leaving: [Int] = []
    for index in plain {
      var isComplete = true
      for parent in parents(of: pieces[index].span) {
        if let holder = holder(of: parent) {
          followers[holder, default: []].append(index)
        } else {
          isComplete = false
        }
      }
      if !isComplete { leaving.append(index) }
    }
    while let index = leaving.popLast() {
      guard plain.remove(index) != nil else { continue }
      leaving += followers[index] ?? []
    }
  }
}

extension Transaction {
  /// The checkpoint of a room at a cursor that was read, as everybody who has read the log makes it. Nil if this file
  /// cannot tell: it was read from a later checkpoint, or what is here contradicts the log.
  func checkpointParts(of room: RoomName, at cursor: UInt64) throws -> [CheckpointPart]? {
    guard let roomID = try roomID(room), try roomStatus(room).cursor >= cursor,
      let start = try db.row("SELECT checkpoint FROM rooms WHERE id = ?", [roomID])?.unsigned(0),
      start <= cursor
    else { return nil }
    var parts: [CheckpointPart] = []
    let documents = try db.rows(
      """
      SELECT id, name, lineage, first_cursor FROM documents WHERE room = ? AND first_cursor BETWEEN 1 AND ?
      ORDER BY first_cursor, id
      """, [roomID, Int64(bitPattern: cursor)])
    for row in documents {
      guard let name = DocumentName(try row.string(1)) else { return nil }
      let key = DocumentKey(name: name, lineage: Lineage(rawValue: try row.unsigned(2)))
      let inLog = try documentInLog(
        row.integer(0), key, firstCursor: row.unsigned(3), roomID, through: Int64(bitPattern: cursor))
      guard let some = inLog?.parts() else { return nil }
      parts += some
    }
    return parts
  }

  /// Nil if an entry that waits in the document cannot be found there.
  private func documentInLog(
    _ id: Int64, _ key: DocumentKey, firstCursor: UInt64, _ roomID: Int64, through cursor: Int64
  ) throws -> DocumentInLog? {
    let document = try loaded(id).document
    let rows = try db.rows(
      """
      SELECT e.replica, e.first, e."end", e.cursor, h.payload, h.kind FROM entries e
      LEFT JOIN held h ON h.room = e.room AND h.cursor = e.cursor WHERE e.document = ?1 AND e.cursor <= ?2
      UNION ALL SELECT replica, first, "end", 0, NULL, NULL FROM checkpoint_spans WHERE document = ?1 AND cursor <= ?2
      """, [id, cursor])
    var waiting: [EventSpan: [Update]] = [:]
    for update in document.waitingUpdates where update.spans.count == 1 {
      waiting[update.spans[0], default: []].append(update)
    }
    var pieces: [DocumentInLog.Piece] = []
    for row in rows {
      let place = try row.unsigned(3)
      var piece = DocumentInLog.Piece(
        span: try row.span(0), cursor: place == 0 ? nil : place, payload: try row.optionalBytes(4),
        kind: try row.optionalInteger(5).flatMap { HeldKind(rawValue: $0) })
      let isMerged = document.versionVector[piece.span.replica] >= piece.span.seqs.upperBound
      if piece.payload == nil, !isMerged {
        guard place > 0, let found = waiting[piece.span], found.count == 1 else { return nil }
        piece.payload = found[0].bytes
      }
      pieces.append(piece)
    }
    let fresh = try renamings(of: id).map(\.fresh)
    return DocumentInLog(
      key: key, firstCursor: firstCursor, document: document, pieces: pieces,
      tips: try tips(of: id, at: cursor),
      fresh: Set(fresh))
  }
}
