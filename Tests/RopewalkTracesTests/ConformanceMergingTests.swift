import RopewalkCore
import RopewalkTraces
import Testing

@Suite struct ConformanceMergingTests {
  typealias Transaction = ConformanceCase.Transaction

  private func insert(_ position: Int, _ text: String) -> TracePatch {
    TracePatch(position: position, deleted: 0, inserted: text)
  }

  @Test func concurrentInsertsAreOrderedByNameThenBySequenceNumber() throws {
    let merged = try ConformanceCase(
      transactions: [
        Transaction(span: 0..<1, parents: [], agent: "b", seqStart: 5, patches: [insert(0, "3")]),
        Transaction(span: 1..<2, parents: [], agent: "b", seqStart: 0, patches: [insert(0, "2")]),
        Transaction(span: 2..<3, parents: [], agent: "a", seqStart: 9, patches: [insert(0, "1")]),
      ], endText: "123"
    ).merge()
    #expect(merged.text == "123")
  }

  @Test func parentsMayLieInTheMiddleOfATransactionAndOfAPatch() throws {
    let merged = try ConformanceCase(
      transactions: [
        Transaction(
          span: 0..<5, parents: [], agent: "a", seqStart: 0,
          patches: [insert(0, "abc"), TracePatch(position: 0, deleted: 1, inserted: "A")]),
        // Sees "ab".
        Transaction(span: 5..<6, parents: [1], agent: "b", seqStart: 0, patches: [insert(2, "!")]),
        // Sees "bc", after the deletion.
        Transaction(span: 6..<7, parents: [3], agent: "c", seqStart: 0, patches: [insert(0, "?")]),
      ], endText: "A?bc!"
    ).merge()
    #expect(merged.text == "A?bc!")
    #expect(merged.eventCount == 7)
  }

  @Test func aTransactionSeesExactlyItsParents() throws {
    #expect(throws: TraceError(.outOfBounds(end: 2, length: 1), at: "txns[1].ops[0]")) {
      try ConformanceCase(
        transactions: [
          Transaction(span: 0..<2, parents: [], agent: "a", seqStart: 0, patches: [insert(0, "ab")]),
          Transaction(span: 2..<3, parents: [0], agent: "b", seqStart: 0, patches: [insert(2, "c")]),
        ], endText: ""
      ).merge()
    }
  }

  @Test(.enabled(if: SharedData.isThere, SharedData.howToGet))
  func theReferencesCasesAgree() throws {
    let folder = try #require(SharedData.folder)
    let cases = try ConformanceCase.read(path: "\(folder)/conformance/merge-order.json.zst")
    #expect(cases.count == 600)
    for (index, item) in cases.enumerated() {
      let merged = try item.merge()
      #expect(merged.text == item.endText, "case \(index)")
      var fromScratch = TextDocument()
      _ = try fromScratch.apply(merged.update(since: VersionVector()))
      #expect(fromScratch.text == item.endText, "case \(index) from scratch")
    }
  }
}
