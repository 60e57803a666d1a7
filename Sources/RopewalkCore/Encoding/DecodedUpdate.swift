/// An update's columns, read and checked, not yet merged into anything.
struct DecodedUpdate {
  struct Run {
    /// Index of the author among the header's replicas.
    var author: UInt32
    /// Sequence number of the first event.
    var seq: UInt32
    var length: UInt32
    /// Its parents stand from here on in `parents`.
    var firstParent: UInt32
    /// The event before it of the same author is a parent too, besides those listed.
    var followsOwn: Bool
    var firstOperation: UInt32
  }

  enum Parent {
    /// The last event of an earlier run of this update.
    case run(UInt32)
    case event(EventID)
  }

  var header: UpdateHeader
  var runs: [Run] = []
  var parents: [Parent] = []
  var operations: [Operation] = []
  var content: ArraySlice<UInt8>

  /// Reads all columns; throws where they do not fit each other. Allocates a small multiple of the input.
  init(_ update: Update) throws(FormatError) {
    var reader = ByteReader(update.bytes[..<(update.bytes.count - 4)])
    header = try UpdateHeader(&reader)
    let base = update.bytes.startIndex
    var authors: ByteReader?
    var lengths: ByteReader?
    if header.spans.count > 1 { authors = try reader.column("update.authorColumn") }
    if header.runCount > 1 { lengths = try reader.column("update.lengthColumn") }
    var parentColumn = try reader.column("update.parentColumn")
    var operationColumn = try reader.column("update.operationColumn")
    var positionColumn = try reader.column("update.positionColumn")
    content = try reader.block("update.content")
    try reader.expectEnd()
    let fault = content.withUnsafeBufferPointer { TextMetrics.firstFault($0) }
    if let fault {
      throw FormatError(.badValue, at: content.startIndex - base + fault, field: "update.content")
    }
    var scalars = content.withUnsafeBufferPointer { TextMetrics.measure($0)[TextMetrics.scalars] }

    var left = header.spans.map { UInt32($0.seqs.count) }
    var carets = [UInt32](repeating: 0, count: left.count)
    runs.reserveCapacity(header.runCount)
    operations.reserveCapacity(
      min(operationColumn.remaining, header.runCount + operationColumn.remaining / 2))
    for index in 0..<header.runCount {
      let author = try authors?.varint32("update.author") ?? 0
      guard author < left.count else {
        throw FormatError(.badValue, at: reader.offset, field: "update.author")
      }
      let length = try lengths?.varint32("update.length") ?? left[0]
      guard length > 0, length <= left[Int(author)] else {
        throw FormatError(.badValue, at: reader.offset, field: "update.length")
      }
      var run = Run(
        author: author, seq: header.spans[Int(author)].seqs.upperBound - left[Int(author)], length: length,
        firstParent: UInt32(parents.count), followsOwn: false, firstOperation: UInt32(operations.count))
      left[Int(author)] -= length
      run.followsOwn = try readParents(&parentColumn, ofRun: index, isFirst: run.seq == 0)
      try readOperations(
        &operationColumn, &positionColumn, length: length, caret: &carets[Int(author)], scalars: &scalars)
      runs.append(run)
    }
    guard scalars == 0, !left.contains(where: { $0 > 0 }) else {
      throw FormatError(.badValue, at: reader.offset, field: "update.counts")
    }
    if let authors { try authors.expectEnd() }
    if let lengths { try lengths.expectEnd() }
    try parentColumn.expectEnd()
    try operationColumn.expectEnd()
    try positionColumn.expectEnd()
  }

  /// Reads the parents of one run; returns whether the author's event before is among them.
  private mutating func readParents(
    _ column: inout ByteReader, ofRun index: Int, isFirst: Bool
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
        parents.append(.run(UInt32(index) - UInt32(back)))
      } else {
        let seq = try column.varint32("update.parentSeq")
        guard reference >> 1 < UInt64(header.replicas.count), seq < EventID.seqLimit else {
          throw FormatError(.badValue, at: at, field: "update.parent")
        }
        parents.append(.event(EventID(replica: header.replicas[Int(reference >> 1)], seq: seq)))
      }
    }
    return code < 2
  }

  private mutating func readOperations(
    _ column: inout ByteReader, _ positions: inout ByteReader, length: UInt32, caret: inout UInt32,
    scalars: inout UInt32
  ) throws(FormatError) {
    var left = length
    while left > 0 {
      let start = column.offset
      let word = try column.varint("update.operation")
      guard let kind = Operation.Kind(rawValue: UInt8(word & 3)), word >> 2 > 0, word >> 2 <= UInt64(left)
      else {
        throw FormatError(.badValue, at: start, field: "update.operation")
      }
      let count = UInt32(word >> 2)
      let at = positions.offset
      let zigzag = try positions.varint("update.position")
      let shift = Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1)
      let (position, overflows) = Int64(caret).addingReportingOverflow(shift)
      guard !overflows, position >= 0, position < 1 << 30 else {
        throw FormatError(.badValue, at: at, field: "update.position")
      }
      let operation = Operation(kind: kind, position: UInt32(position), length: count)
      switch kind {
      case .insert:
        guard count <= scalars else { throw FormatError(.badValue, at: start, field: "update.operation") }
        scalars -= count
      case .deleteForward: break
      case .deleteBackward:
        guard count > 1, operation.position >= count - 1 else {
          throw FormatError(.badValue, at: at, field: "update.position")
        }
      }
      caret = operation.caret
      operations.append(operation)
      left -= count
    }
  }
}
