import RopewalkCore
import RopewalkTraces
import Testing

@Suite struct TracePlayingTests {
  @Test func aSequentialTraceGivesItsText() throws {
    let trace = try Trace(
      json: Array(
        #"{"startContent": "ab", "endContent": "aé!", "txns": [{"patches": [[1, 0, "é"], [2, 1, "!"]]}]}"#
          .utf8))
    let playback = try trace.play()
    #expect(playback.merged.text == "aé!")
    #expect(playback.merged.lineage == TextDocument.lineage(ofSeed: "ab"))
  }

  @Test func tiesAreOrderedByAgentNumber() throws {
    let playback = try Trace(json: Array(twoAgents.utf8)).play()
    #expect(playback.merged.text == "xyb!")
    #expect(playback.documents[0]?.text == "xb")
    #expect(playback.documents[1]?.text == "xyb!")
  }

  @Test func severalHeadsAreMergedAtTheEnd() throws {
    let trace = try Trace(
      kind: .concurrent, endText: "", agentCount: 3,
      transactions: [
        Trace.Transaction(
          agent: 2, parents: [], patches: [TracePatch(position: 0, deleted: 0, inserted: "c")]),
        Trace.Transaction(
          agent: 0, parents: [], patches: [TracePatch(position: 0, deleted: 0, inserted: "a")]),
        Trace.Transaction(
          agent: 1, parents: [], patches: [TracePatch(position: 0, deleted: 0, inserted: "b")]),
      ])
    #expect(try trace.play().merged.text == "abc")
    #expect(try TracePlan(trace).heads == [0, 1, 2])
  }

  @Test func anAgentSeesItsParentsAndNothingThatTheOthersDidSince() throws {
    let insert = { TracePatch(position: $0, deleted: 0, inserted: $1) }
    let trace = try Trace(
      kind: .concurrent, endText: "", agentCount: 2,
      transactions: [
        Trace.Transaction(agent: 0, parents: [], patches: [insert(0, "a")]),
        Trace.Transaction(agent: 0, parents: [0], patches: [insert(1, "b")]),
        Trace.Transaction(agent: 1, parents: [0], patches: [insert(1, "c")]),
      ])
    let playback = try trace.play()
    #expect(playback.documents[1]?.text == "ac")
    #expect(playback.merged.text == "abc")
  }

  @Test func anAgentThatIsConcurrentWithItselfIsRefused() throws {
    let trace = try Trace(
      kind: .concurrent, endText: "", agentCount: 2,
      transactions: [
        Trace.Transaction(agent: 1, parents: [], patches: []),
        Trace.Transaction(agent: 0, parents: [0], patches: []),
        Trace.Transaction(agent: 0, parents: [0], patches: []),
      ])
    #expect(throws: TraceError(.concurrentWithItself(agent: 0), at: "txns[2]")) { try trace.play() }
  }

  @Test func aPatchBeyondTheEndIsRefused() throws {
    let trace = try Trace(
      json: Array(#"{"endContent": "", "txns": [{"patches": [[0, 0, "ab"], [1, 2, ""]]}]}"#.utf8))
    #expect(throws: TraceError(.outOfBounds(end: 3, length: 2), at: "txns[0].patches[1]")) {
      try trace.play()
    }
  }
}
