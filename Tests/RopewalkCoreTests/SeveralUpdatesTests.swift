import RopewalkCore
import Testing

@Suite struct SeveralUpdatesTests {
  private func document(_ replica: UInt64) -> TextDocument {
    var document = TextDocument()
    document.replica = ReplicaID(rawValue: replica)
    return document
  }

  /// Single letters that two type at once, as the updates of each.
  private func concurrentUpdates() -> (TextDocument, [Update]) {
    var (a, b) = (document(1), document(2))
    var updates: [Update] = []
    for number in 0..<50 {
      for (replica, letter) in [(1, "a"), (2, "b")] {
        let before = replica == 1 ? a.versionVector : b.versionVector
        if replica == 1 { a.insert(letter, at: number) } else { b.insert(letter, at: 0) }
        updates.append(replica == 1 ? a.update(since: before) : b.update(since: before))
      }
    }
    for update in updates { _ = try? a.apply(update) }
    return (a, updates)
  }

  @Test func severalUpdatesAtOnceAreAsOneByOne() throws {
    let (expected, updates) = concurrentUpdates()
    for order in [updates, Array(updates.reversed()), updates + updates] {
      var together = document(3)
      together.insert("own ", at: 0)
      let before = Array(together.text.unicodeScalars)
      let (patches, failures) = together.apply(order)
      #expect(failures.isEmpty)
      #expect(together.pendingEventCount == 0)
      var shown = before
      for patch in patches {
        shown.replaceSubrange(
          patch.position..<patch.position + patch.deleted, with: patch.insertedText.unicodeScalars)
      }
      #expect(shown == Array(together.text.unicodeScalars))
      var singly = TextDocument()
      for update in updates { _ = try singly.apply(update) }
      #expect(singly.text == expected.text)
      #expect(together.text.filter { $0 == "a" || $0 == "b" } == expected.text)
    }
  }

  @Test func thoseThatCannotBeMergedAreNamedAndAllOthersAre() throws {
    let (expected, updates) = concurrentUpdates()
    var clash = document(1)
    clash.insert("z", at: 0)
    let wrong = clash.update(since: VersionVector())
    let elsewhere = TextDocument(seed: "seed").update(since: VersionVector())
    var some = TextDocument()
    let order = Array(updates[..<10]) + [wrong] + updates[10..<50] + [elsewhere] + updates[50...]
    let (patches, failures) = some.apply(order)
    #expect(failures.map { $0.index } == [10, 51])
    #expect(failures.first?.error == .idClash(EventID(replica: ReplicaID(rawValue: 1), seq: 0)))
    #expect(some.text == expected.text)
    #expect(patches.reduce(0) { $0 + $1.inserted.count - $1.deleted } == 100)
  }

  /// In the order in which they came, the walk would go from one branch to another at each update.
  @Test func branchesThatTakeTurnsAreTakenInOneAfterTheOther() throws {
    var branches = (1...5).map { document($0) }
    var updates: [[Update]] = []
    for index in branches.indices {
      updates.append([])
      for number in 0..<40 {
        let before = branches[index].versionVector
        branches[index].insert("\(index)", at: number / 2)
        updates[index].append(branches[index].update(since: before))
      }
    }
    var merged = TextDocument()
    _ = merged.apply((0..<40).flatMap { number in updates.map { $0[number] } })
    // A document's update has its events in the order in which it took them in.
    var singly = TextDocument()
    for number in 0..<40 { for branch in updates { _ = try singly.apply(branch[number]) } }
    #expect(singly.text == merged.text)
    let (together, byTurns) = (merged.update(since: VersionVector()), singly.update(since: VersionVector()))
    #expect(together.bytes.count < byTurns.bytes.count / 2)
    // Those that follow each other keep their order, and none waits.
    var (a, b) = (document(1), document(2))
    var answers: [Update] = []
    for number in 0..<30 {
      for replica in 1...2 {
        let before = replica == 1 ? a.versionVector : b.versionVector
        if replica == 1 { a.insert("a", at: number) } else { b.insert("b", at: number) }
        answers.append(replica == 1 ? a.update(since: before) : b.update(since: before))
        if number % 3 > 0 {
          if replica == 1 { _ = try b.apply(answers[answers.count - 1]) }
          if replica == 2 { for update in answers.suffix(2) { _ = try a.apply(update) } }
        }
      }
    }
    var read = TextDocument()
    let result = read.apply(answers)
    #expect(result.failures.isEmpty)
    #expect(read.pendingEventCount == 0)
    for update in answers { _ = try a.apply(update) }
    #expect(read.text == a.text)
  }
}
