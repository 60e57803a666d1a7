extension TextDocument {
  /// The whole document as bytes: present text, full history, and what waits. O(n).
  public func snapshot() -> [UInt8] {
    let all = UpdateEncoder.encode(
      history.graph.count == 0 ? [] : [PlaceRange(start: 0, end: history.graph.count)],
      of: history, lineage: lineage)
    var writer = ByteWriter()
    let text = utf8
    writer.reserve(text.count + all.bytes.count + 64)
    writer.byte(SnapshotLayout.magic)
    writer.byte(SnapshotLayout.formatVersion)
    writer.byte(
      (history.isIrregular ? SnapshotLayout.irregularFlag : 0)
        | (lineage == .blank ? 0 : SnapshotLayout.seededFlag))
    if lineage != .blank { writer.fixed64(lineage.rawValue) }
    writer.block(version.encoded)
    writer.block(versionVector.encoded)
    writer.block(text)
    let waiting = pending.all
    writer.varint(UInt64(waiting.count))
    for update in waiting { writer.block(update.bytes) }
    writer.fixed32(crc32c(writer.bytes))
    writer.append(all.bytes)
    return writer.bytes
  }

  /// Opens a snapshot. The text is taken as it stands; nothing is replayed. O(n). Where only the text is
  /// needed at first, see `UnreadDocument`.
  ///
  /// Throws `FormatError` when the bytes are damaged, from a newer version, or larger than the budget.
  public init(snapshot bytes: [UInt8], budget: DecodingBudget = .standard) throws(FormatError) {
    let layout = try SnapshotLayout(bytes, budget: budget)
    try self.init(snapshot: bytes, layout, budget: budget)
    buffer = bytes[layout.text].withUnsafeBufferPointer { TextBuffer(utf8: $0) }
    try mergeWaiting(of: bytes, layout, budget: budget)
  }

  /// The history of a snapshot, with no text yet.
  init(snapshot bytes: [UInt8], _ layout: SnapshotLayout, budget: DecodingBudget) throws(FormatError) {
    let start = layout.history.lowerBound
    let update = try Update(bytes: Array(bytes[layout.history]), budget: budget)
    self.init(lineage: update.lineage)
    let columns = try UpdateLayout(update)
    guard columns.isFromStart, columns.content.count < Self.contentLimit,
      columns.header.spans.reduce(0, { $0 + UInt64($1.seqs.count) }) < Self.snapshotEventLimit,
      let whole = try HistoryBuilder.build(update, columns)
    else { throw FormatError(.badValue, at: start, field: "snapshot.history") }
    history = whole
    history.isIrregular = layout.isIrregular
    let moment = SnapshotLayout.Moment(lineage: lineage, version: version, vector: versionVector)
    guard layout.moment == moment else {
      throw FormatError(.badValue, at: start, field: "snapshot.moment")
    }
  }

  /// Takes in what waited, and waits still: nothing of it may belong in the history, and none may be there
  /// twice.
  mutating func mergeWaiting(
    of bytes: [UInt8], _ layout: SnapshotLayout, budget: DecodingBudget
  ) throws(FormatError) {
    let events = history.graph.count
    for range in layout.waiting {
      let waiting = try Update(bytes: Array(bytes[range]), budget: budget)
      do throws(ApplyError) { _ = try merge(waiting, collecting: false) } catch {
        switch error {
        // It came to contradict what is known while it waited: it can never be merged.
        case .idClash, .tooLarge: pending.refused.append(RefusedUpdate(update: waiting, error: error))
        case .malformed, .lineageMismatch:
          throw FormatError(.badValue, at: range.lowerBound, field: "snapshot.waiting")
        }
      }
    }
    guard history.graph.count == events,
      pending.count + pending.refused.count == layout.waiting.count
    else {
      throw FormatError(
        .notCanonical, at: layout.waiting.first?.lowerBound ?? 0, field: "snapshot.waiting")
    }
  }
}
