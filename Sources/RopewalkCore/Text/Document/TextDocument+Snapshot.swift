extension TextDocument {
  private static let magic: UInt8 = 0x53  // S
  private static let formatVersion: UInt8 = 1
  private static let irregularFlag: UInt8 = 1

  /// The whole document as bytes: present text, full history, and what waits. O(n).
  public func snapshot() -> [UInt8] {
    let all = UpdateEncoder.encode(
      history.graph.count == 0 ? [] : [PlaceRange(start: 0, end: history.graph.count)],
      of: history, lineage: lineage)
    var writer = ByteWriter()
    let text = utf8
    writer.reserve(text.count + all.bytes.count + 32)
    writer.byte(Self.magic)
    writer.byte(Self.formatVersion)
    writer.byte(history.isIrregular ? Self.irregularFlag : 0)
    writer.block(text)
    writer.block(all.bytes)
    let waiting = pending.all
    writer.varint(UInt64(waiting.count))
    for update in waiting { writer.block(update.bytes) }
    writer.fixed32(crc32c(writer.bytes))
    return writer.bytes
  }

  /// Opens a snapshot. The text is read as it stands; nothing is replayed. O(n).
  ///
  /// Throws `FormatError` when the bytes are damaged, from a newer version, or larger than the budget.
  public init(snapshot bytes: [UInt8], budget: DecodingBudget = .standard) throws(FormatError) {
    guard bytes.count <= budget.maximumBytes else {
      throw FormatError(.overLimit, at: 0, field: "snapshot.size")
    }
    guard bytes.count >= 8 else { throw FormatError(.truncated, at: bytes.count, field: "snapshot.header") }
    guard bytes[0] == Self.magic else { throw FormatError(.badMagic, at: 0, field: "snapshot.magic") }
    guard bytes[1] == Self.formatVersion else {
      throw FormatError(.unsupportedVersion, at: 1, field: "snapshot.version")
    }
    var trailer = ByteReader(bytes[(bytes.count - 4)...])
    guard try trailer.fixed32("snapshot.checksum") == crc32c(bytes[..<(bytes.count - 4)]) else {
      throw FormatError(.badChecksum, at: bytes.count - 4, field: "snapshot.checksum")
    }
    var reader = ByteReader(bytes[..<(bytes.count - 4)])
    _ = try reader.bytes(2, "snapshot.magic")
    let flags = try reader.byte("snapshot.flags")
    guard flags & ~Self.irregularFlag == 0 else {
      throw FormatError(.badValue, at: 2, field: "snapshot.flags")
    }
    let textStart = reader.offset
    let text = try reader.block("snapshot.text")
    let fault = text.withUnsafeBufferPointer { TextMetrics.firstFault($0) }
    if let fault { throw FormatError(.badValue, at: textStart + fault, field: "snapshot.text") }
    let historyStart = reader.offset
    let update = try Update(bytes: Array(try reader.block("snapshot.history")), budget: budget)
    let waitingCount = try reader.count("snapshot.waiting")
    self.init(lineage: update.lineage)
    let layout = try UpdateLayout(update)
    guard layout.isFromStart, text.count < Self.contentLimit, layout.content.count < Self.contentLimit,
      layout.header.spans.reduce(0, { $0 + UInt64($1.seqs.count) }) < Self.snapshotEventLimit,
      let whole = try HistoryBuilder.build(update, layout)
    else { throw FormatError(.badValue, at: historyStart, field: "snapshot.history") }
    history = whole
    history.isIrregular = flags & Self.irregularFlag != 0
    buffer = text.withUnsafeBufferPointer { TextBuffer(utf8: $0) }
    for _ in 0..<waitingCount {
      let start = reader.offset
      let waiting = try Update(bytes: Array(try reader.block("snapshot.waiting")), budget: budget)
      do throws(ApplyError) { _ = try merge(waiting, collecting: false) } catch {
        switch error {
        // It came to contradict what is known while it waited: it can never be merged.
        case .idClash, .tooLarge: pending.refused.append(RefusedUpdate(update: waiting, error: error))
        case .malformed, .lineageMismatch:
          throw FormatError(.badValue, at: start, field: "snapshot.waiting")
        }
      }
    }
    try reader.expectEnd()
  }
}
