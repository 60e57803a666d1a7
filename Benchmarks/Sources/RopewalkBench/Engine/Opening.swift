import RopewalkCore
import RopewalkZstd

/// What it takes to open a saved document, and to type into it.
struct OpenResult: Encodable {
  let trace: String
  let events: Int
  let ok: Bool
  /// Snapshot bytes in memory to the text, as an `UnreadDocument`.
  let openMs: Double
  let openMsMedian: Double
  /// The same to a whole `TextDocument`, with its history.
  let wholeMs: Double
  let wholeMsMedian: Double
  /// The same from the compressed form, as a replica stores it.
  let storedOpenMs: Double
  let storedOpenMsMedian: Double
  /// The first character typed after, and its update; and the one after that.
  let firstEditUs: Double
  let firstEditUsMedian: Double
  let nextEditUs: Double
  let textBytes: Int
  let snapshotBytes: Int

  static func measure(_ prepared: PreparedTrace, runs: Int) throws -> OpenResult {
    let stored = Zstd.compress(prepared.snapshot, level: Stored.level)
    var (open, whole, storedOpen, first, next) = (Samples(), Samples(), Samples(), Samples(), Samples())
    var isCorrect = true
    for run in 1...runs {
      Terminal.progress("\(prepared.name): opening, \(run) of \(runs)")
      let start = processorSeconds()
      var document = try UnreadDocument(snapshot: prepared.snapshot)
      let text = document.utf8
      open.add(processorSeconds() - start)
      isCorrect = isCorrect && text == prepared.expected

      document.replica = ReplicaID(rawValue: 1 << 40)
      let middle = document.scalarCount / 2
      first.add(type("x", at: middle, seq: 0, in: &document))
      next.add(type("y", at: middle + 1, seq: 1, in: &document))
      isCorrect = isCorrect && document.text(in: middle..<middle + 2) == "xy"
      isCorrect = try isCorrect && document.read().utf8 == document.utf8

      let wholeStart = processorSeconds()
      let wholeText = try TextDocument(snapshot: prepared.snapshot).utf8
      whole.add(processorSeconds() - wholeStart)
      isCorrect = isCorrect && wholeText == prepared.expected

      let storedStart = processorSeconds()
      let bytes = try Zstd.decompress(stored, maximumBytes: DecodingBudget.standard.maximumBytes)
      let storedText = try UnreadDocument(snapshot: bytes).utf8
      storedOpen.add(processorSeconds() - storedStart)
      isCorrect = isCorrect && storedText == prepared.expected
    }
    return OpenResult(
      trace: prepared.name, events: prepared.trace.eventCount, ok: isCorrect,
      openMs: open.milliseconds.minimum, openMsMedian: open.milliseconds.median,
      wholeMs: whole.milliseconds.minimum, wholeMsMedian: whole.milliseconds.median,
      storedOpenMs: storedOpen.milliseconds.minimum, storedOpenMsMedian: storedOpen.milliseconds.median,
      firstEditUs: first.minimum * 1e6, firstEditUsMedian: first.median * 1e6, nextEditUs: next.minimum * 1e6,
      textBytes: prepared.expected.count, snapshotBytes: prepared.snapshot.count)
  }

  private static func type(
    _ text: String, at index: Int, seq: UInt32, in document: inout UnreadDocument
  ) -> Double {
    processorSeconds {
      document.insert(text, at: index)
      keep(document.update(of: EventSpan(replica: ReplicaID(rawValue: 1 << 40), seqs: seq..<seq + 1)))
    }
  }

  static func table(_ results: [OpenResult]) -> Table {
    var table = Table(
      "trace", "events", "ok", "open ms", "median", "with history ms", "stored, open ms", "first edit µs",
      "next edit µs",
      "text bytes", "snapshot")
    for one in results {
      table.add(
        one.trace, grouped(one.events), one.ok ? "yes" : "NO", number(one.openMs), number(one.openMsMedian),
        number(one.wholeMs), number(one.storedOpenMs), number(one.firstEditUs), number(one.nextEditUs),
        grouped(one.textBytes),
        grouped(one.snapshotBytes))
    }
    return table
  }
}
