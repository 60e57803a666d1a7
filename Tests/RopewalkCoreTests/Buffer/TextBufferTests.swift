import Testing

@testable import RopewalkCore

@Suite struct TextBufferTests {
  /// Random edits, settled and drafted, against an array of scalars; every unit, every conversion.
  @Test func bufferHoldsWhatAnArrayHolds() {
    for seed in RandomSeeds(default: 60) {
      var random = SplitMix(seed: seed)
      var buffer = TextBuffer()
      var model: [Unicode.Scalar] = []
      for _ in 0..<120 {
        if model.isEmpty || random.chance(60) {
          let index = random.below(model.count + 1)
          let text = (0...random.below(random.chance(5) ? 90 : 4)).map { _ in
            Self.scalars[random.below(Self.scalars.count)]
          }
          model.insert(contentsOf: text, at: index)
          Self.insert(text, at: index, into: &buffer, asDraft: random.chance(70))
        } else {
          let start = random.below(model.count)
          let count = 1 + random.below(min(model.count - start, random.chance(10) ? 80 : 3))
          model.removeSubrange(start..<start + count)
          if random.chance(70) {
            buffer.draftDelete(count, at: start)
          } else {
            buffer.settle()
            buffer.delete(count, at: start)
          }
        }
        if random.chance(40) { continue }
        buffer.liftFinger()
        #expect(Self.isEqual(buffer, model), "ROPEWALK_SEED=\(seed)")
      }
    }
  }

  private static let scalars: [Unicode.Scalar] = ["a", "b", "\n", "é", "ß", "漢", "\u{301}", "🐕", "𝄞"]

  private static func insert(
    _ text: [Unicode.Scalar], at index: Int, into buffer: inout TextBuffer, asDraft: Bool
  ) {
    let bytes = text.flatMap { Array(String($0).utf8) }
    bytes.withUnsafeBufferPointer {
      if asDraft {
        buffer.draftInsert($0, measuring: TextMetrics.measure($0), at: index)
      } else {
        buffer.settle()
        buffer.insert($0, at: index)
      }
    }
  }

  private static func isEqual(_ buffer: TextBuffer, _ model: [Unicode.Scalar]) -> Bool {
    var settled = buffer
    settled.settle()
    #if DEBUG
      settled.checkInvariants()
    #endif
    var text = String.UnicodeScalarView()
    text.append(contentsOf: model)
    let string = String(text)
    guard buffer.scalarCount == model.count, buffer.utf8 == Array(string.utf8), settled.utf8 == buffer.utf8,
      buffer.count(in: TextMetrics.utf8) == string.utf8.count,
      buffer.count(in: TextMetrics.utf16) == string.utf16.count
    else { return false }
    var utf16 = 0
    for (index, scalar) in model.enumerated() {
      guard buffer.offset(of: index, in: TextMetrics.scalars, as: TextMetrics.utf16) == utf16 else {
        return false
      }
      for inside in 0..<scalar.utf16.count
      where buffer.offset(of: utf16 + inside, in: TextMetrics.utf16, as: TextMetrics.scalars) != index {
        return false
      }
      utf16 += scalar.utf16.count
    }
    return true
  }
}
