import RopewalkCore
import Testing

/// Histories of a shape that hurts, compared with the reference, and delivered in pieces.
@Suite struct ShapeTests {
  private var random: SplitMix

  init() {
    let seed = RandomSeeds(default: 1).first
    random = SplitMix(seed: seed)
  }

  @Test mutating func manyHeadsMeetInOneEvent() throws {
    var base = Author(1)
    base.insert("The quick brown fox", at: 0)
    var authors: [Author] = []
    for id in 0..<200 {
      var author = Author(random.next() | 2, of: base.document)
      author.insert("\(id)", at: 9)
      if id % 3 == 0 { author.delete(4..<8) }
      authors.append(author)
    }
    var last = Author(2, of: base.document)
    for author in authors.shuffled(using: &random) { try last.merge(author.document) }
    #expect(last.document.version.heads.count == 200)
    last.insert("!", at: 3)
    #expect(last.document.version.heads.count == 1)
    try compare(last.document, [base.events] + authors.map { $0.events } + [last.events])
  }

  @Test mutating func forksOfForks() throws {
    var authors = [Author(random.next())]
    authors[0].insert("root", at: 0)
    // Each generation forks every branch.
    for _ in 0..<6 {
      for branch in authors.indices {
        authors[branch].edit(2, using: &random)
        authors.append(Author(random.next(), of: authors[branch].document))
        authors[authors.count - 1].edit(2, using: &random)
      }
    }
    let all = authors.map { $0.events }
    // They meet pairwise, newest first, and write on.
    var ending = authors
    while ending.count > 1 {
      let other = ending.removeLast()
      try ending[ending.count - 1].merge(other.document)
    }
    try compare(ending[0].document, all)
  }

  @Test mutating func branchesThatMergeIntoEachOtherAllTheTime() throws {
    var authors = (0..<4).map { Author(random.next() | 1 << UInt64($0)) }
    for _ in 0..<120 {
      let (first, second) = (random.below(4), random.below(4))
      authors[first].edit(1, using: &random)
      authors[second].edit(1, using: &random)
      try authors[first].merge(authors[second].document)
    }
    for other in authors.dropFirst() { try authors[0].merge(other.document) }
    try compare(authors[0].document, authors.map { $0.events })
  }

  @Test mutating func longOfflineBranches() throws {
    var base = Author(7)
    base.insert(String(repeating: "lorem ipsum ", count: 20), at: 0)
    var branches = [Author(8, of: base.document), Author(9, of: base.document)]
    for branch in branches.indices { branches[branch].edit(400, using: &random) }
    try branches[0].merge(branches[1].document)
    try branches[1].merge(branches[0].document)
    #expect(branches[0].document.utf8 == branches[1].document.utf8)
    try compare(branches[0].document, [base.events, branches[0].events, branches[1].events])
  }

  @Test mutating func aThousandSessionsOneAfterAnother() throws {
    var document = TextDocument()
    var events: [[ReferenceEvent]] = []
    for id in 0..<1000 {
      var author = Author(UInt64(id), of: document)
      author.insert("s", at: random.below(document.scalarCount + 1))
      document = author.document
      events.append(author.events)
    }
    #expect(document.versionVector.entries.count == 1000)
    try compare(document, events)
  }

  @Test mutating func longRunsCutIntoSingleEvents() throws {
    var author = Author(5)
    for _ in 0..<4 {
      author.insert(String.random(300, using: &random), at: author.document.scalarCount / 2)
      author.delete(20..<80)
      for back in 0..<50 { author.delete(150 - back..<151 - back) }
    }
    let pieces = try Delivery.spans(of: author.document, longest: 1, using: &random)
    #expect(pieces.count == author.document.eventCount)
    for order in [pieces, pieces.reversed(), pieces.shuffled(using: &random)] {
      var newcomer = TextDocument()
      for piece in order { _ = try newcomer.apply(piece) }
      #expect(newcomer.utf8 == author.document.utf8)
      #expect(newcomer.pendingEventCount == 0)
      #expect(newcomer.update(since: VersionVector()) == author.document.update(since: VersionVector()))
    }
    try compare(author.document, [author.events])
  }

  /// Compares with the reference, then delivers to newcomers in several ways.
  private mutating func compare(_ document: TextDocument, _ lists: [[ReferenceEvent]]) throws {
    var reference = ReferenceHistory()
    var lists = lists.map { $0[...] }
    // Each author's events, as soon as their parents are there.
    while let next = lists.firstIndex(where: { list in
      list.first?.parents.allSatisfy { reference.numbers[$0] != nil } ?? false
    }) {
      while let event = lists[next].first, event.parents.allSatisfy({ reference.numbers[$0] != nil }) {
        reference.add(event)
        lists[next].removeFirst()
      }
    }
    try Mismatch.check("events without parents", lists.reduce(0) { $0 + $1.count }, 0)
    let all = Array(repeating: true, count: reference.events.count)
    let expected = Array(String(reference.scalars(in: all)).utf8)
    try Mismatch.check("text", document.utf8, expected)
    for _ in 0..<3 {
      var newcomer = TextDocument()
      for piece in try Delivery.pieces(of: document, using: &random) { _ = try newcomer.apply(piece) }
      try Mismatch.check("the newcomer's text", newcomer.utf8, expected)
      try Mismatch.check("events waiting", newcomer.pendingEventCount, 0)
    }
    let moment = reference.events[random.below(reference.events.count)].id
    let past = String(reference.scalars(in: reference.version([moment])))
    try Mismatch.check(
      "text at \(moment)", document.text(at: Version(heads: [moment])).map { Array($0.utf8) },
      Array(past.utf8))
  }
}
