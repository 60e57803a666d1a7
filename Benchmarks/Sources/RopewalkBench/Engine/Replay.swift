import RopewalkCore
import RopewalkTraces

/// What it takes to make the text of a history out of nothing but its update's bytes.
struct ReplayResult: Encodable {
  let trace: String
  let events: Int
  /// The text equals the recorded one, in every run.
  let ok: Bool
  /// Bytes to a checked `Update`: size, checksum, header. Its columns are decoded by `apply`, inside `replayMs`.
  let decodeMs: Double
  let decodeMsMedian: Double
  /// `Update` to a merged document.
  let replayMs: Double
  let replayMsMedian: Double
  /// Bytes in memory to the text as an array of UTF-8.
  let totalMs: Double
  let totalMsMedian: Double
  /// The most resident memory of a process that does it, above one that only holds the bytes.
  let peakMib: Double
  let updateBytes: Int
  let snapshotBytes: Int
  /// The snapshot, compressed as a replica stores it.
  let storedBytes: Int
  let storedLevel: Int
  let runs: Int

  var nanosecondsPerEvent: Double { totalMs * 1e6 / Double(max(1, events)) }

  static func measure(_ prepared: PreparedTrace, runs: Int) throws -> ReplayResult {
    let timing = try ReplayTiming(prepared.update.bytes, expected: prepared.expected, runs: runs) {
      Terminal.progress("\(prepared.name): replaying, \($0) of \(runs)")
    }
    Terminal.progress("\(prepared.name): memory and size")
    let peak = try ReplayMemory.measure(prepared, runs: min(3, runs)).peakMib
    return ReplayResult(
      trace: prepared.name, events: prepared.trace.eventCount, ok: timing.isCorrect,
      decodeMs: timing.decode.milliseconds.minimum, decodeMsMedian: timing.decode.milliseconds.median,
      replayMs: timing.replay.milliseconds.minimum, replayMsMedian: timing.replay.milliseconds.median,
      totalMs: timing.total.milliseconds.minimum, totalMsMedian: timing.total.milliseconds.median,
      peakMib: peak, updateBytes: prepared.update.bytes.count, snapshotBytes: prepared.snapshot.count,
      storedBytes: Stored.size(of: prepared.snapshot), storedLevel: Int(Stored.level),
      runs: timing.total.seconds.count)
  }

  static func table(_ results: [ReplayResult]) -> Table {
    var table = Table(
      "trace", "events", "ok", "decode ms", "replay ms", "total ms", "median ms", "ns/event", "peak MiB",
      "update", "snapshot", "stored")
    for one in results {
      table.add(
        one.trace, grouped(one.events), one.ok ? "yes" : "NO", number(one.decodeMs), number(one.replayMs),
        number(one.totalMs), number(one.totalMsMedian), number(one.nanosecondsPerEvent), number(one.peakMib),
        grouped(one.updateBytes), grouped(one.snapshotBytes), grouped(one.storedBytes))
    }
    return table
  }
}

/// Several replays of one update.
struct ReplayTiming {
  private(set) var decode = Samples()
  private(set) var replay = Samples()
  private(set) var total = Samples()
  private(set) var isCorrect = true

  init(_ bytes: [UInt8], expected: [UInt8], runs: Int, progress: (Int) -> Void = { _ in }) throws {
    var run = 0
    while !total.areEnough(of: runs) {
      run += 1
      progress(min(run, runs))
      let start = processorSeconds()
      let update = try Update(bytes: bytes)
      let decoded = processorSeconds()
      var document = TextDocument(lineage: update.lineage)
      _ = try document.apply(update)
      let replayed = processorSeconds()
      let text = document.utf8
      let end = processorSeconds()
      decode.add(decoded - start)
      replay.add(replayed - decoded)
      total.add(end - start)
      isCorrect = isCorrect && text == expected
    }
  }
}
