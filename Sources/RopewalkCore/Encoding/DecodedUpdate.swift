/// An update's columns, read and checked, not yet merged into anything.
struct DecodedUpdate: ~Copyable {
  struct Run {
    /// Index of the author among the header's replicas.
    var author: UInt32
    /// Sequence number of the first event.
    var seq: UInt32
    var length: UInt32
    /// Its parents stand from here on in `parents`.
    var firstParent: UInt32
    var firstOperation: UInt32
    /// Its text stands from here on in the update's bytes.
    var firstByte: UInt32
    /// How many scalars it inserts.
    var inserted: UInt32
    /// The event before it of the same author is a parent too, besides those listed.
    var followsOwn: Bool
  }

  /// The last event of an earlier run of this update, or any event by replica index and sequence number.
  struct Parent {
    static let isRun = UInt32.max
    var replica: UInt32
    /// A run's index if `replica` is `isRun`.
    var value: UInt32
  }

  let header: UpdateHeader
  private(set) var runs: FlatBuffer<Run>
  private(set) var parents = FlatBuffer<Parent>()
  private(set) var operations: FlatBuffer<Operation>
  /// Where the inserted text stands in the update's bytes.
  private(set) var content: Range<Int>

  /// Reads all columns; throws where they do not fit each other. Allocates a small multiple of the input.
  static func decode(_ update: Update) throws(FormatError) -> DecodedUpdate {
    let layout = try Layout(update)
    var decoded = DecodedUpdate(layout)
    var failure: FormatError?
    update.bytes.withUnsafeBufferPointer { bytes in
      var columns = Columns(bytes, layout)
      do throws(FormatError) { try decoded.read(&columns) } catch { failure = error }
    }
    if let failure { throw failure }
    return decoded
  }

  private init(_ layout: Layout) {
    header = layout.header
    content = layout.content
    runs = FlatBuffer(capacity: header.runCount)
    operations = FlatBuffer(capacity: layout.operations.count)
  }

  /// Where the columns stand in the update's bytes.
  private struct Layout {
    let header: UpdateHeader
    let authors: Range<Int>
    let lengths: Range<Int>
    let parents: Range<Int>
    let operations: Range<Int>
    let positions: Range<Int>
    let content: Range<Int>

    init(_ update: Update) throws(FormatError) {
      var reader = ByteReader(update.bytes[..<(update.bytes.count - 4)])
      header = try UpdateHeader(&reader)
      authors = header.spans.count > 1 ? try reader.blockRange("update.authorColumn") : 0..<0
      lengths = header.runCount > 1 ? try reader.blockRange("update.lengthColumn") : 0..<0
      parents = try reader.blockRange("update.parentColumn")
      operations = try reader.blockRange("update.operationColumn")
      positions = try reader.blockRange("update.positionColumn")
      content = try reader.blockRange("update.content")
      try reader.expectEnd()
    }
  }

  private struct Columns {
    let bytes: UnsafeBufferPointer<UInt8>
    var authors: ColumnReader
    var lengths: ColumnReader
    var parents: ColumnReader
    var operations: ColumnReader
    var positions: ColumnReader

    init(_ bytes: UnsafeBufferPointer<UInt8>, _ layout: Layout) {
      self.bytes = bytes
      authors = ColumnReader(bytes, layout.authors)
      lengths = ColumnReader(bytes, layout.lengths)
      parents = ColumnReader(bytes, layout.parents)
      operations = ColumnReader(bytes, layout.operations)
      positions = ColumnReader(bytes, layout.positions)
    }
  }

  private mutating func read(_ columns: inout Columns) throws(FormatError) {
    let text = UnsafeBufferPointer(rebasing: columns.bytes[content])
    let isAscii = TextMetrics.isAscii(text)
    if !isAscii, let fault = TextMetrics.firstFault(text) {
      throw FormatError(.badValue, at: content.lowerBound + fault, field: "update.content")
    }
    var scalars = isAscii ? UInt32(text.count) : TextMetrics.measure(text)[TextMetrics.scalars]
    var byte = content.lowerBound
    var left = header.spans.map { UInt32($0.seqs.count) }
    var carets = [UInt32](repeating: 0, count: left.count)
    for index in 0..<header.runCount {
      let start = columns.lengths.offset
      let author = header.spans.count > 1 ? try columns.authors.varint32("update.author") : 0
      guard author < left.count else { throw FormatError(.badValue, at: start, field: "update.author") }
      let open = left[Int(author)]
      let length = header.runCount > 1 ? try columns.lengths.varint32("update.length") : open
      guard length > 0, length <= open else {
        throw FormatError(.badValue, at: start, field: "update.length")
      }
      left[Int(author)] = open - length
      var run = Run(
        author: author, seq: header.spans[Int(author)].seqs.upperBound - open, length: length,
        firstParent: UInt32(parents.count), firstOperation: UInt32(operations.count),
        firstByte: UInt32(byte), inserted: 0, followsOwn: false)
      run.followsOwn = try readParents(&columns.parents, ofRun: index, isFirst: run.seq == 0)
      let inserted = try readOperations(
        &columns.operations, &columns.positions, length: length, caret: &carets[Int(author)])
      guard inserted <= scalars else {
        throw FormatError(.badValue, at: columns.operations.offset, field: "update.operation")
      }
      scalars -= inserted
      run.inserted = inserted
      if isAscii {
        byte += Int(inserted)
      } else if inserted > 0 {
        byte += TextMetrics.byteOffset(
          ofScalar: Int(inserted), in: UnsafeBufferPointer(rebasing: columns.bytes[byte..<content.upperBound])
        )
      }
      runs.append(run)
    }
    guard scalars == 0, !left.contains(where: { $0 > 0 }) else {
      throw FormatError(.badValue, at: content.upperBound, field: "update.counts")
    }
    try columns.authors.expectEnd("update.authorColumn")
    try columns.lengths.expectEnd("update.lengthColumn")
    try columns.parents.expectEnd("update.parentColumn")
    try columns.operations.expectEnd("update.operationColumn")
    try columns.positions.expectEnd("update.positionColumn")
  }

