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
      let (patches, failure) = together.apply(order)
      #expect(failure == nil)
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

  @Test func theFirstThatCannotBeMergedIsNamedAndThoseBeforeItAre() throws {
    let (_, updates) = concurrentUpdates()
    var clash = document(1)
    clash.insert("z", at: 0)
    let wrong = clash.update(since: VersionVector())
    var some = TextDocument()
    let (patches, failure) = some.apply(Array(updates[..<10]) + [wrong] + updates[10...])
    #expect(failure?.index == 10)
    #expect(failure?.error == .idClash(EventID(replica: ReplicaID(rawValue: 1), seq: 0)))
    #expect(some.eventCount == 10)
    #expect(patches.reduce(0) { $0 + $1.inserted.count - $1.deleted } == 10)
  }
}
