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

/// An event of an earlier run of this update, or one from elsewhere by replica index and sequence number.
struct UpdateParent {
  static let isRun = UInt32.max
  var replica: UInt32
  /// A run's index if `replica` is `isRun`.
  var value: UInt32
  /// How many events before the last of that run.
  var back: UInt32
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

/// Reads an update's columns side by side, and checks that they fit each other, and are what an encoder
/// writes for these events in this order: no other bytes say the same.
struct UpdateReader {
  let bytes: UnsafeBufferPointer<UInt8>
  let layout: UpdateLayout
  let isAscii: Bool
  private var authors: ColumnReader
  private var lengths: ColumnReader
  var parents: ColumnReader
  var operations: ColumnReader
  var positions: ColumnReader
  /// Where the next insert's text stands.
  var byte: Int
  /// Scalars of text not inserted yet.
  var scalars: UInt32

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

  /// Reads everything; throws where the columns do not fit each other, or could have been written otherwise.
  @inline(__always)
  mutating func read<Sink: UpdateSink & ~Copyable>(into sink: inout Sink) throws(FormatError) {
    var runs = UpdateRuns(of: layout.header)
    var lastAuthor = UInt32.max
    for _ in 0..<layout.header.runCount {
      let author = try readAuthor(&runs)
      let state = runs.author(author)
      let left = state.pointee.left
      let length = try readLength(atMost: left)
      let seq = state.pointee.end &- left
      let code = try readParentCode(isFirst: seq == 0, goesOn: author == lastAuthor)
      lastAuthor = author
      sink.beginRun(UpdateRun(author: author, seq: seq, length: length, byte: byte, followsOwn: code < 2))
      if code > 0 { try readParents(code, ofRunBy: author, seq: seq, after: &runs, into: &sink) }
      sink.endParents()
      state.pointee.left = left &- length
      runs.append(author: author, first: seq, last: seq &+ length &- 1)
      sink.endRun(inserted: try readOperations(length: length, caret: &state.pointee.caret, into: &sink))
    }
    guard scalars == 0, !runs.isAnyLeft else {
      throw FormatError(.badValue, at: layout.content.upperBound, field: "update.counts")
    }
    guard runs.othersSeen == runs.otherCount else {
      throw FormatError(.notCanonical, at: parents.offset, field: "update.others")
    }
    try expectEnd()
  }

  @inline(__always)
  private mutating func readAuthor(_ runs: inout UpdateRuns) throws(FormatError) -> UInt32 {
    guard runs.authorCount > 1 else { return 0 }
    let start = authors.offset
    let author = try authors.varint32("update.author")
    guard author < runs.authorCount else { throw FormatError(.badValue, at: start, field: "update.author") }
    guard runs.noteAuthor(author) else { throw FormatError(.notCanonical, at: start, field: "update.author") }
    return author
  }

  /// - Parameter left: how many events of the run's author were not read yet.
  @inline(__always)
  private mutating func readLength(atMost left: UInt32) throws(FormatError) -> UInt32 {
    let start = lengths.offset
    let length = layout.header.runCount > 1 ? try lengths.varint32("update.length") : left
    guard length > 0, length <= left else {
      throw FormatError(.badValue, at: start, field: "update.length")
    }
    return length
  }

  private func expectEnd() throws(FormatError) {
    try authors.expectEnd("update.authorColumn")
    try lengths.expectEnd("update.lengthColumn")
    try parents.expectEnd("update.parentColumn")
    try operations.expectEnd("update.operationColumn")
    try positions.expectEnd("update.positionColumn")
  }
}
