import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkReplica

/// Parts of a checkpoint are taken in by small transactions, and may come again after an attempt that was not finished.
@Suite struct CheckpointSlicesTests {
  private static let room = RoomName("room")!
  private static let key = DocumentKey(name: DocumentName("notes.md")!, lineage: .blank)

  private static func parts(_ text: String, by replica: UInt64) throws -> [AttributedPart] {
    var author = TextDocument()
    author.replica = ReplicaID(rawValue: replica)
    author.insert(text, at: 0)
    return try Checkpoint.cuts(of: 0..<UInt32(text.unicodeScalars.count)).map { seqs in
      let span = EventSpan(replica: ReplicaID(rawValue: replica), seqs: seqs)
      let payload = try #require(author.update(of: span)).bytes
      let header = EntryHeader(document: key, span: span)
      return AttributedPart(
        part: CheckpointPart(cursor: 1, header: header, payload: payload), subject: Array("bob".utf8), time: 1
      )
    }
  }

  private static func batch(
    _ parts: [AttributedPart], at cursor: UInt64 = 50, isLast: Bool = true
  ) -> CheckpointBatch {
    let digest = LogDigest.zero.extended(by: parts[0].part)
    return CheckpointBatch(
      head: LogHead(cursor: cursor, digest: digest), first: 0, parts: parts, isLast: isLast)
  }

  /// Two of its parts fill a slice.
  private static let length = 5 << 15
  private static let long = String(repeating: "🎉", count: length)

  @Test func anEditGetsItsTurnBetweenTheSlicesOfACheckpoint() throws {
    let scratch = try Scratch()
    let replica = try scratch.open()
    let document = try replica.document("notes.md", in: "room")
    let batch = Self.batch(try Self.parts(Self.long, by: 7))
    var slices = CheckpointSlices(batch)
    var count = 0
    while !slices.isEmpty {
      #expect(try replica.status(of: Self.room).cursor == 0)
      _ = try replica.receive(&slices, in: Self.room)
      try document.insert("!", at: 0)
      count += 1
    }
    #expect(count > 2)
    #expect(try replica.status(of: Self.room).cursor == 50)
    #expect(try replica.status(of: Self.room).digest == batch.head.digest)
    #expect(try document.text.unicodeScalars.count == Self.length + count)
    try replica.close()
    #expect(try Replica.verify(path: scratch.path()).damage == [])
  }

  /// The program ends between two slices; or another process reads the same checkpoint into the file.
  @Test(arguments: [false, true]) func whatWasTakenInTwiceIsThereOnce(byAnother: Bool) throws {
    let scratch = try Scratch()
    let first = try scratch.open()
    let batch = Self.batch(try Self.parts(Self.long, by: 7))
    var slices = CheckpointSlices(batch)
    _ = try first.receive(&slices, in: Self.room)
    _ = try first.receive(&slices, in: Self.room)
    if !byAnother { try first.close() }
    let second = try scratch.open()
    var again = CheckpointSlices(batch)
    _ = try second.receive(&again, in: Self.room)
    let (finishing, late) = byAnother ? (first, second) : (second, nil)
    if byAnother { (slices, again) = (again, slices) }
    while !again.isEmpty { _ = try finishing.receive(&again, in: Self.room) }
    if let late {
      #expect(throws: ReplicaError.outOfStep(cursor: 50)) { try late.receive(&slices, in: Self.room) }
    }
    #expect(try finishing.status(of: Self.room).needsOffer == false)
    let document = try finishing.document("notes.md", in: "room")
    #expect(try document.text.unicodeScalars.count == Self.length)
    let spans = try document.history().filter { $0.origin == .checkpoint }.map(\.span)
    #expect(spans.reduce(0) { $0 + $1.seqs.count } == Self.length)
    #expect(try finishing.checkpointParts(of: Self.room, at: 50) == batch.parts.map(\.part))
    for replica in byAnother ? [first, second] : [second] { try replica.close() }
    #expect(try Replica.verify(path: scratch.path()).damage == [])
  }

  /// What comes instead of the rest of a checkpoint that seemed to hold what was written here.
  enum Instead: CaseIterable { case otherCheckpoint, otherAtTheSameCursor, entries }

  @Test(arguments: Instead.allCases) func whatOnlyAnUnfinishedCheckpointHeldIsSentAgain(_ kind: Instead)
    throws
  {
    let scratch = try Scratch()
    let replica = try scratch.open("replica.sqlite", .drawing(100))
    let document = try replica.document("notes.md", in: "room")
    try document.insert("mine", at: 0)
    let mine = Self.batch(try Self.parts("mine", by: 100), isLast: false)
    _ = try replica.receive(mine, in: Self.room)
    #expect(try replica.cuts(in: Self.room, maximumBytes: 1000, limit: 4, excluding: []).isEmpty)
    let others = try Self.parts("theirs", by: 7)
    var cursor: UInt64 = 50
    switch kind {
    case .otherCheckpoint:
      cursor = 60
      _ = try replica.receive(Self.batch(others, at: 60), in: Self.room)
    case .otherAtTheSameCursor:
      #expect(throws: ReplicaError.outOfStep(cursor: 0)) {
        try replica.receive(Self.batch(others), in: Self.room)
      }
      _ = try replica.receive(Self.batch(others), in: Self.room)
    case .entries:
      cursor = 1
      let entry = others[0].entry
      _ = try replica.receive([entry], cursor: 1, digest: entry.digest(after: .zero), in: Self.room)
    }
    #expect(try replica.status(of: Self.room).cursor == cursor)
    try replica.settle(Self.room, at: cursor)
    let cuts = try replica.cuts(in: Self.room, maximumBytes: 1000, limit: 4, excluding: [])
    #expect(cuts.map(\.header.span) == [EventSpan(replica: ReplicaID(rawValue: 100), seqs: 0..<4)])
    #expect(try document.text.utf8.count == 10)
    try replica.close()
    #expect(try Replica.verify(path: scratch.path()).damage == [])
  }

  /// A checkpoint that was false is gone with its log. Who has read it makes the right one after the next full reading.
  @Test func whatAFalseCheckpointHeldDoesNotCountAfterTheNextFullReading() throws {
    let scratch = try Scratch()
    let replica = try scratch.open()
    let document = try replica.document("notes.md", in: "room")
    let wrong = Self.batch(try Self.parts("false!", by: 7))
    _ = try replica.receive(wrong, in: Self.room)
    #expect(try replica.checkpointParts(of: Self.room, at: 50) == wrong.parts.map(\.part))
    try replica.restart(Self.room)
    let right = Self.batch(try Self.parts("theirs", by: 7), at: 60)
    _ = try replica.receive(right, in: Self.room)
    #expect(try replica.checkpointParts(of: Self.room, at: 60) == right.parts.map(\.part))
    #expect(try document.text.contains("theirs"))
  }
}
