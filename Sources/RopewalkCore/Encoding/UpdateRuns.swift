/// What was read of an update so far: its authors, and its runs, so that any event inside is found by its author
/// and sequence number.
struct UpdateRuns: ~Copyable {
  struct Author: BitwiseCopyable {
    /// Events not read yet, and the sequence numbers of the first and after the last.
    var left: UInt32
    var first: UInt32
    var end: UInt32
    var caret: UInt32 = 0
    /// Its last run so far, and the last of those that are linked.
    var lastRun = UpdateRuns.none
    var lastLinked = UpdateRuns.none
  }

  struct Run: BitwiseCopyable {
    /// Index among the header's replicas.
    var author: UInt32
    /// Sequence number of the last event.
    var last: UInt32
  }

  /// What a run's events are looked up by. Made when that is needed first: mostly only the ends of runs are
  /// referred to.
  struct Link: BitwiseCopyable {
    /// Sequence number of the first event.
    var first: UInt32
    /// How many runs of the author come before this one, and links to two of them, as in
    /// `EventGraph.AuthorRun`.
    var depth: UInt32 = 0
    var previous: UInt32
    var jump: UInt32
  }

  /// What stands for "no run".
  static let none = UInt32.max

  private var authors: FlatBuffer<Author>
  private var runs: FlatBuffer<Run>
  /// Of the first runs.
  private var links = FlatBuffer<Link>(capacity: 1)
  /// The header's.
  let replicas: [ReplicaID]
  private var authorsSeen: UInt32 = 0
  /// How many replicas occur only as parents, and how many of these have occurred.
  let otherCount: UInt64
  private(set) var othersSeen: UInt64 = 0

  init(of header: UpdateHeader) {
    authors = FlatBuffer(capacity: header.spans.count)
    runs = FlatBuffer(capacity: header.runCount)
    replicas = header.replicas
    otherCount = UInt64(header.replicas.count - header.spans.count)
    for span in header.spans {
      authors.append(
        Author(left: UInt32(span.seqs.count), first: span.seqs.lowerBound, end: span.seqs.upperBound))
    }
  }

  @inline(__always) var authorCount: Int { authors.count }
  @inline(__always) var replicaCount: UInt64 { UInt64(authors.count) &+ otherCount }
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
  mutating func append(author: UInt32, last: UInt32) {
    authors.pointer(Int(author)).pointee.lastRun = UInt32(truncatingIfNeeded: runs.count)
    runs.append(Run(author: author, last: last))
  }

  /// The run that holds an event of an author, which was read. O(log n), after O(1) for each run read.
  mutating func index(ofRunWith seq: UInt32, by author: UInt32) -> UInt32 {
    while links.count < runs.count { linkNext() }
    var index = authors[Int(author)].lastRun
    while links[Int(index)].first > seq {
      let jump = links[Int(index)].jump
      index = links[Int(jump)].first > seq ? jump : links[Int(index)].previous
    }
    return index
  }

  private mutating func linkNext() {
    let index = UInt32(truncatingIfNeeded: links.count)
    let author = authors.pointer(Int(runs[links.count].author))
    let previous = author.pointee.lastLinked
    author.pointee.lastLinked = index
    var link = Link(first: author.pointee.first, previous: index, jump: index)
    if previous != Self.none {
      let before = links[Int(previous)]
      let jump = links[Int(before.jump)]
      link.first = runs[Int(previous)].last &+ 1
      link.depth = before.depth &+ 1
      link.previous = previous
      link.jump =
        before.depth &- jump.depth == jump.depth &- links[Int(jump.jump)].depth ? jump.jump : previous
    }
    links.append(link)
  }
}
