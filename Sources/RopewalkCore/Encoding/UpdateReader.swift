/// What takes in an update's runs as they are read.
protocol UpdateSink: ~Copyable {
  /// A run begins; its parents and then its operations follow.
  mutating func beginRun(_ run: UpdateRun)
  /// A parent of the run's first event, besides its author's event before (`UpdateRun.followsOwn`).
  mutating func addParent(_ parent: UpdateParent)
  /// All parents of the run were told.
  mutating func endParents()
  /// A part of what the run did; the text of an insert stands at `byte` in the update's bytes.
  mutating func addOperation(_ operation: Operation, byte: Int)
  /// The run is over, and has inserted so many scalars.
  mutating func endRun(inserted: UInt32)
}

/// Events of one author, each but the first following just the one before it.
struct UpdateRun {
  /// Index of the author among the header's replicas.
  var author: UInt32
  /// Sequence number of the first event.
  var seq: UInt32
  var length: UInt32
  /// Its text stands from here on in the update's bytes.
  var byte: Int
  /// The event before it of the same author is a parent too, besides those listed.
  var followsOwn: Bool
}

/// The last event of an earlier run of this update, or any event by replica index and sequence number.
struct UpdateParent {
  static let isRun = UInt32.max
  var replica: UInt32
  /// A run's index if `replica` is `isRun`.
  var value: UInt32
}

/// Where the columns stand in an update's bytes.
struct UpdateLayout {
  let header: UpdateHeader
  let authors: Range<Int>
  let lengths: Range<Int>
  let parents: Range<Int>
  let operations: Range<Int>
  let positions: Range<Int>
  /// The inserted text.
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

  /// Whether every author's events are inside from the first on.
  var isFromStart: Bool { !header.spans.contains { $0.seqs.lowerBound > 0 } }
}

/// Reads an update's columns side by side, and checks that they fit each other.
struct UpdateReader {
  private let bytes: UnsafeBufferPointer<UInt8>
  private let layout: UpdateLayout
  private let isAscii: Bool
  private var authors: ColumnReader
  private var lengths: ColumnReader
  private var parents: ColumnReader
  private var operations: ColumnReader
  private var positions: ColumnReader
  /// Where the next insert's text stands.
  private var byte: Int
  /// Scalars of text not inserted yet.
  private var scalars: UInt32

  /// Begins with the text, which must be well-formed UTF-8.
  init(_ bytes: UnsafeBufferPointer<UInt8>, _ layout: UpdateLayout) throws(FormatError) {
    self.bytes = bytes
    self.layout = layout
    authors = ColumnReader(bytes, layout.authors)
    lengths = ColumnReader(bytes, layout.lengths)
    parents = ColumnReader(bytes, layout.parents)
    operations = ColumnReader(bytes, layout.operations)
    positions = ColumnReader(bytes, layout.positions)
    byte = layout.content.lowerBound
    let text = UnsafeBufferPointer(rebasing: bytes[layout.content])
    isAscii = TextMetrics.isAscii(text)
    scalars = isAscii ? UInt32(text.count) : TextMetrics.measure(text)[TextMetrics.scalars]
    if !isAscii, let fault = TextMetrics.firstFault(text) {
      throw FormatError(.badValue, at: layout.content.lowerBound + fault, field: "update.content")
    }
  }

  /// Reads everything; throws where the columns do not fit each other.
  @inline(__always)
  mutating func read<Sink: UpdateSink & ~Copyable>(into sink: inout Sink) throws(FormatError) {
    let spans = layout.header.spans
    var authorStates = FlatBuffer<AuthorState>(capacity: spans.count)
    for span in spans {
      authorStates.append(
        AuthorState(left: UInt32(span.seqs.count), end: span.seqs.upperBound, caret: 0))
    }
    for index in 0..<layout.header.runCount {
      let start = lengths.offset
      let author = spans.count > 1 ? try authors.varint32("update.author") : 0
      guard author < authorStates.count else {
        throw FormatError(.badValue, at: start, field: "update.author")
      }
      let state = authorStates.pointer(Int(author))
      let open = state.pointee.left
      let length = layout.header.runCount > 1 ? try lengths.varint32("update.length") : open
      guard length > 0, length <= open else {
        throw FormatError(.badValue, at: start, field: "update.length")
      }
      state.pointee.left = open &- length
      let seq = state.pointee.end &- open
      let code = try parentCode(isFirst: seq == 0)
      sink.beginRun(UpdateRun(author: author, seq: seq, length: length, byte: byte, followsOwn: code < 2))
      try readParents(code < 2 ? code : code &- 2, ofRun: index, into: &sink)
      sink.endParents()
      sink.endRun(inserted: try readOperations(length: length, caret: &state.pointee.caret, into: &sink))
    }
    guard scalars == 0, !authorStates.all.contains(where: { $0.left > 0 }) else {
      throw FormatError(.badValue, at: layout.content.upperBound, field: "update.counts")
    }
    try authors.expectEnd("update.authorColumn")
    try lengths.expectEnd("update.lengthColumn")
    try parents.expectEnd("update.parentColumn")
    try operations.expectEnd("update.operationColumn")
    try positions.expectEnd("update.positionColumn")
  }

