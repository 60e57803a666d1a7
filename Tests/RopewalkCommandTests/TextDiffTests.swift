import RopewalkCore
import Testing

@testable import RopewalkCommand

@Suite struct TextDiffTests {
  @Test(
    arguments: [
      ("", "", []),
      ("", "abc", [(0, 0, "abc")]),
      ("abc", "", [(0, 3, "")]),
      ("one two three", "one 2 three", [(4, 4, "2 ")]),
      ("one two", "one one two", [(0, 0, "one ")]),
      ("a\nb\n", "a\na\nb\n", [(2, 0, "a\n")]),
      ("the theatre was full", "the house was full", [(4, 8, "house ")]),
      ("héllo 🎉", "héllo 🎊", [(6, 1, "🎊")]),
      ("e\u{301}", "e\u{300}", [(0, 2, "e\u{300}")]),
      ("recieve the colour", "receive the color", [(3, 2, "ei"), (16, 1, "")]),
      ("one\ntwo\nthree\n", "one\nfive\nthree\n", [(4, 4, "five\n")]),
      ("one\ntwo\n", "one\nx\ny\ntwo\n", [(4, 0, "x\ny\n")]),
      ("wor", "world and more", [(3, 0, "ld and more")]),
      ("言葉を話す", "言葉で話す", [(2, 1, "で")]),
      ("a b c", "A b C", [(0, 2, "A "), (4, 1, "C")]),
    ] as [(String, String, [(Int, Int, String)])])
  func smallChangesAreAsAPersonWouldMakeThem(old: String, new: String, expected: [(Int, Int, String)]) {
    #expect(
      TextDiff.patches(from: old, to: new)
        == expected.map { TextPatch(position: $0.0, deleted: $0.1, inserted: Array($0.2.utf8)) })
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func patchesTurnOneTextIntoTheOtherAndKeepAsMuchAsPossible(seed: UInt64) {
    var random = SplitMix(seed: seed)
    for _ in 0..<100 {
      let old = text(UInt32.random(in: 1...6, using: &random), &random)
      let new = Bool.random(using: &random) ? text(3, &random) : mutated(old, &random)
      let script = Myers(old, new)
      #expect(script.isMinimal)
      #expect(script.edits.reduce(0) { $0 + $1.cost } == fewestEdits(old, new), "seed \(seed): \(old) \(new)")
      #expect(applied(script.edits, old, new) == new, "seed \(seed): \(old) \(new)")
      for bound in [1, 2, 5] {
        let short = Myers(old, new, bound: .init(edits: bound, steps: 20))
        #expect(applied(short.edits, old, new) == new, "seed \(seed), bound \(bound): \(old) \(new)")
      }
      #expect(applied(TextDiff.edits(old, new), old, new) == new, "seed \(seed): \(old) \(new)")
    }
  }

  @Test func aHandfulOfChangesInALargeTextStaysAHandful() {
    var random = SplitMix(seed: 7)
    let old = (0..<100_000).map { _ in UInt32.random(in: 0x61...0x7a, using: &random) }
    var new = old
    for place in stride(from: 5_000, to: 100_000, by: 10_000) {
      new.replaceSubrange(place..<place + 2, with: [0x21, 0x22, 0x23])
    }
    let edits = TextDiff.edits(old, new)
    #expect(edits.count == 10)
    #expect(edits.allSatisfy { $0.cost == 5 })
    #expect(applied(edits, old, new) == new)
  }

  @Test func aLargePasteAmongOtherChangesIsOneInsertion() {
    let lines = (0..<500).map { "line \($0) of the old text\n" }
    var changed = lines
    changed[3] = "line 3 of the new text\n"
    changed.insert((0..<400).map { "pasted \($0 * 7)\n" }.joined(), at: 250)
    let patches = TextDiff.patches(from: lines.joined(), to: changed.joined())
    #expect(patches.map(\.deleted) == [4, 0])
    #expect(patches.first?.insertedText == "new ")
  }

  @Test func textsWithNothingInCommonAreReplacedInBoundedTime() {
    let old = (0..<20_000).map { UInt32($0 * 2 + 0x100) }
    let new = (0..<20_000).map { UInt32($0 * 2 + 0x101) }
    let edits = TextDiff.edits(old, new)
    #expect(edits == [Edit(old: 0..<20_000, new: 0..<20_000)])
  }
}

private func text(_ letters: UInt32, _ random: inout SplitMix) -> [UInt32] {
  let alphabet: [UInt32] = [0x61, 0x20, 0x0a, 0x62, 0x1f600, 0x63]
  return (0..<Int.random(in: 0...40, using: &random)).map { _ in
    alphabet[Int(UInt32.random(in: 0..<letters, using: &random))]
  }
}

private func mutated(_ old: [UInt32], _ random: inout SplitMix) -> [UInt32] {
  var new = old
  for _ in 0..<Int.random(in: 0...5, using: &random) {
    let at = Int.random(in: 0...new.count, using: &random)
    let end = Int.random(in: at...min(new.count, at + 4), using: &random)
    new.replaceSubrange(at..<end, with: text(3, &random).prefix(5))
  }
  return new
}

/// The oracle: longest common subsequence by dynamic programming.
private func fewestEdits(_ old: [UInt32], _ new: [UInt32]) -> Int {
  var row = Array(0...new.count)
  for (i, a) in old.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, b) in new.enumerated() {
      let above = row[j + 1]
      row[j + 1] = a == b ? diagonal : min(above, row[j]) + 1
      diagonal = above
    }
  }
  return row[new.count]
}

private func applied(_ edits: [Edit], _ old: [UInt32], _ new: [UInt32]) -> [UInt32] {
  var result: [UInt32] = []
  var position = 0
  for edit in edits {
    guard edit.old.lowerBound >= position else { return [] }
    result += old[position..<edit.old.lowerBound]
    guard result.count == edit.new.lowerBound else { return [] }
    result += new[edit.new]
    position = edit.old.upperBound
  }
  return result + old[position...]
}
