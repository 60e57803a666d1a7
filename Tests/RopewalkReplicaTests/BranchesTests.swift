import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkReplica

/// A subject that writes on too many branches at once: what is in excess is the same for everybody, and nobody who
/// writes as people do is ever meant.
@Suite struct BranchesTests {
  private static let room = BranchingLog.room
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func open(_ name: String, free: Int = 3, most: Int = 6) throws -> Replica {
    var options = ReplicaOptions.forTests()
    (options.tipLimits.free, options.tipLimits.most) = (free, most)
    options.updatesPerSnapshot = 20
    return try scratch.open(name, options)
  }

  private func deliver(_ log: BranchingLog, _ range: Range<Int>, to replica: Replica) throws {
    guard !range.isEmpty else { return }
    _ = try replica.receive(
      Array(log.entries[range]), cursor: UInt64(range.upperBound), digest: log.digests[range.upperBound],
      in: Self.room)
  }

  private func excess(_ replica: Replica) throws -> Set<UInt64> {
    Set(try replica.held().filter { $0.reason == Transaction.isInExcess }.compactMap(\.cursor))
  }

  private func checkpoint(of log: BranchingLog, at cursor: Int, by replica: Replica) throws -> CheckpointBatch
  {
    let parts = try #require(try replica.checkpointParts(of: Self.room, at: UInt64(cursor)))
    return CheckpointBatch(
      head: LogHead(cursor: UInt64(cursor), digest: log.digests[cursor]), first: 0,
      parts: parts.map {
        AttributedPart(part: $0, subject: log.subject(of: $0.header.span.replica), time: 1)
      }, isLast: true)
  }

