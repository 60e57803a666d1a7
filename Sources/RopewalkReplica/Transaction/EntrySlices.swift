import RopewalkSync

/// Entries that continue a room's log, on their way into a file in slices, each in a transaction of its own, so that
/// nobody who types waits for all of them.
package struct EntrySlices {
  /// About how much a slice takes, in bytes that are read or written for it. A single entry may take more.
  static let mostWeight = 256 * 1024
  /// What an entry takes besides its payload.
  static let entryWeight = 256

  private var rest: ArraySlice<LogEntry>
  private let cursor: UInt64
  private let digest: LogDigest
  /// The log's digest after the last slice; nil before the first.
  private var reached: LogDigest?

  /// - Parameters:
  ///   - cursor: that of the last entry, where the log's digest is `digest`.
  package init(_ entries: [LogEntry], cursor: UInt64, digest: LogDigest) {
    rest = entries[...]
    (self.cursor, self.digest) = (cursor, digest)
  }

  /// Whether all were taken in.
  package var isEmpty: Bool { rest.isEmpty }

  /// Passes over what the file has, and makes sure that the rest continues it and leads to the digest. Returns
  /// false if nothing is left. Throws `outOfStep` if it does not fit.
  mutating func go(on status: RoomStatus) throws -> Bool {
    if cursor <= status.cursor {
      rest = []
      return false
    }
    rest = rest.drop { $0.cursor <= status.cursor }
    guard rest.first?.cursor == status.cursor &+ 1, rest.last?.cursor == cursor else {
      throw ReplicaError.outOfStep(cursor: status.cursor)
    }
    // As long as nobody else has taken some in, what was made sure before the first slice is so.
    if reached == status.digest { return true }
    guard rest.reduce(status.digest, { $1.digest(after: $0) }) == digest else {
      throw ReplicaError.outOfStep(cursor: status.cursor)
    }
    reached = status.digest
    return true
  }

  /// Takes out the next slice, at least one entry; `digest` is the log's after it.
  ///
  /// - Parameter weight: of a document of which the slice has an entry: what is read and written to change it.
  mutating func next(weight: (DocumentKey) throws -> Int) rethrows -> (
    slice: ArraySlice<LogEntry>, digest: LogDigest
  ) {
    var (count, total) = (0, 0)
    var documents: Set<DocumentKey> = []
    var reached = self.reached ?? digest
    for entry in rest {
      total += Self.entryWeight + entry.payload.count
      if documents.insert(entry.header.document).inserted { total += try weight(entry.header.document) }
      if count > 0, total > Self.mostWeight { break }
      count += 1
      reached = entry.digest(after: reached)
    }
    let slice = rest.prefix(count)
    rest = rest.dropFirst(count)
    self.reached = reached
    return (slice, reached)
  }
}

extension Transaction {
  /// About how many bytes are read and written to change a document, besides those of the entries.
  func weight(of key: DocumentKey, in room: RoomName) throws -> Int {
    guard let id = try documentID(key, in: room) else { return 0 }
    if state.documents[id] != nil { return 0 }
    let row = try db.row("SELECT length(snapshot) FROM snapshots WHERE document = ?", [id])
    return Int(try row?.integer(0) ?? 0)
  }
}
