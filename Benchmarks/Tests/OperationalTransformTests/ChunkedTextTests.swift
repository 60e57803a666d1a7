import OperationalTransform
import Testing

@Suite struct ChunkedTextTests {
  @Test func `edits do to chunks what they do to plain scalars`() {
    for seed in suiteSeed..<suiteSeed + 3 {
      var random = SplitMix(seed: seed)
      var plain = String(repeating: "åb🪢", count: 2_000)
      var text = ChunkedText(plain)
      for _ in 0..<40 {
        let position = Int.random(in: 0...text.count, using: &random)
        let deleted = min(text.count - position, Int.random(in: 0..<3_000, using: &random))
        let inserted = String(
          repeating: random.text(maximum: 9), count: Int.random(in: 0..<700, using: &random))
        let operation = TextOperation(at: position, deleting: deleted, inserting: inserted)
        text.apply(operation)
        plain = reference(plain, after: operation)
        #expect(text.count == plain.unicodeScalars.count, "seed \(seed)")
      }
      #expect(text.string == plain, "seed \(seed)")
    }
  }
}