  /// What everybody must find alike: what is in excess, what a checkpoint is, and the text.
  private func expectAlike(
    _ replica: Replica, _ first: Replica, _ log: BranchingLog, _ how: String, hasText: Bool = true
  ) throws {
    let end = log.entries.count
    #expect(try excess(replica) == excess(first), "\(how)")
    if hasText {
      let texts = try [replica, first].map { try $0.document("notes.md", in: "room").text }
      #expect(texts[0] == texts[1], "\(how)")
    }
    let parts = try replica.checkpointParts(of: Self.room, at: UInt64(end))
    if hasText { #expect(parts != nil, "\(how)") }
    guard let parts else { return }
    let others = try first.checkpointParts(of: Self.room, at: UInt64(end)) ?? []
    #expect(parts == others, "\(how): \(Set(parts).symmetricDifference(others))")
  }

  @Test func everybodyFindsTheSameInExcess() throws {
    let first = testSeed()
    var kinds: [CheckpointPart.Kind: Int] = [:]
    for seed in first..<first + 6 {
      try everybodyFindsTheSame(in: BranchingLog(seed: seed, entries: 60), seed, &kinds)
    }
    for kind in CheckpointPart.Kind.allCases { #expect(kinds[kind, default: 0] > 0) }
  }

  private func everybodyFindsTheSame(
    in log: BranchingLog, _ seed: UInt64, _ kinds: inout [CheckpointPart.Kind: Int]
  ) throws {
    let how = "ROPEWALK_SEED=\(seed)"
    var random = SeededGenerator(seed: seed)
    let end = log.entries.count
    let single = try open("single \(seed)")
    for index in 0..<end { try deliver(log, index..<index + 1, to: single) }
    let expected = ReferenceTips(of: log, free: 3, most: 6)
    #expect(try excess(single) == expected.excess, "\(how)")

    let (batches, other) = (try open("batches \(seed)"), try open("batches \(seed)"))
    var next = 0
    while next < end {
      let stop = min(end, next + Int.random(in: 1...20, using: &random))
      try deliver(log, next..<stop, to: Bool.random(using: &random) ? batches : other)
      next = stop
    }
    try expectAlike(batches, single, log, "in batches, by two, \(how)")
    let whole = try open("whole \(seed)")
    try deliver(log, 0..<end, to: whole)
    try expectAlike(whole, single, log, "at once, \(how)")

    // By a checkpoint that is made afterwards, and by one of that.
    let middle = Int.random(in: 1..<end, using: &random)
    let later = Int.random(in: middle..<end, using: &random)
    let newcomer = try open("newcomer \(seed)")
    let made = try checkpoint(of: log, at: middle, by: batches)
    for part in made.parts { kinds[part.part.kind, default: 0] += 1 }
    _ = try newcomer.receive(made, in: Self.room)
    try deliver(log, middle..<end, to: newcomer)
    try expectAlike(newcomer, single, log, "by a checkpoint at \(middle), \(how)")
    let last = try open("last \(seed)")
    let again = try checkpoint(of: log, at: later, by: newcomer)
    #expect(try again == checkpoint(of: log, at: later, by: single), "\(how)")
    _ = try last.receive(again, in: Self.room)
    for index in later..<end { try deliver(log, index..<index + 1, to: last) }
    try expectAlike(last, single, log, "by a checkpoint at \(later) of one at \(middle), \(how)")

    // By somebody who has much of it already, from a file or as its author, and reads the log then, or anew.
    let author = try open("author \(seed)")
    let notes = try author.document("notes.md", in: "room")
    for document in log.authors where Int.random(in: 0..<4, using: &random) == 0 {
      _ = try notes.edit { try $0.apply(document.update(since: $0.document.versionVector)) }
    }
    next = 0
    while next < end {
      let stop = min(end, next + Int.random(in: 1...20, using: &random))
      try deliver(log, next..<stop, to: author)
      next = stop
    }
    try expectAlike(author, single, log, "by an author, \(how)", hasText: false)
    for replica in [author, single] {
      try replica.restart(Self.room)
      try deliver(log, 0..<end, to: replica)
    }
    try expectAlike(author, whole, log, "by an author, anew, \(how)", hasText: false)
    try expectAlike(single, whole, log, "anew, \(how)")

    // A file brings nobody what is in excess.
    let merged = try open("merged \(seed)")
    try deliver(log, 0..<end, to: merged)
    _ = try merged.merge(from: scratch.path("author \(seed)"))
    try expectAlike(merged, whole, log, "with an author's file, \(how)", hasText: false)
    let copied = try open("copied \(seed)")
    _ = try copied.merge(from: scratch.path("whole \(seed)"))
    try expectAlike(copied, whole, log, "copied, \(how)")
    for replica in [single, batches, other, whole, newcomer, last, author, merged, copied] {
      try replica.close()
    }
    for name in ["single", "batches", "newcomer", "last", "author", "merged", "copied"] {
      #expect(try Replica.verify(path: scratch.path("\(name) \(seed)")).damage == [], "\(name), \(how)")
    }
  }

  @Test func whoWroteInExcessKeepsItAndPushesItOnce() throws {
    let own = try open("own")
    var log = BranchingLog()
    for number in 0..<6 as Range<UInt64> {
      log.push("m", log.begin(ReplicaID(rawValue: 1 + number), by: "ann"))
    }
    let notes = try own.document("notes.md", in: "room")
    try notes.insert("mine", at: 0)
    var pushed = 0
    while let cut = try own.cuts(in: Self.room, maximumBytes: 1000, limit: 1, excluding: []).first {
      log.append(cut.header, cut.payload, by: "ann")
      try own.acknowledge([(cut.header, UInt64(log.entries.count))], in: Self.room)
      pushed += 1
      try deliver(log, (pushed == 1 ? 0 : log.entries.count - 1)..<log.entries.count, to: own)
      try own.settle(Self.room, at: UInt64(log.entries.count))
      try #require(pushed < 5)
    }
    #expect(pushed == 1)
    #expect(try notes.text.contains("mine") && notes.receipts().unsentCount == 0)
    let held = try own.held()
    #expect(held.map(\.cursor) == [7] && held.map(\.subject) == ["ann"])
    let other = try open("other")
    try deliver(log, 0..<7, to: other)
    #expect(try other.document("notes.md", in: "room").text == "mmmmmm")
    try expectAlike(own, other, log, "its author", hasText: false)
  }

  /// By the numbers of the specification.
  @Test func ofManyBranchesNoMoreAreMergedThanTheBound() throws {
    var log = BranchingLog()
    for number in 0..<1100 as Range<UInt64> {
      log.push("m", log.begin(ReplicaID(rawValue: 1 + number), by: "eve"))
    }
    let replica = try scratch.open("branches", .forTests())
    try deliver(log, 0..<1100, to: replica)
    #expect(try excess(replica) == Set(1025...1100))
    #expect(try replica.document("notes.md", in: "room").text.utf8.count == 1024)
  }

  // MARK: Honest shapes

  /// By the numbers of the specification, and with many more sessions than the bound by smaller ones.
  @Test(arguments: [(64, 1024, 1200, 1100), (8, 64, 600, 100)])
  func sessionsOneAfterTheOtherAreNeverInExcess(_ free: Int, _ most: Int, _ sessions: Int, _ away: Int) throws
  {
    var log = BranchingLog()
    let laptop = log.begin(ReplicaID(rawValue: 1), by: "bot")
    log.push("L", laptop)
    let bot = log.begin(ReplicaID(rawValue: 2), by: "bot")
    log.learn(bot, from: laptop)
    var offline = 0
    for number in 0..<sessions {
      log.push("b", log.next(of: bot, number))
      // It is gone for as long as all that follow take, and has written under another id by then.
      if number + away + 1 == sessions {
        offline = log.begin(ReplicaID(rawValue: 3), by: "bot")
        log.learn(offline, from: bot)
      }
    }
    log.push("offline", offline)
    let back = log.begin(ReplicaID(rawValue: 4), by: "bot")
    for author in [offline, bot] { log.learn(back, from: author) }
    for _ in 0..<3 { log.push("x", back) }
    let replica = try open("bot", free: free, most: most)
    try deliver(log, 0..<log.entries.count, to: replica)
    #expect(try replica.held().isEmpty)
    #expect(try replica.document("notes.md", in: "room").text.utf8.count == sessions + 11)
    // What it remembers does not grow with them.
    let parts = try #require(try replica.checkpointParts(of: Self.room, at: UInt64(log.entries.count)))
    #expect(parts.count { $0.tip > 0 } == free + 1)
  }

  @Test func manyWhoTypeAtOnceAreNeverInExcess() throws {
    var log = BranchingLog()
    var people = (0..<60).map { log.begin(ReplicaID(rawValue: 1 + UInt64($0)), by: "anonymous") }
    for session in 1...4 {
      for _ in 0..<3 {
        for (index, person) in people.enumerated() {
          // Each knows all but what the last few have written.
          log.learn(person, from: people[(index + 55) % 60])
          log.push("a", person)
        }
      }
      people = people.map { person in
        let id = ReplicaID(rawValue: UInt64(session) * 1000 + UInt64(person))
        let fresh = log.begin(id, by: "anonymous")
        log.learn(fresh, from: person)
        return fresh
      }
    }
    let replica = try open("people", free: 64, most: 1024)
    try deliver(log, 0..<log.entries.count, to: replica)
    #expect(try replica.held().isEmpty)
  }

  @Test func whoTakesTheTipOfSomebodyElseStopsNobody() throws {
    var log = BranchingLog()
    let ann = log.begin(ReplicaID(rawValue: 1), by: "anonymous")
    log.push("a", ann)
    let branches = (2...6).map { log.begin(ReplicaID(rawValue: $0), by: "anonymous") }
    for branch in branches { log.push("m", branch) }
    let thief = log.begin(ReplicaID(rawValue: 7), by: "anonymous")
    log.learn(thief, from: ann)
    log.push("m", thief)
    #expect(
      ReferenceTips(of: log, free: 3, most: 6).tips.values.first?.contains { $0.rawValue == 1 }
        == false)
    // She has read all that, and goes on.
    for author in branches + [thief] { log.learn(ann, from: author) }
    log.push("a", ann)
    // Nobody else who has read it is stopped either; who has not read it is.
    let newcomer = log.begin(ReplicaID(rawValue: 8), by: "anonymous")
    log.learn(newcomer, from: ann)
    log.push("n", newcomer)
    log.push("!", log.begin(ReplicaID(rawValue: 9), by: "anonymous"))
    let replica = try open("stolen")
    try deliver(log, 0..<log.entries.count, to: replica)
    #expect(try excess(replica) == [10])
  }

  /// Nobody can know events in excess, so they are not what must be known of an id.
  @Test func entriesInExcessAreNotTheLastOfTheirID() throws {
    var log = BranchingLog()
    let branches = (1...6).map { log.begin(ReplicaID(rawValue: $0), by: "eve") }
    for branch in branches { log.push("m", branch) }
    let late = log.begin(ReplicaID(rawValue: 7), by: "eve")
    log.learn(late, from: branches[0])
    let first = log.write("a", late)
    let next = log.begin(ReplicaID(rawValue: 8), by: "eve")
    log.learn(next, from: late)
    let second = log.write("b", late)
    for entry in [second, first] { log.append(entry.header, entry.payload, by: "eve") }
    log.push("c", next)
    let replica = try open("late")
    try deliver(log, 0..<8, to: replica)
    try replica.close()
    let again = try open("late")
    try deliver(log, 8..<9, to: again)
    #expect(try excess(again) == [7])
  }

  // MARK: Checking

  @Test func tipsThatTheLogDoesNotGiveAreDamage() throws {
    var log = BranchingLog()
    for number in 0..<8 as Range<UInt64> {
      log.push("m", log.begin(ReplicaID(rawValue: 1 + number), by: "eve"))
    }
    let damages = [
      "DELETE FROM tips WHERE replica = 2": "entries: it is not in excess, and its id is not a tip",
      "UPDATE tips SET subject = 'ann' WHERE replica = 2":
        "entries: it is not in excess, and its id is not a tip",
      "UPDATE tips SET since = 3 WHERE replica = 2": "entries: it is not in excess, and its id is not a tip",
      "INSERT INTO tips VALUES (1, 7, 7, NULL, 'eve')": "entries: it is in excess, and its id is a tip",
      "INSERT INTO tips VALUES (1, 2, 5, NULL, 'eve')": "tips: a replica id is a tip twice at cursor 5",
      "INSERT INTO tips VALUES (1, 9, 5, 9, 'eve')": "tips: a tip begins or ends where the log does not go",
      "INSERT INTO tips VALUES (1, 9, 5, 5, 'eve')": "tips: a tip begins or ends where the log does not go",
      "INSERT INTO tips VALUES (1, 9, 0, 5, 'eve')": "tips: a tip begins or ends where the log does not go",
    ]
    for (index, (sql, problem)) in damages.sorted(by: { $0.key < $1.key }).enumerated() {
      let replica = try open("damaged \(index)")
      try deliver(log, 0..<8, to: replica)
      try replica.close()
      #expect(try Replica.verify(path: scratch.path("damaged \(index)")).damage == [])
      try scratch.execute(sql, in: "damaged \(index)")
      let found = try Replica.verify(path: scratch.path("damaged \(index)")).damage
      #expect(found.map { "\($0.place): \($0.problem)" } == [problem], "\(sql)")
    }
  }

  /// Entries that nobody can follow yet take no more than the free places, so that they keep nobody out.
  @Test func entriesThatWaitKeepNobodyOut() throws {
    var log = BranchingLog()
    let ann = log.begin(ReplicaID(rawValue: 1), by: "anonymous")
    log.push("a", ann)
    for number in 0..<20 as Range<UInt64> {
      let author = log.begin(ReplicaID(rawValue: 100 + number), by: "anonymous")
      _ = log.write("?", author)
      log.push("m", author)
    }
    for number in 0..<10 as Range<UInt64> {
      let newcomer = log.begin(ReplicaID(rawValue: 2 + number), by: "anonymous")
      log.learn(newcomer, from: ann)
      log.push("n", newcomer)
      log.learn(ann, from: newcomer)
    }
    let replica = try open("waiting")
    try deliver(log, 0..<log.entries.count, to: replica)
    #expect(try excess(replica) == Set(4...21))
    #expect(try replica.document("notes.md", in: "room").text.utf8.count == 11)
  }
}

extension BranchingLog {
  /// Lets an author go on as another session.
  fileprivate mutating func next(of author: Int, _ number: Int) -> Int {
    rename(author, ReplicaID(rawValue: 10_000 + UInt64(number)))
    return author
  }
}