  /// Reads the parents of one run; returns whether the author's event before is among them.
  private mutating func readParents(
    _ column: inout ColumnReader, ofRun index: Int, isFirst: Bool
  ) throws(FormatError) -> Bool {
    let start = column.offset
    let code = try column.varint("update.parents")
    if code < 2, isFirst { throw FormatError(.badValue, at: start, field: "update.parents") }
    let count = code < 2 ? code : code - 2
    guard count <= UInt64(column.remaining) else {
      throw FormatError(.truncated, at: start, field: "update.parents")
    }
    for _ in 0..<count {
      let at = column.offset
      let reference = try column.varint("update.parent")
      if reference & 1 == 0 {
        let back = reference >> 1
        guard back > 0, back <= UInt64(index) else {
          throw FormatError(.badValue, at: at, field: "update.parent")
        }
        parents.append(Parent(replica: Parent.isRun, value: UInt32(index) - UInt32(back)))
      } else {
        let seq = try column.varint32("update.parentSeq")
        guard reference >> 1 < UInt64(header.replicas.count), seq < EventID.seqLimit else {
          throw FormatError(.badValue, at: at, field: "update.parent")
        }
        parents.append(Parent(replica: UInt32(reference >> 1), value: seq))
      }
    }
    return code < 2
  }

  /// Reads the operations of one run; returns how many scalars they insert.
  private mutating func readOperations(
    _ column: inout ColumnReader, _ positions: inout ColumnReader, length: UInt32, caret: inout UInt32
  ) throws(FormatError) -> UInt32 {
    var left = length
    var inserted: UInt32 = 0
    while left > 0 {
      let start = column.offset
      let word = try column.varint("update.operation")
      guard let kind = Operation.Kind(rawValue: UInt8(word & 3)), word >> 2 > 0, word >> 2 <= UInt64(left)
      else { throw FormatError(.badValue, at: start, field: "update.operation") }
      let count = UInt32(word >> 2)
      let at = positions.offset
      let zigzag = try positions.varint("update.position")
      let shift = Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1)
      let position = Int64(caret) &+ shift
      guard zigzag < 1 << 33, position >= 0, position < 1 << 30 else {
        throw FormatError(.badValue, at: at, field: "update.position")
      }
      let operation = Operation(kind: kind, position: UInt32(position), length: count)
      if kind == .insert {
        inserted += count
      } else if kind == .deleteBackward, count < 2 || operation.position < count - 1 {
        throw FormatError(.badValue, at: at, field: "update.position")
      }
      caret = operation.caret
      operations.append(operation)
      left -= count
    }
    return inserted
  }

  // MARK: Reading

  @inline(__always) func operations(ofRun index: Int) -> Range<Int> {
    Int(
      runs[index].firstOperation)..<(index + 1 < runs.count
      ? Int(runs[index + 1].firstOperation) : operations.count)
  }

  @inline(__always) func parents(ofRun index: Int) -> Range<Int> {
    Int(runs[index].firstParent)..<(index + 1 < runs.count ? Int(runs[index + 1].firstParent) : parents.count)
  }

  /// The id of a run's last event.
  func lastEvent(ofRun index: Int) -> EventID {
    let run = runs[index]
    return EventID(replica: header.replicas[Int(run.author)], seq: run.seq + run.length - 1)
  }

  /// The id of a parent.
  func event(_ parent: Parent) -> EventID {
    parent.replica == Parent.isRun
      ? lastEvent(ofRun: Int(parent.value))
      : EventID(replica: header.replicas[Int(parent.replica)], seq: parent.value)
  }
}
