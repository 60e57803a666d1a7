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
  }

  typealias Parent = UpdateParent

  let header: UpdateHeader
  private(set) var runs: FlatBuffer<Run>
  private(set) var parents = FlatBuffer<Parent>()
  private(set) var operations: FlatBuffer<Operation>
  /// Where the inserted text stands in the update's bytes.
  private(set) var content: Range<Int>

  /// Reads all columns; throws where they do not fit each other. Allocates a small multiple of the input.
  static func decode(_ update: Update, _ layout: UpdateLayout) throws(FormatError) -> DecodedUpdate {
    var decoded = DecodedUpdate(layout)
    var failure: FormatError?
    update.bytes.withUnsafeBufferPointer { bytes in
      do throws(FormatError) {
        let reader = try UpdateReader(bytes, layout)
        try reader.read(into: &decoded)
      } catch { failure = error }
    }
    if let failure { throw failure }
    return decoded
  }

  private init(_ layout: UpdateLayout) {
    header = layout.header
    content = layout.content
    runs = FlatBuffer(capacity: header.runCount)
    operations = FlatBuffer(capacity: layout.operations.count)
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

  /// The id of a parent.
  func event(_ parent: Parent) -> EventID {
    guard parent.replica == Parent.isRun else {
      return EventID(replica: header.replicas[Int(parent.replica)], seq: parent.value)
    }
    let run = runs[Int(parent.value)]
    return EventID(replica: header.replicas[Int(run.author)], seq: run.seq + run.length - 1 - parent.back)
  }
}

extension DecodedUpdate: UpdateSink {
  mutating func beginRun(_ run: UpdateRun) {
    runs.append(
      Run(
        author: run.author, seq: run.seq, length: run.length, firstParent: UInt32(parents.count),
        firstOperation: UInt32(operations.count), firstByte: UInt32(run.byte), inserted: 0))
  }

  mutating func addParent(_ parent: UpdateParent) { parents.append(parent) }

  mutating func endParents() {}

  mutating func addOperation(_ operation: Operation, byte: Int) { operations.append(operation) }

  mutating func endRun(inserted: UInt32) { runs.pointer(runs.count - 1).pointee.inserted = inserted }
}