  private struct AuthorState {
    /// Events not read yet, and the sequence number after the last of them.
    var left: UInt32
    var end: UInt32
    var caret: UInt32
  }

  @inline(__always)
  private mutating func parentCode(isFirst: Bool) throws(FormatError) -> UInt64 {
    let start = parents.offset
    let code = try parents.varint("update.parents")
    if code < 2, isFirst { throw FormatError(.badValue, at: start, field: "update.parents") }
    return code
  }

  @inline(__always)
  private mutating func readParents<Sink: UpdateSink & ~Copyable>(
    _ count: UInt64, ofRun index: Int, into sink: inout Sink
  ) throws(FormatError) {
    guard count <= UInt64(parents.remaining) else {
      throw FormatError(.truncated, at: parents.offset, field: "update.parents")
    }
    for _ in 0..<count {
      let at = parents.offset
      let reference = try parents.varint("update.parent")
      if reference & 1 == 0 {
        let back = reference >> 1
        guard back > 0, back <= UInt64(index) else {
          throw FormatError(.badValue, at: at, field: "update.parent")
        }
        sink.addParent(
          UpdateParent(
            replica: UpdateParent.isRun,
            value: UInt32(truncatingIfNeeded: index) &- UInt32(truncatingIfNeeded: back)))
      } else {
        let seq = try parents.varint32("update.parentSeq")
        guard reference >> 1 < UInt64(layout.header.replicas.count), seq < EventID.seqLimit else {
          throw FormatError(.badValue, at: at, field: "update.parent")
        }
        sink.addParent(UpdateParent(replica: UInt32(truncatingIfNeeded: reference >> 1), value: seq))
      }
    }
  }

  /// Reads the operations of one run; returns how many scalars they insert.
  @inline(__always)
  private mutating func readOperations<Sink: UpdateSink & ~Copyable>(
    length: UInt32, caret: inout UInt32, into sink: inout Sink
  ) throws(FormatError) -> UInt32 {
    var left = length
    var inserted: UInt32 = 0
    while left > 0 {
      let start = operations.offset
      let word = try operations.varint("update.operation")
      guard let kind = Operation.Kind(rawValue: UInt8(truncatingIfNeeded: word & 3)), word >> 2 > 0,
        word >> 2 <= UInt64(left)
      else { throw FormatError(.badValue, at: start, field: "update.operation") }
      let count = UInt32(truncatingIfNeeded: word >> 2)
      let at = positions.offset
      let zigzag = try positions.varint("update.position")
      let shift = Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1)
      let position = Int64(caret) &+ shift
      guard zigzag < 1 << 33, position >= 0, position < 1 << 30 else {
        throw FormatError(.badValue, at: at, field: "update.position")
      }
      let operation = Operation(kind: kind, position: UInt32(truncatingIfNeeded: position), length: count)
      if kind == .deleteBackward, count < 2 || operation.position < count - 1 {
        throw FormatError(.badValue, at: at, field: "update.position")
      }
      sink.addOperation(operation, byte: byte)
      if kind == .insert {
        guard count <= scalars else { throw FormatError(.badValue, at: start, field: "update.operation") }
        scalars &-= count
        inserted &+= count
        byte &+= isAscii ? Int(count) : size(ofScalars: Int(count))
      }
      caret = operation.caret
      left &-= count
    }
    return inserted
  }

  /// The bytes of the next `count` scalars of text, which are there.
  private func size(ofScalars count: Int) -> Int {
    let rest = UnsafeBufferPointer(rebasing: bytes[byte..<layout.content.upperBound])
    return TextMetrics.byteOffset(ofScalar: count, in: rest)
  }
}
