import GRDB
import RopewalkCore

/// Events that were given another id, since others stand under theirs in the log: those of one replica from `event` on,
/// as far as they were known.
struct Renaming {
  let event: EventID
  let fresh: ReplicaID
}

// Two files may hold the same unsent events, after one was merged into the other. Where one of them has given them
// another id, the other one learns that from it: else they would be there under both.
extension Transaction {
  func noteRenaming(_ renaming: Renaming, of document: Int64) throws {
    try db.run(
      "INSERT OR IGNORE INTO renamings (document, replica, first, fresh) VALUES (?, ?, ?, ?)",
      [document, renaming.event.replica.stored, Int64(renaming.event.seq), renaming.fresh.stored])
  }

  /// What was renamed in a document; of one replica the later events first.
  func renamings(of document: Int64) throws -> [Renaming] {
    try db.rows(
      "SELECT replica, first, fresh FROM renamings WHERE document = ? ORDER BY replica, first DESC",
      [document]
    ).map { row in
      Renaming(
        event: EventID(
          replica: ReplicaID(rawValue: try row.unsigned(0)), seq: UInt32(clamping: try row.integer(1))),
        fresh: ReplicaID(rawValue: try row.unsigned(2)))
    }
  }

  /// Renames unsent events of a document as they were renamed elsewhere.
  func follow(_ renamings: [Renaming], in loaded: inout LoadedDocument) throws -> [TextPatch] {
    var patches: [TextPatch] = []
    while let renaming = try renamings.first(where: {
      try $0.fits(loaded.document) && isUnsent($0.event, in: loaded.id)
    }) {
      patches += try rename(renaming.event, as: renaming.fresh, in: &loaded)
    }
    return patches
  }

  /// A document with its unsent events renamed as they were elsewhere, and how they were. Nothing is stored.
  func following(_ renamings: [Renaming], in loaded: LoadedDocument) throws -> (TextDocument, [Renaming]) {
    var (document, followed) = (loaded.document, [Renaming]())
    while let renaming = try renamings.first(where: { renaming in
      try renaming.fits(document)
        && (followed.contains { $0.fresh == renaming.event.replica }
          || isUnsent(renaming.event, in: loaded.id))
    }) {
      document = document.reauthoring(renaming.event.replica, from: renaming.event.seq, as: renaming.fresh)
      followed.append(renaming)
    }
    return (document, followed)
  }
}

extension Renaming {
  /// Whether a document has the events, and not others that stand under their ids in the log. An id that was not
  /// derived from them says nothing.
  fileprivate func fits(_ document: TextDocument) -> Bool {
    document.versionVector.contains(event) && document.versionVector[fresh] == 0
      && document.derivedID(for: event) == fresh
  }
}

extension [Renaming] {
  /// What a span of events is called now, in the order of the renamings.
  func applied(to span: EventSpan) -> [EventSpan] {
    reduce([span]) { spans, renaming in
      spans.flatMap { span -> [EventSpan] in
        let first = renaming.event.seq
        guard span.replica == renaming.event.replica, span.seqs.upperBound > first else { return [span] }
        let from = Swift.max(first, span.seqs.lowerBound)
        let moved = EventSpan(replica: renaming.fresh, seqs: from - first..<span.seqs.upperBound - first)
        if from == span.seqs.lowerBound { return [moved] }
        return [EventSpan(replica: span.replica, seqs: span.seqs.lowerBound..<from), moved]
      }
    }
  }
}
