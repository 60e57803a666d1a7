import RopewalkCore
import Testing

/// What a sequence of events is written as, and that it is read in no other form.
@Suite struct CanonicalFormTests {
  private static func id(_ replica: UInt64, _ seq: UInt32) -> EventID {
    EventID(replica: ReplicaID(rawValue: replica), seq: seq)
  }

  private static func event(
    _ replica: UInt64, _ seq: UInt32, after parents: [EventID], _ index: Int = 0
  ) -> ReferenceEvent {
    ReferenceEvent(id: id(replica, seq), parents: parents, operation: .insert("a", at: index))
  }

  /// Replicas 1 and 2 each begin, 1 goes on after both, 3 after what 1 and 2 had first and an event from elsewhere.
  private static let merging = ReferenceEncoder.parts(of: [
    event(1, 0, after: []), event(1, 1, after: [id(1, 0)], 1), event(2, 0, after: []),
    event(1, 2, after: [id(1, 1), id(2, 0)]),
    event(3, 0, after: [id(1, 0), id(2, 0), id(8, 4), id(9, 5)]),
    event(3, 1, after: [id(1, 2), id(3, 0), id(9, 5)]),
  ])

  /// Replica 1 from event 5 on: it follows its own event before.
  private static func tail(_ events: [ReferenceEvent.Operation], parents: [EventID] = [id(1, 4)])
    -> UpdateParts
  {
    ReferenceEncoder.parts(
      of: events.enumerated().map { place, operation in
        ReferenceEvent(
          id: id(1, 5 + UInt32(place)), parents: place == 0 ? parents : [id(1, 4 + UInt32(place))],
          operation: operation)
      })
  }

  private static func read(_ bytes: [UInt8]) throws {
    let update = try Update(bytes: bytes)
    var document = TextDocument(lineage: update.lineage)
    do { _ = try document.apply(update) } catch {
      guard case .malformed(let fault) = error else { throw error }
      throw fault
    }
  }

  private static func expect(
    _ code: FormatError.Code, _ parts: UpdateParts, at location: SourceLocation = #_sourceLocation
  ) {
    #expect(throws: FormatError.self, sourceLocation: location) { try read(parts.bytes) }
    do { try read(parts.bytes) } catch {
      #expect((error as? FormatError)?.code == code, sourceLocation: location)
    }
  }

  @Test func theParentsOfAMergeAreWrittenInOneForm() throws {
    let parts = Self.merging
    #expect(parts.parents == [0, 0, 1, 2, 4, 1, 0, 4, 7, 4, 9, 5, 2, 4, 9, 5])
    #expect(parts.others == [8, 9])
    try Self.read(parts.bytes)
  }

  @Test func referencesAscendAndAreDistinct() {
    var parts = Self.merging
    parts.parents[5...6] = [4]
    parts.parents[6...7] = [1, 0]
    Self.expect(.notCanonical, parts)
    parts = Self.merging
    parts.parents[4] = 5
    parts.parents.insert(4, at: 7)
    Self.expect(.notCanonical, parts)
  }

  @Test func theEndOfAnEarlierRunIsCountedBack() {
    // The event 0 of replica 2 by its id.
    var parts = Self.merging
    parts.parents[3...3] = [3, 0]
    Self.expect(.notCanonical, parts)
    parts = Self.merging
    parts.parents[7...7] = [3, 0]
    Self.expect(.notCanonical, parts)
  }

  @Test func theOwnEventBeforeIsNeverListed() {
    // In an earlier run of the update, alone, and with another.
    var parts = Self.merging
    parts.parents[3] = 4
    Self.expect(.notCanonical, parts)
    parts = Self.merging
    parts.parents[2...3] = [2, 4, 2]
    Self.expect(.notCanonical, parts)
    // Before the update.
    for parents: [UInt64] in [[1, 1, 4], [2, 1, 4, 3, 0]] {
      parts = Self.tail([.delete(at: 3)])
      parts.parents = parents
      parts.others = parents.count > 3 ? [9] : []
      Self.expect(.notCanonical, parts)
    }
  }

