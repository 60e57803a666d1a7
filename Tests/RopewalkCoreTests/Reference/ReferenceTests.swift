import RopewalkCore
import Testing

/// Who watches the watchmen: the two reference merges against recorded cases and against each other.
@Suite struct ReferenceTests {
  @Test(.enabled(if: MergeOrderCase.isThere, MergeOrderCase.howToGet))
  func bothReferencesAgreeWithEveryRecordedCase() throws {
    for (number, recorded) in try MergeOrderCase.readAll().enumerated() {
      var history = ReferenceHistory()
      for event in recorded.events { history.add(event) }
      let everything = Array(repeating: true, count: history.events.count)
      #expect(String(history.scalars(in: everything)) == recorded.endText, "tree, case \(number)")
      #expect(String(ReferenceWalk.scalars(of: history)) == recorded.endText, "walk, case \(number)")
    }
  }
}

extension String {
  init(_ scalars: [Unicode.Scalar]) {
    self.init()
    unicodeScalars.append(contentsOf: scalars)
  }
}
