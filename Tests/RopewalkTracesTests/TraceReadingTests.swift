import RopewalkTraces
import RopewalkZstd
import Testing

@Suite struct TraceReadingTests {
  @Test func aSequentialTraceIsOneAuthorsLineOfHistory() throws {
    let trace = try Trace(
      json: Array(
        """
        {"startContent": "ab", "endContent": "aé!b", "txns": [
          {"time": "1970-01-01T00:00:00Z", "patches": [[1, 0, "é"]]},
          {"time": "1970-01-01T00:00:01Z", "patches": [[2, 0, "?"], [2, 1, "!"]]}]}
        """.utf8))
    #expect(trace.kind == .sequential)
    #expect(trace.startText == "ab")
    #expect(trace.endText == "aé!b")
    #expect(trace.agentCount == 1)
    #expect(trace.transactions.map(\.parents) == [[], [0]])
    #expect(trace.transactions[1].patches[1] == TracePatch(position: 2, deleted: 1, inserted: "!"))
    #expect(trace.eventCount == 4)
  }

  @Test func aConcurrentTraceNamesAgentsAndParentsAndPrivateFieldsAreIgnored() throws {
    let trace = try Trace(json: Array(twoAgents.utf8))
    #expect(trace.kind == .concurrent)
    #expect(trace.agentCount == 2)
    #expect(trace.transactions.map(\.agent) == [0, 1, 0, 1])
    #expect(trace.transactions.map(\.parents) == [[], [0], [0], [1, 2]])
  }

  @Test func zstdIsRecognisedByItsMagic() throws {
    let packed = Zstd.compress(Array(twoAgents.utf8))
    let trace = try Trace(json: TraceFile.unpack(packed))
    #expect(trace.transactions.count == 4)
    #expect(throws: TraceError(.badCompression)) { try TraceFile.unpack(Array(packed.dropLast(3))) }
    #expect(throws: TraceError(.tooLarge(limit: 100))) { try TraceFile.unpack(packed, maximumBytes: 100) }
  }

  @Test(arguments: [
    (#"{"endContent": "", "txns": [{"patches": [[0, 0]]}]}"#, "txns[0].patches[0][2]: is missing"),
    (
      #"{"endContent": "", "txns": [{"patches": [[0, -1, ""]]}]}"#,
      "txns[0].patches[0]: must lie in 0 ..< 2^31"
    ),
    (
      #"{"endContent": "", "txns": [{"patches": [[0, 0, "", 1]]}]}"#,
      "txns[0].patches[0]: must have three fields"
    ),
    (#"{"endContent": "", "txns": [{"patches": [[0, 0, 7]]}]}"#, "txns[0].patches[0][2]: has the wrong type"),
    (
      #"{"endContent": "", "txns": [{"patches": [[true, 0, ""]]}]}"#,
      "txns[0].patches[0][0]: has the wrong type"
    ),
    (#"{"txns": []}"#, "endContent: is missing"),
    (#"{"kind": "odd", "endContent": "", "txns": []}"#, "kind: must be sequential or concurrent"),
    (
      #"{"kind": "concurrent", "endContent": "", "numAgents": 1, "txns": [{"parents": [0], "agent": 0, "patches": []}]}"#,
      "txns[0].parents: must be indexes of earlier transactions"
    ),
    (
      #"{"kind": "concurrent", "endContent": "", "numAgents": 1, "txns": [{"parents": [], "agent": 1, "patches": []}]}"#,
      "txns[0].agent: must lie in 0 ..< numAgents"
    ),
    (
      #"{"kind": "concurrent", "endContent": "", "numAgents": 99999999999, "txns": []}"#,
      "numAgents: must lie in 1 ... 65536"
    ),
    (#"{"endContent": "#, "is not JSON in UTF-8"),
    ("", "is not JSON in UTF-8"),
    ("[]", "is a list, as conformance files are, not a trace"),
  ])
  func aBrokenTraceIsNamedWithThePlace(json: String, sentence: String) {
    let error = #expect(throws: TraceError.self) { try Trace(json: Array(json.utf8)) }
    #expect(error?.description == sentence)
  }

  @Test func aMissingFileIsAnError() {
    let error = #expect(throws: TraceError.self) { try Trace(path: "/nowhere/at-all.json") }
    #expect(error?.place == "/nowhere/at-all.json")
  }

  @Test func deeplyNestedJSONIsRefused() {
    let nested = Array(#"{"endContent": "", "txns": "#.utf8) + [UInt8](repeating: 0x5b, count: 200_000)
    #expect(throws: TraceError.self) { try Trace(json: nested) }
  }

  @Test(arguments: [UInt64(1), 2, 3]) func mutatedTracesGiveValuesOrErrors(seed: UInt64) {
    var random = SplitMix(seed: seed)
    for _ in 0..<2_000 {
      var bytes = Array(twoAgents.utf8)
      for _ in 0...Int.random(in: 0..<4, using: &random) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[at] = UInt8.random(in: 0x30...0x39, using: &random)
        case 2: bytes.remove(at: at)
        default: bytes.removeSubrange(at..<bytes.count)
        }
        if bytes.isEmpty { break }
      }
      _ = try? Trace(json: bytes)
    }
  }
}

/// Two agents; the last transaction has seen everything.
let twoAgents = """
  {"kind": "concurrent", "endContent": "xyb!", "numAgents": 2, "_note": "of no interest", "txns": [
    {"parents": [], "numChildren": 2, "agent": 0, "time": "", "patches": [[0, 0, "ab"]], "_dtSpan": [0, 2]},
    {"parents": [0], "numChildren": 1, "agent": 1, "time": "", "patches": [[0, 1, "y"]]},
    {"parents": [0], "numChildren": 1, "agent": 0, "time": "", "patches": [[0, 1, "x"]]},
    {"parents": [1, 2], "numChildren": 0, "agent": 1, "time": "", "patches": [[3, 0, "!"]]}]}
  """
