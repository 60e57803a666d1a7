import RopewalkCore
import RopewalkSync

/// What a simulated relay keeps of a room besides its entries. Entries that were forgotten stay in the
/// model's list, to be checked, and are not read any more.
struct SimulatedForgetting {
  var oldest: UInt64 = 1
  var checkpoint: LogHead?
  var announced: AnnouncedCheckpoint?
  var announcedParts: [CheckpointPart] = []
  var parts: [CheckpointPart] = []
  var uploading: [CheckpointPart] = []
  var retention = Retention.everything

  mutating func perform(_ change: LogChange) {
    switch change {
    case .storeParts(_, let first, let more):
      if first == 0 { uploading = [] }
      uploading += more
    case .announceCheckpoint(let new):
      (announced, announcedParts) = (new, uploading)
      uploading = []
    case .useCheckpoint(let cursor):
      guard let new = announced, new.head.cursor == cursor else { break }
      (checkpoint, parts) = (new.head, announcedParts)
      (announced, announcedParts) = (nil, [])
    case .dropCheckpoint(let cursor):
      uploading = []
      if announced?.head.cursor == cursor { (announced, announcedParts) = (nil, []) }
    case .setRetention(let new): retention = new
    case .forget: oldest = max(oldest, (checkpoint?.cursor ?? 0) + 1)
    }
  }

  /// What parts hold of one replica besides what entries do.
  func coverage(of key: CoverageKey, besides entries: [CoveredRange]) -> [CoveredRange] {
    let known = Set(entries.flatMap { Array($0.seqs) })
    return parts.filter { CoverageKey($0.header) == key }.flatMap { part in
      part.header.span.seqs.filter { !known.contains($0) }.map {
        CoveredRange(seqs: $0..<$0 + 1, cursor: checkpoint?.cursor ?? 0, payloadHash: nil)
      }
    }
  }

  func batch(_ cursor: UInt64, from first: UInt64, count: Int) -> CheckpointBatch? {
    guard let checkpoint, checkpoint.cursor == cursor else { return nil }
    let rest = parts.dropFirst(Int(first))
    let some = rest.prefix(count).map {
      AttributedPart(part: $0, subject: [], time: 0)
    }
    return CheckpointBatch(head: checkpoint, first: first, parts: some, isLast: rest.count <= count)
  }

  /// The checkpoint holds just what the entries up to it do.
  func fault(_ entries: [RelayRoom.NewEntry]) -> String? {
    guard let checkpoint else { return oldest > 1 ? "something was forgotten without a checkpoint" : nil }
    if oldest > checkpoint.cursor + 1 { return "more was forgotten than the checkpoint holds" }
    func contents(_ items: [(EntryHeader, [UInt8])]) -> [CoverageKey: [UInt32: UInt32]] {
      var found: [CoverageKey: [UInt32: UInt32]] = [:]
      for (header, payload) in items {
        found[CoverageKey(header), default: [:]].merge(Payload.contents(payload, of: header.span.seqs)) { $1 }
      }
      return found
    }
    let held = entries.prefix(Int(checkpoint.cursor))
    guard held.last?.digest == checkpoint.digest else { return "the checkpoint is of another log" }
    let isSame =
      contents(parts.map { ($0.header, $0.payload) })
      == contents(held.map { ($0.entry.header, $0.entry.payload) })
    return isSame ? nil : "the checkpoint does not hold what the log did"
  }
}