  @Test func aParentComesBeforeItsChild() {
    // Itself, one of its own that comes later, and one of another that comes later in the update.
    for parents: [UInt64] in [[1, 1, 5], [1, 1, 6], [1, 1, 900]] {
      var parts = Self.tail([.delete(at: 3), .delete(at: 3)])
      parts.parents = parents
      Self.expect(.badValue, parts)
    }
    var parts = Self.merging
    parts.parents[3...3] = [5, 0]
    Self.expect(.badValue, parts)
    parts = Self.merging
    parts.parents[0...0] = [1, 1, 0]
    Self.expect(.badValue, parts)
  }

  @Test func anEventFromElsewhereIsWaitedFor() throws {
    // Of a replica with other events inside, too.
    var parts = Self.merging
    parts.parents[3...3] = [3, 7]
    try Self.read(parts.bytes)
  }

  @Test func othersStandInTheOrderOfTheirFirstUseAndAreUsed() {
    var parts = Self.merging
    parts.others = [9, 8]
    Self.expect(.notCanonical, parts)
    parts.parents[8] = 9
    parts.parents[10] = 7
    parts.parents[14] = 7
    Self.expect(.notCanonical, parts)
    parts = Self.merging
    parts.others.append(10)
    Self.expect(.notCanonical, parts)
    parts.others[2] = 9
    Self.expect(.badValue, parts)
    parts.others[2] = 1
    Self.expect(.badValue, parts)
    parts = UpdateParts()
    parts.others = [1]
    Self.expect(.notCanonical, parts)
  }

  @Test func authorsStandInTheOrderOfTheirFirstRun() {
    var parts = Self.merging
    parts.authors.swapAt(1, 2)
    parts.runAuthors = parts.runAuthors.map { [0, 2, 1][Int($0)] }
    Self.expect(.notCanonical, parts)
  }

  @Test func aRunIsAsLongAsItCanBe() {
    var parts = Self.tail([.delete(at: 9), .delete(at: 9), .insert("b", at: 2)])
    parts.runLengths = [2, 1]
    parts.runAuthors = [0, 0]
    parts.parents = [0, 0]
    Self.expect(.notCanonical, parts)
  }

  @Test(
    arguments: [
      // Typing, cut in two.
      (operations: [4, 4], positions: [10, 0]),
      // Deleting at one place.
      ([5, 5], [10, 0]), ([9, 5], [10, 0]), ([5, 9], [10, 0]),
      // Deleting backwards.
      ([5, 5], [10, 1]), ([10, 5], [10, 1]), ([5, 10], [10, 1]),
      // After one deletion, the first of two at the place before it goes on with it.
      ([5, 9], [10, 1]),
      // One deletion that is said to go backwards.
      ([6], [10]),
    ] as [([UInt64], [UInt64])])
  func anOperationIsAsLongAsItCanBe(operations: [UInt64], positions: [UInt64]) {
    var parts = Self.tail([.delete(at: 5)])
    parts.operations = operations
    parts.positions = positions
    let count = operations.reduce(0) { $0 + $1 >> 2 }
    parts.authors[0].count = count
    parts.runLengths = [count]
    parts.content = operations[0] & 3 == 0 ? [0x61, 0x62] : []
    Self.expect(.notCanonical, parts)
  }

  @Test(
    arguments: [
      (operations: [4, 5], positions: [10, 0]), ([5, 4], [10, 0]), ([4, 5], [10, 1]), ([9, 5], [10, 1]),
      ([10, 5], [10, 0]), ([10, 9], [10, 0]),
    ] as [([UInt64], [UInt64])])
  func whatDoesNotGoOnIsAnOperationOfItsOwn(operations: [UInt64], positions: [UInt64]) throws {
    var parts = Self.tail([.delete(at: 5)])
    parts.operations = operations
    parts.positions = positions
    let count = operations.reduce(0) { $0 + $1 >> 2 }
    parts.authors[0].count = count
    parts.runLengths = [count]
    parts.content = operations.contains(4) ? [0x61] : []
    try Self.read(parts.bytes)
  }

