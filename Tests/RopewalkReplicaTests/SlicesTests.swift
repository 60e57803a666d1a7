import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkReplica

/// What comes from the log in great numbers is taken in by small transactions.
@Suite struct SlicesTests {
  private static let room = RoomName("room")!
  private static let notes = DocumentName("notes.md")!

  /// A log of what one author typed, each letter an entry.
  private static func log(
    _ count: Int, documents: Int = 1, text: String = "a", reversed: Bool = false
  ) throws -> (entries: [LogEntry], digest: LogDigest) {
    var entries: [LogEntry] = []
    for number in 0..<documents {
      var author = TextDocument()
      author.replica = ReplicaID(rawValue: 7 + UInt64(number))
      let name = documents == 1 ? notes : try #require(DocumentName("notes\(number).md"))
      let key = DocumentKey(name: name, lineage: .blank)
      for index in 0..<count {
        let before = author.versionVector
        author.insert(text, at: index)
        let update = author.update(since: before)
        entries.append(
          LogEntry(
            cursor: 0, subject: Array("bob".utf8), time: 1,
            header: EntryHeader(document: key, span: update.spans[0]), payload: update.bytes))
      }
    }
    if reversed { entries.reverse() }
    var digest = LogDigest.zero
    for index in entries.indices {
      let entry = entries[index]
      entries[index] = LogEntry(
        cursor: UInt64(index + 1), subject: entry.subject, time: entry.time, header: entry.header,
        payload: entry.payload)
      digest = entries[index].digest(after: digest)
    }
    return (entries, digest)
  }

  @Test func anEditGetsItsTurnBetweenTheSlicesOfABacklog() throws {
    let scratch = try Scratch()
    let replica = try scratch.open()
    let document = try replica.document("notes.md", in: "room")
    let (entries, digest) = try Self.log(4000)
    var slices = EntrySlices(entries, cursor: 4000, digest: digest)
    var cursors: [UInt64] = []
    while !slices.isEmpty {
      _ = try replica.receive(&slices, in: Self.room)
      cursors.append(try replica.status(of: Self.room).cursor)
      // The cursor is where the slice ends, so that nothing is lost or comes twice if the program ends here.
      try document.insert("!", at: 0)
    }
    #expect(cursors.last == 4000)
    let most = UInt64(EntrySlices.mostWeight / EntrySlices.entryWeight)
    let sizes = zip(cursors, [0] + cursors).map { $0 - $1 }
    #expect(sizes.allSatisfy { $0 <= most })
    #expect(sizes.count >= 4000 / Int(most))
    let text = try document.text
    #expect(text.utf8.count { $0 == UInt8(ascii: "a") } == 4000)
    #expect(text.utf8.count { $0 == UInt8(ascii: "!") } == cursors.count)
    try replica.close()
    #expect(try Replica.verify(path: scratch.path()).damage == [])
  }

  @Test func aSliceEndsWhereMuchMustBeReadOrWritten() throws {
    let scratch = try Scratch()
    let replica = try scratch.open()
    // Entries of 50 KB each, and one that is larger than a slice by itself.
    let (entries, digest) = try Self.log(20, text: String(repeating: "long", count: 12_500))
    var slices = EntrySlices(entries, cursor: 20, digest: digest)
    var count = 0
    while !slices.isEmpty {
      _ = try replica.receive(&slices, in: Self.room)
      count += 1
    }
    #expect(count == 4)
    let huge = try Self.log(2, text: String(repeating: "long", count: 70_000))
    let other = try scratch.open("other.sqlite")
    slices = EntrySlices(huge.entries, cursor: 2, digest: huge.digest)
    count = 0
    while !slices.isEmpty {
      _ = try other.receive(&slices, in: Self.room)
      count += 1
    }
    #expect(count == 2)
    #expect(try other.document("notes.md", in: "room").text.utf8.count == 560_000)
  }

