import RopewalkCore

/// Documents whose bytes stand in `DocumentBytes.swift`.
enum DocumentFixtures {
  /// What one person typed, with characters of one to four bytes, and took back in part.
  static let typed: TextDocument = {
    var document = TextDocument()
    document.replica = ReplicaID(rawValue: 0xfedc_ba98_7654_3210)
    document.insert("aé漢🐕", at: 0)
    document.insert("mid", at: 2)
    document.delete(1..<4)
    for scalar in ["z", "y", "x"] { document.insert(scalar, at: 0) }
    return document
  }()

  /// A seed that three people edited at once and merged.
  static let merged: TextDocument = {
    let seed = TextDocument(seed: "A rope has three strands.\n")
    var people = [1, 2, 0x8000_0000_0000_0000 as UInt64].map { number in
      var copy = seed
      copy.replica = ReplicaID(rawValue: number)
      return copy
    }
    people[0].insert("strong ", at: 2)
    people[1].replace(11..<16, with: "many")
    people[2].delete(0..<2)
    people[2].insert("Ein Seil: ", at: 0)
    for person in people[1...] { _ = try? people[0].apply(person.update(since: VersionVector())) }
    people[0].insert("End.", at: people[0].scalarCount)
    return people[0]
  }()

  /// `merged`, with an update that waits for events of somebody else.
  static let waiting: TextDocument = {
    var other = TextDocument(seed: "A rope has three strands.\n")
    other.replica = ReplicaID(rawValue: 77)
    other.insert("abcdef", at: 0)
    var document = merged
    if let part = other.update(of: EventSpan(replica: ReplicaID(rawValue: 77), seqs: 3..<6)) {
      _ = try? document.apply(part)
    }
    return document
  }()
}
