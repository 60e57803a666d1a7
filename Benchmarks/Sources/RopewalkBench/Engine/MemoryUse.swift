/// Real memory while a history is replayed, and at rest.
struct MemoryResult: Encodable {
  let trace: String
  let events: Int
  /// Whether every child process came to a text of the recorded length; otherwise the command fails.
  let ok: Bool
  let peakMib: Double
  let restMib: Double
  let openedMib: Double
  let textMib: Double
  /// At rest after opening, without the text, per event.
  let bytesPerEvent: Double

  static func measure(_ prepared: PreparedTrace, runs: Int) throws -> MemoryResult {
    Terminal.progress("\(prepared.name): memory")
    let memory = try ReplayMemory.measure(prepared, runs: runs)
    let text = mebibytes(prepared.expected.count)
    let events = prepared.trace.eventCount
    return MemoryResult(
      trace: prepared.name, events: events, ok: true, peakMib: memory.peakMib, restMib: memory.restMib,
      openedMib: memory.openedMib, textMib: text,
      bytesPerEvent: (memory.openedMib - text) * Double(1 << 20) / Double(max(1, events)))
  }

  static func table(_ results: [MemoryResult]) -> Table {
    var table = Table(
      "trace", "events", "ok", "peak MiB", "rest MiB", "opened MiB", "text MiB", "bytes/event at rest")
    for one in results {
      table.add(
        one.trace, grouped(one.events), one.ok ? "yes" : "NO", number(one.peakMib), number(one.restMib),
        number(one.openedMib), number(one.textMib), number(one.bytesPerEvent))
    }
    return table
  }
}
