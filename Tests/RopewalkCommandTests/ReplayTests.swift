import Foundation
import RopewalkTraces
import Testing

@testable import RopewalkCommand

/// Recorded sessions through real replicas and a real relay, with everything going wrong in between.
@Suite(.timeLimit(.minutes(5))) struct ReplayTests {
  @Test func momentsAreSpreadEvenly() {
    #expect(ReplayPlan.moments(3, of: 100) == [25, 50, 75])
    #expect(ReplayPlan.moments(0, of: 100).isEmpty)
  }

  @Test func largeTransactionsAreCutIntoEdits() throws {
    let trace = try Trace(
      kind: .concurrent, endText: "", agentCount: 1,
      transactions: [
        Trace.Transaction(
          agent: 0, parents: [],
          patches: (0..<5).map { TracePatch(position: $0, deleted: 0, inserted: "x") }),
        Trace.Transaction(agent: 0, parents: [0], patches: []),
      ])
    let plan = ReplayPlan(patchesPerEdit: 2)
    #expect(plan.steps(of: trace).map(\.patches) == [0..<2, 2..<4, 4..<5, 0..<0])
  }

  @Test(arguments: [UInt64(1), 2])
  func aRandomSessionConvergesThoughRelayAndClientsAreKilled(seed: UInt64) async throws {
    let trace = try randomTrace(seed: seed)
    let folder = try TestFolder()
    let replay = Replay(
      trace, plan: ReplayPlan(offlineStretches: 4, relayKills: 3, clientKills: 4), folder: folder.path,
      executable: Tool.executable, progress: ReplayProgress(name: "test", console: .standard))
    let report = try await replay.run()
    #expect(report.isGood, "seed \(seed): \(report.lines)")
    #expect(report.relayKills == 3)
    #expect(report.clientKills == 4)
    #expect(report.acknowledged > 0)
    #expect(report.equalReplicas == 3)
  }

  @Test func theCommandPrintsWhatItDid() async throws {
    let folder = try TestFolder()
    let json = #"""
      {"kind": "concurrent", "endContent": "xyb!", "numAgents": 2, "txns": [
        {"parents": [], "agent": 0, "patches": [[0, 0, "ab"]]},
        {"parents": [0], "agent": 1, "patches": [[0, 1, "y"]]},
        {"parents": [0], "agent": 0, "patches": [[0, 1, "x"]]},
        {"parents": [1, 2], "agent": 1, "patches": [[3, 0, "!"]]}]}
      """#
    try folder.write(json, to: "tiny.json")
    let good = try await Tool.run("replay", folder["tiny.json"], "--offline", "1")
    #expect(good.status == 0, "\(good)")
    let lines = good.output.split(separator: "\n").map(String.init)
    #expect(lines.first == "tiny: 2 authors, 4 transactions, 4 edits, 7 events")
    #expect(lines.dropFirst().first?.hasPrefix("tiny: played in ") == true)
    #expect(
      lines.dropFirst(2).prefix(3) == [
        "tiny: with 1 offline stretch", "tiny: 2 of 2 replicas hold the recorded text",
        "tiny: the relay gives it to a newcomer",
      ])
    #expect(lines.last?.hasSuffix(", 0 missing") == true)
    try folder.write(json.replacing("xyb!", with: "other"), to: "wrong.json")
    let wrong = try await Tool.run("replay", folder["wrong.json"])
    #expect(wrong.status == 1)
    #expect(wrong.output.contains("wrong: 0 of 2 replicas hold the recorded text\n"))
  }

  /// Three authors who see each other now and then. The recorded text is what playing it in memory gives.
  private func randomTrace(seed: UInt64) throws -> Trace {
    var random = SplitMix(seed: seed)
    var lengths = [0, 0, 0]  // of each author's text, as far as is known to be safe
    var last: [Int?] = [nil, nil, nil]
    var transactions: [Trace.Transaction] = []
    for _ in 0..<90 {
      let agent = Int.random(in: 0..<3, using: &random)
      let others = (0..<3).filter { $0 != agent && Bool.random(using: &random) }
      let parents = Set(([agent] + others).compactMap { last[$0] }).sorted()
      let position = Int.random(in: 0...lengths[agent], using: &random)
      let word = ["ab", "c", "déf", "🎉g"][Int.random(in: 0..<4, using: &random)]
      transactions.append(
        Trace.Transaction(
          agent: agent, parents: parents,
          patches: [TracePatch(position: position, deleted: 0, inserted: word)]))
      lengths[agent] += word.unicodeScalars.count
      last[agent] = transactions.count - 1
    }
    let draft = try Trace(kind: .concurrent, endText: "", agentCount: 3, transactions: transactions)
    return try Trace(
      kind: .concurrent, endText: try draft.play().merged.text, agentCount: 3, transactions: transactions)
  }
}
