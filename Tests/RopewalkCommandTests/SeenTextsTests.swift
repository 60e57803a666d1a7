import Ropewalk
import Testing

@testable import RopewalkCommand

@Suite struct SeenTextsTests {
  private func moment(_ counts: [UInt64: UInt32]) -> VersionVector {
    var vector = VersionVector()
    for (replica, count) in counts { vector[ReplicaID(rawValue: replica)] = count }
    return vector
  }

  /// A document with so many events, which knows a moment.
  private func document(_ count: Int) -> TextDocument {
    var document = TextDocument()
    document.replica = ReplicaID(rawValue: 1)
    document.insert(String(repeating: "x", count: count), at: 0)
    return document
  }

  @Test func whatIsEncodedIsReadAgain() throws {
    var seen = SeenTexts(saved: moment([1: 5, 9: 2]))
    #expect(SeenTexts(encoded: seen.encoded) == seen)
    seen.save(moment([1: 6]), from: (0, moment([1: 5, 9: 3])), isDoubtful: true)
    #expect(seen.undoable == [moment([1: 5, 9: 3]), moment([1: 5, 9: 2])])
    #expect(SeenTexts(encoded: seen.encoded) == seen)
    // The save was found when this had been written.
    seen = seen.writing(document(5), at: 7)
    #expect(seen.answered == nil)
    seen = seen.writing(document(8), at: 8, isBegun: true)
    #expect(seen.answered == 8)
    #expect(seen.written == [5, 8])
    #expect(seen.beforeWriting.written == [5])
    #expect(SeenTexts(encoded: seen.encoded) == seen)
    for end in 0..<seen.encoded.count { #expect(SeenTexts(encoded: Array(seen.encoded[..<end])) == nil) }
    #expect(SeenTexts(encoded: seen.encoded + [0]) == nil)
  }

  @Test func whatWasWrittenBeforeADoubtfulSaveIsRemembered() {
    var seen = SeenTexts(saved: moment([1: 2]))
    for count in [3, 5, 8] { seen = seen.writing(document(count), at: 0) }
    // Made from the text at 3: what came then may have been read.
    seen.save(moment([1: 3, 2: 1]), from: (1, moment([1: 3])), isDoubtful: true)
    #expect(seen.writtenBefore == [5, 8])
    #expect(seen.moment(1, in: document(9)) == moment([1: 5, 2: 1]))
    seen = seen.writing(document(9), at: 0)
    #expect(seen.moment(3, in: document(9)) == moment([1: 9]))
    // Twice the same save, which changes nothing.
    for _ in 0..<2 {
      seen.save(moment([1: 3, 2: 1]), from: (0, moment([1: 3, 2: 1])), isDoubtful: true)
      seen = seen.writing(document(9), at: 0)
    }
    #expect(seen.writtenBefore == [5, 8, 9])
    #expect(SeenTexts(encoded: seen.encoded) == seen)
    seen.save(moment([1: 9, 2: 2]), from: (4, moment([1: 9, 2: 1])), isDoubtful: false)
    #expect(seen.writtenBefore.isEmpty)
    for count in 10...400 {
      seen = seen.writing(document(count), at: 0)
      seen.save(moment([1: 9, 2: 2]), from: (0, moment([1: 9, 2: 2])), isDoubtful: true)
    }
    #expect(seen.writtenBefore.count <= SeenTexts.limitBefore)
    #expect(seen.writtenBefore.suffix(16) == Array(385...400))
    #expect(SeenTexts(encoded: seen.encoded) == seen)
  }

  @Test func aTextThatIsWrittenAgainHadBeenInTheFileBefore() {
    var seen = SeenTexts(saved: moment([:]))
    for count in [3, 5] { seen = seen.writing(document(count), at: 0) }
    // The file was removed.
    let again = seen.writing(document(5), at: 0, isBegun: true)
    #expect(again.beforeWriting.written == [3, 5])
    #expect(SeenTexts(encoded: again.encoded) == again)
    #expect(again.writing(document(5), at: 0, isBegun: true).beforeWriting.written == [3, 5])
    let first = seen.writing(document(6), at: 0, isBegun: true)
    #expect(first.writing(document(6), at: 0, isBegun: true).beforeWriting.written == [3, 5])
    let second = first.writing(document(6), at: 0)
    #expect(second.writing(document(6), at: 0, isBegun: true).beforeWriting.written == [3, 5, 6])
  }

  @Test func aDocumentThatBecameShorterHasNoMomentsBeyondItsEnd() {
    var seen = SeenTexts(saved: moment([:]))
    for count in [3, 5, 8] { seen = seen.writing(document(count), at: 0) }
    #expect(!seen.isKnown(to: document(4)))
    seen = seen.writing(document(4), at: 0)
    #expect(seen.written == [3, 4])
    #expect(SeenTexts(encoded: seen.encoded) == seen)
  }

  @Test func theOldestOfManyTextsAreThinnedAndTheNewestKept() {
    var seen = SeenTexts(saved: moment([:]))
    var whole = document(1)
    for _ in 1...10_000 {
      whole.insert("x", at: 0)
      seen = seen.writing(whole, at: 0)
    }
    #expect(seen.written.count <= SeenTexts.limit)
    #expect(seen.written == seen.written.sorted())
    #expect(seen.written.suffix(2_000) == Array(8_002...10_001))
    #expect(seen.written.contains { $0 < 4_000 })
    #expect(SeenTexts(encoded: seen.encoded) == seen)
    #expect(seen.encoded.count < 8_192)
  }

  @Test func momentsAreThoseOfTheOrderInWhichEventsCameAlsoAfterReopening() throws {
    var random = SplitMix(seed: 5)
    var people = (1...3).map { number in
      var document = TextDocument()
      document.replica = ReplicaID(rawValue: UInt64(number * 7919 % 13))
      return document
    }
    for _ in 0..<200 {
      let who = Int.random(in: 0..<3, using: &random)
      people[who].insert("ab", at: Int.random(in: 0...people[who].scalarCount, using: &random))
      let other = Int.random(in: 0..<3, using: &random)
      let update = people[who].update(since: people[other].versionVector)
      if Bool.random(using: &random) { _ = try people[other].apply(update) }
    }
    let whole = people[0]
    let reopened = try TextDocument(snapshot: whole.snapshot())
    for count in 0...whole.eventCount {
      #expect(whole.versionVector(ofFirst: count) == reopened.versionVector(ofFirst: count))
      #expect(TextDocument(whole, ofFirst: count)?.eventCount == count)
    }
  }

  @Test func othersPartsAreFoundByThePatches() {
    // "abcdef" → "abXYdef" → "aYdef!": b, c and X are gone.
    let part = OthersPart(
      [
        TextPatch(position: 2, deleted: 1, inserted: Array("XY".utf8)),
        TextPatch(position: 1, deleted: 2, inserted: []),
        TextPatch(position: 5, deleted: 0, inserted: Array("!".utf8)),
      ], from: 6)
    #expect(part.inserted == [1..<2, 5..<6])
    #expect(part.deleted == [1..<3])
    #expect([0..<3, 5..<9].overlap(with: [2..<6, 8..<20]) == 3)
  }
}
