import RopewalkCore

/// How many bytes a whole history takes.
struct SizeResult: Encodable {
  let trace: String
  let events: Int
  let ok: Bool
  /// The text alone.
  let textBytes: Int
  /// The history alone, deleted text included, from which the text follows by a replay.
  let updateBytes: Int
  let updateCompressedBytes: Int
  /// History and text.
  let snapshotBytes: Int
  /// The snapshot as a replica stores it.
  let storedBytes: Int
  let storedLevel: Int
  /// The snapshot at zstd's highest usual level.
  let smallestStoredBytes: Int
  let updateSmallestBytes: Int
  /// All events and, of the text, only what is not deleted, compressed as a replica stores it. A replay of the events
  /// tells where each scalar of the text came from, so nothing but deleted text is lost.
  let storedWithoutDeletedBytes: Int

  static func measure(_ prepared: PreparedTrace) throws -> SizeResult {
    Terminal.progress("\(prepared.name): compressing")
    let opened = try TextDocument(snapshot: prepared.snapshot)
    return SizeResult(
      trace: prepared.name, events: prepared.trace.eventCount, ok: opened.utf8 == prepared.expected,
      textBytes: prepared.expected.count, updateBytes: prepared.update.bytes.count,
      updateCompressedBytes: Stored.size(of: prepared.update.bytes),
      snapshotBytes: prepared.snapshot.count, storedBytes: Stored.size(of: prepared.snapshot),
      storedLevel: Int(Stored.level),
      smallestStoredBytes: Stored.size(of: prepared.snapshot, level: Stored.smallestLevel),
      updateSmallestBytes: Stored.size(of: prepared.update.bytes, level: Stored.smallestLevel),
      storedWithoutDeletedBytes: Stored.size(of: prepared.eventColumns + prepared.expected))
  }

  static func table(_ results: [SizeResult]) -> Table {
    var table = Table(
      "trace", "events", "ok", "text", "history", "history zstd \(Stored.level)",
      "history zstd \(Stored.smallestLevel)", "snapshot", "stored (zstd \(Stored.level))",
      "zstd \(Stored.smallestLevel)", "without deleted text", "bytes/event")
    for one in results {
      table.add(
        one.trace, grouped(one.events), one.ok ? "yes" : "NO", grouped(one.textBytes),
        grouped(one.updateBytes),
        grouped(one.updateCompressedBytes), grouped(one.updateSmallestBytes), grouped(one.snapshotBytes),
        grouped(one.storedBytes), grouped(one.smallestStoredBytes),
        grouped(one.storedWithoutDeletedBytes), number(Double(one.storedBytes) / Double(max(1, one.events))))
    }
    return table
  }
}
