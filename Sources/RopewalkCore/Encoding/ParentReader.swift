/// Reads the parents of runs' first events.
struct ParentReader {
  private(set) var column: ColumnReader

  init(column: ColumnReader) { self.column = column }

  /// How many parents a run's first event has besides its author's event before.
  ///
  /// - Parameter goesOn: the run before it is of the same author, and would have held what just follows it.
  @inline(__always)
  mutating func readCount(goesOn: Bool) throws(FormatError) -> UInt64 {
    let start = column.offset
    let count = try column.varint("update.parents")
    if count == 0, goesOn { throw FormatError(.notCanonical, at: start, field: "update.parents") }
    return count
  }

  /// Reads the references of a run's first event, which are not none.
  @inline(__always)
  mutating func read<Sink: UpdateSink & ~Copyable>(
    _ count: UInt64, ofRunBy author: UInt32, seq: UInt32, after runs: inout UpdateRuns, into sink: inout Sink
  ) throws(FormatError) {
    guard count <= UInt64(column.remaining) else {
      throw FormatError(.truncated, at: column.offset, field: "update.parents")
    }
    if count == 1 { return sink.addParent(try readParent(ofRunBy: author, seq: seq, after: &runs)) }
    var last: EventID?
    for _ in 0..<count {
      let start = column.offset
      let parent = try readParent(ofRunBy: author, seq: seq, after: &runs)
      let event = event(parent, runs)
      if let last, last >= event { throw FormatError(.notCanonical, at: start, field: "update.parent") }
      last = event
      sink.addParent(parent)
    }
  }

  /// The author's event before is a parent in any case, and never among the references.
  @inline(__always)
  private mutating func readParent(
    ofRunBy author: UInt32, seq: UInt32, after runs: inout UpdateRuns
  ) throws(FormatError) -> UpdateParent {
    let start = column.offset
    let reference = try column.varint("update.parent")
    let number = reference >> 1
    guard reference & 1 == 0 else {
      return try readEvent(of: number, at: start, by: author, seq: seq, after: &runs)
    }
    guard number > 0, number <= UInt64(runs.count) else {
      throw FormatError(.badValue, at: start, field: "update.parent")
    }
    let run = UInt32(truncatingIfNeeded: runs.count) &- UInt32(truncatingIfNeeded: number)
    guard run != runs.author(author).pointee.lastRun else {
      throw FormatError(.notCanonical, at: start, field: "update.parent")
    }
    return UpdateParent(replica: UpdateParent.isRun, value: run, back: 0)
  }

  /// Reads the sequence number of a parent that is given by its id.
  ///
  /// - Parameter number: its replica's, read at `start`.
  private mutating func readEvent(
    of number: UInt64, at start: Int, by author: UInt32, seq: UInt32,
    after runs: inout UpdateRuns
  ) throws(FormatError) -> UpdateParent {
    let event = try column.varint32("update.parentSeq")
    guard number < runs.replicaCount, event < EventID.seqLimit else {
      throw FormatError(.badValue, at: start, field: "update.parent")
    }
    let replica = UInt32(truncatingIfNeeded: number)
    let outside = UpdateParent(replica: replica, value: event, back: 0)
    guard replica < runs.authorCount else {
      guard runs.noteOther(number) else {
        throw FormatError(.notCanonical, at: start, field: "update.parent")
      }
      return outside
    }
    let state = runs.author(replica).pointee
    if event < state.first {
      guard replica != author || event &+ 1 != seq else {
        throw FormatError(.notCanonical, at: start, field: "update.parent")
      }
      return outside
    }
    guard event < state.end &- state.left else {
      // A parent comes before its child: no event follows itself, or what comes later here.
      guard replica != author, event >= state.end else {
        throw FormatError(.badValue, at: start, field: "update.parent")
      }
      return outside
    }
    let run = runs.index(ofRunWith: event, by: replica)
    let back = runs[run].last &- event
    guard back > 0 else { throw FormatError(.notCanonical, at: start, field: "update.parent") }
    return UpdateParent(replica: UpdateParent.isRun, value: run, back: back)
  }

  private func event(_ parent: UpdateParent, _ runs: borrowing UpdateRuns) -> EventID {
    guard parent.replica == UpdateParent.isRun else {
      return EventID(replica: runs.replicas[Int(parent.replica)], seq: parent.value)
    }
    let run = runs[parent.value]
    return EventID(replica: runs.replicas[Int(run.author)], seq: run.last &- parent.back)
  }
}
