/// The events of one document as a graph, run-length encoded.
///
/// An event's *place* is its number in this replica's order of arrival: dense from 0, parents before
/// children. Places are local; ids cross the wire. Two kinds of runs describe all events:
///
///     graph runs    places start …: the first has the listed parents, every other follows the one before
///     author runs   places start …: consecutive sequence numbers of one replica
struct EventGraph: Sendable {
  /// What stands for "no event".
  static let none = UInt32.max

  struct GraphRun: Sendable {
    var start: UInt32
    /// Where this run's parents begin in `parents`; they end where the next run's begin.
    var parentsStart: UInt32
    /// The index of the author run that holds the first event.
    var authorRun: UInt32
  }

  struct AuthorRun: Sendable {
    var start: UInt32
    var author: UInt32
    var seq: UInt32
  }

  /// A place where a replica's sequence continues: from `seq` on at `start`.
  struct Stretch: Sendable {
    var seq: UInt32
    var start: UInt32
  }

  private(set) var runs: [GraphRun] = []
  private(set) var parents: [UInt32] = []
  private(set) var authorRuns: [AuthorRun] = []
  /// Number of events; the next event's place.
  private(set) var count: UInt32 = 0
  /// Places of the heads, ascending.
  private(set) var heads: [UInt32] = []

  private(set) var replicas: [ReplicaID] = []
  /// How many events of each replica are known, by local number.
  private(set) var known: [UInt32] = []
  /// The place of each replica's last event.
  private(set) var lastPlaces: [UInt32] = []
  private var stretches: [[Stretch]] = []
  private var numbers: [ReplicaID: UInt32] = [:]

  // MARK: Replicas

  /// The local number of a replica, drawn on first sight.
  mutating func number(of replica: ReplicaID) -> UInt32 {
    if let number = numbers[replica] { return number }
    let number = UInt32(replicas.count)
    numbers[replica] = number
    replicas.append(replica)
    known.append(0)
    lastPlaces.append(Self.none)
    stretches.append([])
    return number
  }

  /// The local number of a replica, if it has any.
  func existingNumber(of replica: ReplicaID) -> UInt32? { numbers[replica] }

  /// How many events of a replica are known.
  func knownCount(of replica: ReplicaID) -> UInt32 {
    guard let number = numbers[replica] else { return 0 }
    return known[Int(number)]
  }

  // MARK: Looking up

  /// The place of an event, if it is known. O(log n).
  func place(of event: EventID) -> UInt32? {
    guard let number = numbers[event.replica] else { return nil }
    return place(ofSeq: event.seq, author: Int(number))
  }

  func place(ofSeq seq: UInt32, author: Int) -> UInt32? {
    guard seq < known[author] else { return nil }
    let list = stretches[author]
    var (low, high) = (0, list.count)
    while low + 1 < high {
      let middle = (low + high) / 2
      if list[middle].seq <= seq { low = middle } else { high = middle }
    }
    return list[low].start + (seq - list[low].seq)
  }

  /// The id of the event at a place in bounds. O(log n).
  func event(at place: UInt32) -> EventID {
    let run = authorRuns[authorRun(at: place)]
    return EventID(replica: replicas[Int(run.author)], seq: run.seq + (place - run.start))
  }

  /// The index of the graph run that holds a place. O(log n).
  func run(at place: UInt32) -> Int {
    var (low, high) = (0, runs.count)
    while low + 1 < high {
      let middle = (low + high) / 2
      if runs[middle].start <= place { low = middle } else { high = middle }
    }
    return low
  }

  /// The index of the author run that holds a place. O(log n).
  func authorRun(at place: UInt32) -> Int {
    var (low, high) = (0, authorRuns.count)
    while low + 1 < high {
      let middle = (low + high) / 2
      if authorRuns[middle].start <= place { low = middle } else { high = middle }
    }
    return low
  }

  /// Where run `index` ends.
  @inline(__always) func end(ofRun index: Int) -> UInt32 {
    index + 1 < runs.count ? runs[index + 1].start : count
  }

  /// Where author run `index` ends.
  @inline(__always) func end(ofAuthorRun index: Int) -> UInt32 {
    index + 1 < authorRuns.count ? authorRuns[index + 1].start : count
  }

  /// The bounds in `parents` of the parents of run `index`.
  @inline(__always) func parentBounds(ofRun index: Int) -> Range<Int> {
    let end = index + 1 < runs.count ? Int(runs[index + 1].parentsStart) : parents.count
    return Int(runs[index].parentsStart)..<end
  }

  // MARK: Growing

  /// Adds `length` events of an author after `parents` (places, ascending). The sequence number follows
  /// from what is known of the author.
  mutating func append(author: UInt32, length: UInt32, parents new: [UInt32]) {
    let start = count
    let isSequential = start > 0 && new.count == 1 && new.first == start - 1
    let seq = known[Int(author)]
    var isContinued = false
    if let last = authorRuns.last {
      isContinued = last.author == author && last.seq + (start - last.start) == seq
    }
    if !isContinued {
      authorRuns.append(AuthorRun(start: start, author: author, seq: seq))
      stretches[Int(author)].append(Stretch(seq: seq, start: start))
    }
    if !isSequential {
      runs.append(
        GraphRun(
          start: start, parentsStart: UInt32(parents.count), authorRun: UInt32(authorRuns.count - 1)))
      parents.append(contentsOf: new)
    }
    known[Int(author)] = seq + length
    count = start + length
    lastPlaces[Int(author)] = count - 1
    replaceHeads(new, by: count - 1)
  }

  private mutating func replaceHeads(_ covered: [UInt32], by head: UInt32) {
    var kept = 0
    for index in heads.indices where !covered.containsSorted(heads[index]) {
      heads[kept] = heads[index]
      kept += 1
    }
    if kept < heads.count {
      heads[kept] = head
      heads.removeLast(heads.count - kept - 1)
    } else {
      heads.append(head)
    }
  }

  mutating func reserve(runs runCount: Int, parents parentCount: Int) {
    runs.reserveCapacity(runCount)
    authorRuns.reserveCapacity(runCount)
    parents.reserveCapacity(parentCount)
  }

  /// Makes `length` further events of the author of the last event, following it. The hot path of typing.
  @inline(__always)
  mutating func extend(author: UInt32, length: UInt32) {
    count += length
    known[Int(author)] += length
    lastPlaces[Int(author)] = count - 1
    heads[0] = count - 1
  }

  /// Whether the next event of `author` would extend the last graph run and the last author run.
  @inline(__always)
  func isExtendable(by author: UInt32) -> Bool {
    guard heads.count == 1, let last = authorRuns.last, last.author == author else { return false }
    return last.seq + (count - last.start) == known[Int(author)]
  }
}
