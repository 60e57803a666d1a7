/// What takes in an update's runs as they are read.
protocol UpdateSink: ~Copyable {
  /// A run begins; its parents and then its operations follow.
  mutating func beginRun(_ run: UpdateRun)
  /// A parent of the run's first event, besides its author's event before.
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
  private let bytes: UnsafeBufferPointer<UInt8>
  private let layout: UpdateLayout
  private let operations: OperationReader

  /// Begins with the text, which must be well-formed UTF-8.
  init(_ bytes: UnsafeBufferPointer<UInt8>, _ layout: UpdateLayout) throws(FormatError) {
    self.bytes = bytes
    self.layout = layout
    operations = try OperationReader(bytes, layout)
  }

  /// Reads everything; throws where the columns do not fit each other, or could have been written otherwise.
  @inline(__always)
  func read<Sink: UpdateSink & ~Copyable>(into sink: inout Sink) throws(FormatError) {
    let runCount = layout.header.runCount
    var authors = ColumnReader(bytes, layout.authors)
    var lengths = ColumnReader(bytes, layout.lengths)
    var parents = ParentReader(column: ColumnReader(bytes, layout.parents))
    var operations = self.operations
    var runs = UpdateRuns(of: layout.header)
    var lastAuthor = UInt32.max
    for _ in 0..<runCount {
      let author = try Self.readAuthor(&authors, &runs)
      let state = runs.author(author)
      let left = state.pointee.left
      let length = runCount > 1 ? try Self.readLength(&lengths, atMost: left) : left
      let seq = state.pointee.end &- left
      let count = try parents.readCount(goesOn: author == lastAuthor)
      lastAuthor = author
      sink.beginRun(
        UpdateRun(author: author, seq: seq, length: length, byte: operations.byte))
      if count > 0 { try parents.read(count, ofRunBy: author, seq: seq, after: &runs, into: &sink) }
      sink.endParents()
      state.pointee.left = left &- length
      runs.append(author: author, last: seq &+ length &- 1)
      sink.endRun(inserted: try operations.read(length: length, caret: &state.pointee.caret, into: &sink))
    }
    guard operations.uninserted == 0, !runs.isAnyLeft else {
      throw FormatError(.badValue, at: layout.content.upperBound, field: "update.counts")
    }
    guard runs.othersSeen == runs.otherCount else {
      throw FormatError(.notCanonical, at: parents.column.offset, field: "update.others")
    }
    try authors.expectEnd("update.authorColumn")
    try lengths.expectEnd("update.lengthColumn")
    try parents.column.expectEnd("update.parentColumn")
    try operations.expectEnd()
  }

  @inline(__always)
  private static func readAuthor(
    _ authors: inout ColumnReader, _ runs: inout UpdateRuns
  ) throws(FormatError) -> UInt32 {
    guard runs.authorCount > 1 else { return 0 }
    let start = authors.offset
    let author = try authors.varint32("update.author")
    guard author < runs.authorCount else { throw FormatError(.badValue, at: start, field: "update.author") }
    guard runs.noteAuthor(author) else { throw FormatError(.notCanonical, at: start, field: "update.author") }
    return author
  }

  /// - Parameter left: how many events of the run's author were not read yet.
  @inline(__always)
  private static func readLength(
    _ lengths: inout ColumnReader, atMost left: UInt32
  ) throws(FormatError) -> UInt32 {
    let start = lengths.offset
    let length = try lengths.varint32("update.length")
    guard length > 0, length <= left else {
      throw FormatError(.badValue, at: start, field: "update.length")
    }
    return length
  }
}
