import RopewalkTraces
import Testing

@Suite(.enabled(if: SharedData.isThere, SharedData.howToGet))
struct SharedTraceTests {
  @Test(arguments: [
    ("S1", 779_334, 1), ("S2", 1_104_627, 1), ("C1", 651_950, 2), ("A1", 947_337, 204),
    ("automerge-paper", 259_778, 1),
  ])
  func sharedTracesHaveTheEventsTheyAreKnownFor(name: String, events: Int, agents: Int) throws {
    let folder = try #require(SharedData.folder)
    let trace = try Trace(path: "\(folder)/traces/\(name).json.zst")
    #expect(trace.eventCount == events)
    #expect(Set(trace.transactions.map(\.agent)).count == agents)
  }

  @Test(arguments: ["friendsforever", "sveltecomponent"])
  func sharedTracesEndInTheirText(name: String) throws {
    let folder = try #require(SharedData.folder)
    let trace = try Trace(path: "\(folder)/traces/\(name).json.zst")
    let playback = try trace.play()
    #expect(playback.merged.text == trace.endText)
    #expect(playback.merged.eventCount == trace.eventCount)
  }
}
