import RopewalkCore
import RopewalkSync

/// Parts of a checkpoint on their way into a file in slices, each in a transaction of its own, as `EntrySlices` are.
package struct CheckpointSlices {
  private let batch: CheckpointBatch
  private var taken = 0
  /// Whether all were taken in.
  package private(set) var isEmpty = false

  /// The parts of one message; there may be none.
  package init(_ batch: CheckpointBatch) { self.batch = batch }

  /// Takes out the next slice, of at least one part if there are any.
  ///
  /// - Parameter weight: of a document of which the slice has a part: what is read and written to change it.
  mutating func next(weight: (DocumentKey) throws -> Int) rethrows -> CheckpointBatch {
    var (count, total) = (0, 0)
    var documents: Set<DocumentKey> = []
    for part in batch.parts[taken...] {
      let entry = part.entry
      total += EntrySlices.entryWeight + entry.payload.count
      if documents.insert(entry.header.document).inserted { total += try weight(entry.header.document) }
      if count > 0, total > EntrySlices.mostWeight { break }
      count += 1
    }
    let parts = Array(batch.parts[taken..<taken + count])
    let first = batch.first + UInt64(taken)
    taken += count
    isEmpty = taken == batch.parts.count
    return CheckpointBatch(head: batch.head, first: first, parts: parts, isLast: batch.isLast && isEmpty)
  }
}
