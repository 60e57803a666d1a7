import GRDB
import RopewalkCore

extension Transaction {
  /// Who writes in this session: drawn at the first edit after opening, and never an id that this file has
  /// seen.
  func author() throws -> ReplicaID {
    if let author = state.author {
      if state.authorIsRecorded { return author }
      let row = try db.row("SELECT is_retired FROM authors WHERE replica = ?", [author.stored])
      if let row {
        if try !row.flag(0) {
          recordedAuthor = true
          return author
        }
      } else {
        // The transaction that drew it was rolled back.
        try record(author)
        return author
      }
    }
    let author = try drawAuthor()
    state.author = author
    return author
  }

  /// Who writes in a document: an id under which nothing waits there, since that is somebody else's.
  func author(in document: TextDocument) throws -> ReplicaID {
    let waiting = document.waitingUpdates
    while true {
      let author = try author()
      guard waiting.contains(where: { $0.spans.contains { $0.replica == author } }) else { return author }
      try retire(author)
    }
  }

  /// Draws an id and writes it down.
  func drawAuthor() throws -> ReplicaID {
    for _ in 0..<16 {
      let id = options.drawReplicaID()
      if try hasWritten(as: id) { continue }
      try record(id)
      return id
    }
    throw ReplicaError.idClash(EventID(replica: options.drawReplicaID(), seq: 0))
  }

  private func record(_ author: ReplicaID) throws {
    try db.run(
      "INSERT INTO authors (replica, since) VALUES (?, ?)",
      [author.stored, Int64(bitPattern: options.now())])
    recordedAuthor = true
  }

  /// Makes the events of an id count as written here.
  func recordForeignAuthor(_ id: ReplicaID) throws {
    try db.run(
      "INSERT OR IGNORE INTO authors (replica, since) VALUES (?, ?)",
      [id.stored, Int64(bitPattern: options.now())])
  }

  /// Nobody writes under this id any more.
  func retire(_ id: ReplicaID) throws {
    try db.run("UPDATE authors SET is_retired = 1 WHERE replica = ?", [id.stored])
    if state.author == id { state.author = nil }
  }

  /// Whether something was written in this file under an id.
  func hasWritten(as id: ReplicaID) throws -> Bool {
    try db.row("SELECT 1 FROM authors WHERE replica = ?", [id.stored]) != nil
  }

  /// The ids that were written under in this file.
  func authors() throws -> Set<ReplicaID> {
    Set(try db.rows("SELECT replica FROM authors").map { ReplicaID(rawValue: try $0.unsigned(0)) })
  }
}
