import RopewalkCore

extension ConformanceCase {
  /// Plays the history, each transaction on a document that holds exactly its parents' events, and merges all.
  ///
  /// An agent's transactions may be concurrent with each other here, which one replica's never are. So each
  /// transaction gets a replica id of its own, ordered by (agent, seq) as the format orders events.
  public func merge() throws(TraceError) -> TextDocument {
    let pieces = try pieces()
    var uses = [Int](repeating: 0, count: pieces.count)
    for piece in pieces { for parent in piece.parents { uses[parent] += 1 } }
    let heads = pieces.indices.filter { uses[$0] == 0 }
    for head in heads { uses[head] = 1 }

    var documents = [TextDocument?](repeating: nil, count: pieces.count)
    for (index, piece) in pieces.enumerated() {
      var document = try Self.merged(piece.parents, of: &documents, &uses, at: piece.place)
      document.replica = piece.replica
      try document.perform(piece.patches) { "\(piece.place).ops[\($0)]" }
      documents[index] = document
    }
    return try Self.merged(heads, of: &documents, &uses, at: "txns")
  }

  /// The documents after some pieces as one; each is dropped at its last use, so that memory follows the width of the
  /// graph and a line of history is never copied.
  private static func merged(
    _ indexes: [Int], of documents: inout [TextDocument?], _ uses: inout [Int], at place: String
  ) throws(TraceError) -> TextDocument {
    var merged: TextDocument?
    for index in indexes {
      uses[index] -= 1
      let parent = uses[index] == 0 ? documents[index].take() : documents[index]
      guard let parent else { continue }
      if let present = merged {
        try merged?.takeIn(parent.update(since: present.versionVector), at: place)
      } else {
        merged = parent
      }
    }
    return merged ?? TextDocument()
  }
}