  @Test func whatAnotherProcessTookInBetweenSlicesIsPassedOver() throws {
    let scratch = try Scratch()
    let (first, second) = (try scratch.open(), try scratch.open())
    let (entries, digest) = try Self.log(3000)
    var slices = EntrySlices(entries, cursor: 3000, digest: digest)
    _ = try first.receive(&slices, in: Self.room)
    _ = try second.receive(entries, cursor: 3000, digest: digest, in: Self.room)
    while !slices.isEmpty { _ = try first.receive(&slices, in: Self.room) }
    #expect(try first.status(of: Self.room).cursor == 3000)
    #expect(try first.document("notes.md", in: "room").text.utf8.count == 3000)
    // And entries that lead elsewhere are refused before any of them is taken in.
    let third = try scratch.open("third.sqlite")
    var wrong = EntrySlices(entries, cursor: 3000, digest: .zero)
    #expect(throws: ReplicaError.outOfStep(cursor: 0)) { try third.receive(&wrong, in: Self.room) }
    #expect(try third.status(of: Self.room).cursor == 0)
  }

  /// Looking through all that waits at each entry would take minutes here.
  @Test func thousandsOfEntriesThatWaitAreMergedWhenWhatTheyFollowComes() throws {
    let scratch = try Scratch()
    let replica = try scratch.open()
    let (entries, digest) = try Self.log(5000, reversed: true)
    // One by one, as they come when others type.
    var reached = LogDigest.zero
    for entry in entries.prefix(200) {
      reached = entry.digest(after: reached)
      _ = try replica.receive([entry], cursor: entry.cursor, digest: reached, in: Self.room)
    }
    _ = try replica.receive(
      Array(entries.dropFirst(200)), cursor: UInt64(entries.count), digest: digest, in: Self.room)
    #expect(try replica.document("notes.md", in: "room").text == String(repeating: "a", count: 5000))
    #expect(try replica.held().isEmpty)
  }

  /// Somebody guesses the id under which a victim writes, and what the victim will write next.
  @Test func entriesThatFollowWhatIsNotSentWaitUntilItIs() throws {
    let scratch = try Scratch()
    var options = ReplicaOptions.drawing(100)
    // Each of the ids waits: more than the free tips would be in excess.
    options.tipLimits.free = 300
    let replica = try scratch.open("replica.sqlite", options)
    let document = try replica.document("notes.md", in: "room")
    for index in 0..<300 { try document.insert("v", at: index) }
    let key = DocumentKey(name: Self.notes, lineage: .blank)
    var victim = TextDocument()
    victim.replica = ReplicaID(rawValue: 100)
    for index in 0..<300 { victim.insert("v", at: index) }
    var entries: [LogEntry] = []
    for number in 0..<300 as Range<UInt32> {
      var known = TextDocument()
      let span = EventSpan(replica: ReplicaID(rawValue: 100), seqs: 0..<number + 1)
      _ = try known.apply(#require(victim.update(of: span)))
      known.replica = ReplicaID(rawValue: 1000 + UInt64(number))
      known.insert("h", at: 0)
      let update = try #require(
        known.update(of: EventSpan(replica: ReplicaID(rawValue: 1000 + UInt64(number)), seqs: 0..<1)))
      entries.append(
        LogEntry(
          cursor: UInt64(number + 1), subject: Array("eve".utf8), time: 1,
          header: EntryHeader(document: key, span: update.spans[0]), payload: update.bytes))
    }
    var digest = LogDigest.zero
    for entry in entries { digest = entry.digest(after: digest) }
    _ = try replica.receive(entries, cursor: 300, digest: digest, in: Self.room)
    #expect(try document.text.utf8.count == 300)
    #expect(try replica.held().count == 300)
    // The victim's come, in pieces: what waits for each is merged with it, and nothing else.
    for start in stride(from: 0 as UInt32, to: 300, by: 100) {
      let span = EventSpan(replica: ReplicaID(rawValue: 100), seqs: start..<start + 100)
      let entry = LogEntry(
        cursor: 301 + UInt64(start) / 100, subject: Array("ann".utf8), time: 1,
        header: EntryHeader(document: key, span: span), payload: try #require(victim.update(of: span)).bytes)
      digest = entry.digest(after: digest)
      _ = try replica.receive([entry], cursor: entry.cursor, digest: digest, in: Self.room)
      #expect(try replica.held().count == 200 - Int(start))
    }
    #expect(try document.text.utf8.count == 600)
    try replica.close()
    #expect(try Replica.verify(path: scratch.path()).damage == [])
  }
}
