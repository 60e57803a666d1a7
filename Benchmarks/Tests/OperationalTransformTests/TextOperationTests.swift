import OperationalTransform
import Testing

@Suite struct TextOperationTests {
  @Test func `the two ways round a fork meet in one text`() {
    for seed in suiteSeed..<suiteSeed + 400 {
      var random = SplitMix(seed: seed)
      let text = ChunkedText(random.text(maximum: 40))
      let (first, second) = (random.largeEdit(of: text), random.largeEdit(of: text))
      let (newFirst, newSecond) = TextOperation.transform(first, second)
      var one = text
      one.apply(first)
      one.apply(newSecond)
      var other = text
      other.apply(second)
      other.apply(newFirst)
      #expect(one.string == other.string, "seed \(seed)")
      #expect(first.transformed(over: second, goesFirst: true) == newFirst, "seed \(seed)")
      #expect(second.transformed(over: first, goesFirst: false) == newSecond, "seed \(seed)")
    }
  }

  @Test func `a composed operation does what its parts do`() {
    for seed in suiteSeed..<suiteSeed + 400 {
      var random = SplitMix(seed: seed)
      let start = random.text(maximum: 40)
      var text = ChunkedText(start)
      var parts: [TextOperation] = []
      for _ in 0..<Int.random(in: 1...20, using: &random) {
        parts.append(random.edit(ofLength: text.count))
        text.apply(parts[parts.count - 1])
      }
      var oneByOne = TextOperation()
      for part in parts { oneByOne = oneByOne.composed(with: part) }
      let inPairs = TextOperation.composed(parts)
      #expect(oneByOne == inPairs, "seed \(seed)")
      #expect(reference(start, after: inPairs) == text.string, "seed \(seed)")
    }
  }

  @Test func `equal changes are equal values`() {
    let insertThenDelete = TextOperation(inserting: "new", at: 2).composed(
      with: TextOperation(deleting: 5..<7))
    let deleteThenInsert = TextOperation(deleting: 2..<4).composed(
      with: TextOperation(inserting: "new", at: 2))
    #expect(insertThenDelete == deleteThenInsert)
    #expect(insertThenDelete == TextOperation(at: 2, deleting: 2, inserting: "new"))
  }

  @Test func `of two insertions at one place the first goes first`() {
    let first = TextOperation(inserting: "a", at: 1)
    let second = TextOperation(inserting: "b", at: 1)
    let (_, newSecond) = TextOperation.transform(first, second)
    var text = ChunkedText("()")
    text.apply(first)
    text.apply(newSecond)
    #expect(text.string == "(ab)")
  }

  @Test func `bytes give the operation back, and damaged ones nothing`() {
    for seed in suiteSeed..<suiteSeed + 200 {
      var random = SplitMix(seed: seed)
      let operation = random.largeEdit(of: ChunkedText(random.text(maximum: 40)))
      #expect(TextOperation(encoded: operation.encoded) == operation, "seed \(seed)")
    }
    #expect(TextOperation(encoded: [0x80]) == nil)
    #expect(TextOperation(encoded: [5 << 2 | 1, 0x61]) == nil)
    #expect(TextOperation(encoded: [1 << 2 | 1, 0xff]) == nil)
    #expect(TextOperation(encoded: [3]) == nil)
  }
}