  @Test func everyIndexIsBelowTwoToTheThirtieth() throws {
    let most = 1 << 30 - 1
    try Self.read(Self.tail([.insert("a", at: most), .delete(at: most)]).bytes)
    try Self.read(Self.tail([.insert("a", at: most - 1), .insert("b", at: most)]).bytes)
    Self.expect(.badValue, Self.tail([.insert("a", at: most + 1)]))
    Self.expect(.badValue, Self.tail([.insert("a", at: most), .insert("b", at: most + 1)]))
    Self.expect(.badValue, Self.tail([.delete(at: most + 1)]))
  }

  @Test func sequenceNumbersEndBelowTwoToTheThirtyFirst() throws {
    var parts = Self.tail([.delete(at: 0)])
    parts.authors[0].first = 1 << 31 - 1
    try Self.read(parts.bytes)
    parts.authors[0].first += 1
    Self.expect(.badValue, parts)
  }

  @Test func aLineageOfZeroIsNotWritten() throws {
    var parts = Self.tail([.delete(at: 0)])
    parts.lineage = 0
    Self.expect(.notCanonical, parts)
    parts.lineage = 1
    try Self.read(parts.bytes)
    var document = TextDocument(seed: "seed")
    document.replica = ReplicaID(rawValue: 1)
    var snapshot = SnapshotParts(document.snapshot())
    snapshot.lineage = Array(repeating: 0, count: 8)
    #expect(throws: FormatError(.notCanonical, at: 3, field: "snapshot.lineage")) {
      try TextDocument(snapshot: snapshot.bytes)
    }
  }

  @Test func numbersAreInTheirShortestForm() {
    let bytes = Self.tail([.delete(at: 3)]).bytes
    let shortest: [UInt8] = [1, 0, 1, 5, 1, 6, 0]
    for place in bytes.indices.dropLast(4) where Array(bytes[place...].prefix(7)) == shortest {
      // The sizes of three columns and of the content, then their only numbers.
      for at in [place, place + 2, place + 4, place + 6] {
        var longer = bytes
        longer[at] |= 0x80
        longer.insert(0, at: at + 1)
        #expect(throws: FormatError.self) { try Self.read(Mutation.repaired(longer)) }
      }
      for at in [place + 1, place + 3, place + 5] {
        var longer = bytes
        longer[at - 1] = 2
        longer[at] |= 0x80
        longer.insert(0, at: at + 1)
        #expect(throws: FormatError.self) { try Self.read(Mutation.repaired(longer)) }
      }
      return
    }
    Issue.record("the columns were not found")
  }

  @Test func nothingFollowsWhatIsSaid() {
    for column in [\UpdateParts.parents, \.operations, \.positions] {
      var parts = Self.tail([.delete(at: 3)])
      parts[keyPath: column].append(0)
      Self.expect(.trailingBytes, parts)
    }
    var parts = Self.tail([.delete(at: 3)])
    parts.content = [0x61]
    Self.expect(.badValue, parts)
    let bytes = Mutation.repaired(Self.tail([.delete(at: 3)]).bytes + [0])
    #expect(throws: FormatError.self) { try Self.read(bytes) }
  }

  @Test func aSnapshotsWaitingUpdatesWaitAndAreThereOnce() throws {
    var document = TextDocument()
    document.replica = ReplicaID(rawValue: 1)
    document.insert("known", at: 0)
    let known = try #require(document.update(of: EventSpan(replica: ReplicaID(rawValue: 1), seqs: 0..<5)))
    let waiting = Self.tail([.delete(at: 0)], parents: [Self.id(3, 3)]).bytes
    _ = try document.apply(Update(bytes: waiting))
    let parts = SnapshotParts(document.snapshot())
    for (updates, isRead) in [
      ([waiting], true), ([], true), ([waiting, waiting], false), ([waiting, known.bytes], false),
    ] {
      var changed = parts
      changed.waiting = updates
      if isRead {
        #expect(try TextDocument(snapshot: changed.bytes).snapshot() == changed.bytes)
      } else {
        #expect(throws: FormatError.self) { try TextDocument(snapshot: changed.bytes) }
        #expect(throws: FormatError.self) { try UnreadDocument(snapshot: changed.bytes).read() }
      }
    }
  }
}
