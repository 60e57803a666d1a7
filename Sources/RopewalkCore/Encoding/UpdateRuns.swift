/// What was read of an update so far: its authors, and its runs, so that any event inside is found by its author
/// and sequence number.
struct UpdateRuns: ~Copyable {
  struct Author: BitwiseCopyable {
    /// Events not read yet, and the sequence numbers of the first and after the last.
    var left: UInt32
    var first: UInt32
    var end: UInt32
    var caret: UInt32 = 0
    /// Its last run so far.
    var lastRun = UpdateRuns.none
  }

  struct Run: BitwiseCopyable {
    /// Index among the header's replicas.
    var author: UInt32
    /// Sequence numbers of the first event and the last.
    var first: UInt32
    var last: UInt32
    /// How many runs of the author come before this one, and links to two of them, as in
    /// `EventGraph.AuthorRun`.
    var depth: UInt32
    var previous: UInt32
    var jump: UInt32
  }

  /// What stands for "no run".
  static let none = UInt32.max

  private var authors: FlatBuffer<Author>
  private var runs: FlatBuffer<Run>
  private var authorsSeen: UInt32 = 0
  /// How many replicas occur only as parents, and how many of these have occurred.
  let otherCount: UInt64
  private(set) var othersSeen: UInt64 = 0

  init(of header: UpdateHeader) {
    authors = FlatBuffer(capacity: header.spans.count)
    runs = FlatBuffer(capacity: header.runCount)
    otherCount = UInt64(header.replicas.count - header.spans.count)
    for span in header.spans {
      authors.append(
        Author(left: UInt32(span.seqs.count), first: span.seqs.lowerBound, end: span.seqs.upperBound))
    }
  }

  @inline(__always) var authorCount: Int { authors.count }
  @inline(__always) var count: Int { runs.count }
  var isAnyLeft: Bool { authors.all.contains { $0.left > 0 } }

  @inline(__always) func author(_ index: UInt32) -> UnsafeMutablePointer<Author> {
    authors.pointer(Int(index))
  }

  @inline(__always) subscript(index: UInt32) -> Run { runs[Int(index)] }

  /// Whether an author is known already, or the next to be known.
  @inline(__always)
  mutating func noteAuthor(_ index: UInt32) -> Bool {
    if index >= authorsSeen {
      if index > authorsSeen { return false }
      authorsSeen &+= 1
    }
    return true
  }

  /// The same for a replica that only occurs as a parent, by its index among all.
  mutating func noteOther(_ index: UInt64) -> Bool {
    let other = index &- UInt64(authors.count)
    if other >= othersSeen {
      if other > othersSeen { return false }
      othersSeen &+= 1
    }
    return true
  }

  /// Adds a run after its author's last one.
  @inline(__always)
  mutating func append(author: UInt32, first: UInt32, last: UInt32) {
    let index = UInt32(truncatingIfNeeded: runs.count)
    var run = Run(author: author, first: first, last: last, depth: 0, previous: index, jump: index)
    let state = authors.pointer(Int(author))
    let previous = state.pointee.lastRun
    state.pointee.lastRun = index
    if previous != Self.none {
      let before = runs[Int(previous)]
      let jump = runs[Int(before.jump)]
      run.depth = before.depth &+ 1
      run.previous = previous
      run.jump =
        before.depth &- jump.depth == jump.depth &- runs[Int(jump.jump)].depth ? jump.jump : previous
    }
    runs.append(run)
  }

  /// The run that holds an event, which was read; `last` is its author's last run. O(log n).
  @inline(__always)
  func index(ofRunWith seq: UInt32, upTo last: UInt32) -> UInt32 {
    var index = last
    while self[index].first > seq {
      let jump = self[index].jump
      index = self[jump].first > seq ? jump : self[index].previous
    }
    return index
  }
}
