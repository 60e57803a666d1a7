import RopewalkTraces
import Testing

@Suite struct ConformanceReadingTests {
  @Test func aCaseIsRead() throws {
    let cases = try ConformanceCase.read(
      json: Array(
        """
        [{"txns": [{"span": [0, 2], "parents": [], "agent": "a", "seqStart": 0, "ops": [[0, 0, "KA"]]},
          {"span": [2, 3], "parents": [0], "agent": "c", "seqStart": 4, "ops": [[0, 1, ""]]}], "endContent": "A"}]
        """.utf8))
    #expect(cases.count == 1)
    #expect(cases[0].endText == "A")
    #expect(cases[0].transactions[1].parents == [0])
    #expect(cases[0].transactions[1].seqStart == 4)
    #expect(cases[0].transactions[1].patches == [TracePatch(position: 0, deleted: 1, inserted: "")])
  }

  @Test(arguments: [
    (
      #"{"span": [1, 2], "parents": [], "agent": "a", "seqStart": 0, "ops": [[0, 0, "K"]]}"#,
      "[0].txns[0].span: must begin at 0, where the one before ends"
    ),
    (
      #"{"span": [0, 3], "parents": [], "agent": "a", "seqStart": 0, "ops": [[0, 0, "K"]]}"#,
      "[0].txns[0].ops: must have as many events as the span"
    ),
    (
      #"{"span": [0, 1], "parents": [0], "agent": "a", "seqStart": 0, "ops": [[0, 0, "K"]]}"#,
      "[0].txns[0].parents: must be numbers of earlier events"
    ),
    (
      #"{"span": [2, 1], "parents": [], "agent": "a", "seqStart": 0, "ops": []}"#,
      "[0].txns[0].span: must be [start, end)"
    ),
    (
      #"{"span": [0, 1], "parents": [], "agent": "a", "seqStart": -1, "ops": [[0, 0, "K"]]}"#,
      "[0].txns[0].seqStart: must lie in 0 ..< 2^31"
    ),
    (
      #"{"span": [0, 1], "parents": [], "agent": 5, "seqStart": 0, "ops": [[0, 0, "K"]]}"#,
      "[0].txns[0].agent: has the wrong type"
    ),
  ])
  func aBrokenCaseIsNamedWithThePlace(transaction: String, sentence: String) {
    let error = #expect(throws: TraceError.self) {
      try ConformanceCase.read(json: Array(#"[{"txns": [\#(transaction)], "endContent": ""}]"#.utf8))
    }
    #expect(error?.description == sentence)
  }

  @Test func aTraceIsNotAConformanceFile() {
    let error = #expect(throws: TraceError.self) { try ConformanceCase.read(json: Array(twoAgents.utf8)) }
    #expect(error?.description == "is an object, as traces are, not a list of cases")
  }

  @Test func twoEventsWithOneIDAreRefused() {
    let transactions = [0, 1].map {
      ConformanceCase.Transaction(
        span: $0..<$0 + 1, parents: [], agent: "a", seqStart: 0,
        patches: [TracePatch(position: 0, deleted: 0, inserted: "x")])
    }
    #expect(throws: TraceError.self) { try ConformanceCase(transactions: transactions, endText: "xx") }
  }
}
