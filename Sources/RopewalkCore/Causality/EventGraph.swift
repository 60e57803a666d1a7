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

  struct GraphRun: PlacedRun, Sendable {
    var start: UInt32
    /// Where this run's parents begin in `parents`; they end where the next run's begin.
    var parentsStart: UInt32
    /// The index of the author run that holds the first event.
    var authorRun: UInt32
    /// The index of the log run that holds the first event, or of the one before that.
    var logRun: UInt32
  }

  /// A parent, and the graph run that holds it.
  struct Parent: BitwiseCopyable, Sendable {
    var place: UInt32
    var run: UInt32
  }

  struct AuthorRun: PlacedRun, Sendable {
    var start: UInt32
    var author: UInt32
    var seq: UInt32
    /// How many runs of the author come before this one.
    var depth: UInt32
    /// The author's run before this one, and one further back; both this one itself if it is the first.
    var previous: UInt32
    var jump: UInt32

    /// Links a new run so that any earlier one of its author is found in O(log n) steps: `jump` skips as many
    /// runs as the two jumps before it together, if these are equal, else one (Myers, *An applicative
    /// random-access stack*, 1983).
    ///
    /// - Parameters:
    ///   - last: the author's last run so far, at `lastIndex`; nil for the first.
    ///   - jump: where that one's jump leads, and `beyond`: where the next jump leads.
    @inline(__always)
    init(
      start: UInt32, author: UInt32, seq: UInt32, index: UInt32, after last: AuthorRun?, lastIndex: UInt32,
      jump: AuthorRun?, beyond: AuthorRun?
    ) {
      self.start = start
      self.author = author
      self.seq = seq
      guard let last, let jump, let beyond else {
        (depth, previous, self.jump) = (0, index, index)
        return
      }
      depth = last.depth &+ 1
      previous = lastIndex
      self.jump = last.depth &- jump.depth == jump.depth &- beyond.depth ? jump.jump : lastIndex
    }
  }

  struct Author: Sendable {
    /// How many events are known.
    var known: UInt32 = 0
    /// The place of the last one, and the runs that hold it.
    var lastPlace = EventGraph.none
    var lastRun: UInt32 = 0
    var lastAuthorRun: UInt32 = 0
  }

  private(set) var runs: [GraphRun] = []
  private(set) var parents: [Parent] = []
  private(set) var authorRuns: [AuthorRun] = []
  /// Number of events; the next event's place.
  private(set) var count: UInt32 = 0
  private(set) var replicas: [ReplicaID] = []
  /// Of these, only `extended` events at the end are not told yet.
  private var storedHeads: [UInt32] = []
  /// By local number, as `replicas`; likewise.
  private var storedAuthors: [Author] = []
  /// So many last events each follow the one before, and are all of `extender`: a keystroke changes
  /// numbers, and no array.
  private var extended: UInt32 = 0
  private var extender: UInt32 = 0
  private var numbers: [ReplicaID: UInt32] = [:]

  init() {}

  /// A graph of columns that fit each other.
  init(
    runs: [GraphRun], parents: [Parent], authorRuns: [AuthorRun], count: UInt32, heads: [UInt32],
    replicas: [ReplicaID], authors: [Author]
  ) {
    self.runs = runs
    self.parents = parents
    self.authorRuns = authorRuns
    self.count = count
    storedHeads = heads
    self.replicas = replicas
    storedAuthors = authors
    for (number, replica) in replicas.enumerated() { numbers[replica] = UInt32(number) }
  }

  // MARK: Heads and replicas

  /// Places of the heads, ascending.
  var heads: [UInt32] { extended > 0 ? [count - 1] : storedHeads }

  /// What is known of an author.
  @inline(__always) func author(_ number: Int) -> Author {
    var author = storedAuthors[number]
    if extended > 0, number == Int(extender) {
      author.known += extended
      author.lastPlace = count - 1
    }
    return author
  }

  /// The last event known of an author, of which some are.
  func last(ofAuthor number: UInt32) -> Parent {
    let author = author(Int(number))
    return Parent(place: author.lastPlace, run: author.lastRun)
  }

  /// The local number of a replica, drawn on first sight.
  mutating func number(of replica: ReplicaID) -> UInt32 {
    if let number = numbers[replica] { return number }
    let number = UInt32(replicas.count)
    numbers[replica] = number
    replicas.append(replica)
    storedAuthors.append(Author())
    return number
  }

  /// The local number of a replica, if it has any.
  func existingNumber(of replica: ReplicaID) -> UInt32? { numbers[replica] }

  /// How many events of a replica are known.
  func knownCount(of replica: ReplicaID) -> UInt32 {
    guard let number = numbers[replica] else { return 0 }
    return author(Int(number)).known
  }

  // MARK: Looking up

  /// The place of an event, if it is known. O(log n).
  func place(of event: EventID) -> UInt32? {
    guard let number = numbers[event.replica] else { return nil }
    return place(ofSeq: event.seq, author: Int(number))
  }

  /// The place of an author's event, if it is known. O(log n).
  func place(ofSeq seq: UInt32, author: Int) -> UInt32? {
    let author = self.author(author)
    guard seq < author.known else { return nil }
    var run = authorRuns[Int(author.lastAuthorRun)]
    while run.seq > seq {
      let jump = authorRuns[Int(run.jump)]
      run = jump.seq > seq ? jump : authorRuns[Int(run.previous)]
    }
    return run.start + (seq - run.seq)
  }

  /// The id of the event at a place in bounds. O(log n).
  func event(at place: UInt32) -> EventID {
    let run = authorRuns[authorRun(at: place)]
    return EventID(replica: replicas[Int(run.author)], seq: run.seq + (place - run.start))
  }

  /// The index of the graph run that holds a place. O(log n).
  func run(at place: UInt32) -> Int {
    runs.index(ofRunWith: place, in: 0..<runs.count)
  }

  /// The index of the author run that holds a place. O(log n).
  func authorRun(at place: UInt32) -> Int {
    authorRuns.index(ofRunWith: place, in: 0..<authorRuns.count)
  }

  /// Where run `index` ends.
  @inline(__always) func end(ofRun index: Int) -> UInt32 {
    index + 1 < runs.count ? runs[index + 1].start : count
  }

  /// The places of the parents of run `index`.
  func parentPlaces(ofRun index: Int) -> [UInt32] { parents[parentBounds(ofRun: index)].map { $0.place } }

  /// A known event as a parent. O(log n).
  func parent(at place: UInt32) -> Parent { Parent(place: place, run: UInt32(run(at: place))) }

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

  /// Adds `length` events of an author after `parents`, which ascend. The sequence number follows from what
  /// is known of the author.
  ///
  /// - Parameter logRuns: how many runs the log has before it takes these events in.
  mutating func append(
    author number: UInt32, length: UInt32, parents new: UnsafeBufferPointer<Parent>, logRuns: Int
  ) {
    storeExtension()
    let start = count
    let isSequential = start > 0 && new.count == 1 && new[0].place == start - 1
    var author = storedAuthors[Int(number)]
    count = start + length
    // The author's last run goes on if it is the last of all.
    if author.lastPlace == EventGraph.none || author.lastPlace + 1 != start {
      let last = author.known > 0 ? authorRuns[Int(author.lastAuthorRun)] : nil
      let jump = last.map { authorRuns[Int($0.jump)] }
      authorRuns.append(
        AuthorRun(
          start: start, author: number, seq: author.known, index: UInt32(authorRuns.count), after: last,
          lastIndex: author.lastAuthorRun, jump: jump, beyond: jump.map { authorRuns[Int($0.jump)] }))
      author.lastAuthorRun = UInt32(authorRuns.count - 1)
    }
    if !isSequential {
      runs.append(
        GraphRun(
          start: start, parentsStart: UInt32(parents.count), authorRun: UInt32(authorRuns.count - 1),
          logRun: UInt32(max(1, logRuns) - 1)))
      for parent in new { parents.append(parent) }
    }
    author.known += length
    author.lastPlace = count - 1
    author.lastRun = UInt32(runs.count - 1)
    storedAuthors[Int(number)] = author
    replaceHeads(new, by: count - 1)
  }

  /// The same for parents given as ascending places. O(log n) per parent.
  mutating func append(author: UInt32, length: UInt32, places: [UInt32], logRuns: Int) {
    let parents = places.map { parent(at: $0) }
    parents.withUnsafeBufferPointer { append(author: author, length: length, parents: $0, logRuns: logRuns) }
  }

  private mutating func replaceHeads(_ covered: UnsafeBufferPointer<Parent>, by head: UInt32) {
    if storedHeads.count == 1, covered.count == 1, covered[0].place == storedHeads[0] {
      storedHeads[0] = head
      return
    }
    if covered.count == 1 {
      // Among thousands of heads.
      if let index = storedHeads.withUnsafeBufferPointer({ $0.index(ofAscending: covered[0].place) }) {
        storedHeads.remove(at: index)
      }
    } else {
      storedHeads.removeAll { covered.containsPlace($0) }
    }
    storedHeads.append(head)
  }

  /// Makes `length` further events of the author of the last event, following it. The hot path of typing.
  @inline(__always)
  mutating func extend(author: UInt32, length: UInt32) {
    count += length
    extended += length
    extender = author
  }

  private mutating func storeExtension() {
    guard extended > 0 else { return }
    storedAuthors[Int(extender)] = author(Int(extender))
    storedHeads[0] = count - 1
    extended = 0
  }

  /// Whether the next event of `author` would extend the last graph run and the last author run.
  @inline(__always)
  func isExtendable(by author: UInt32) -> Bool {
    if extended > 0 { return author == extender }
    return storedHeads.count == 1 && storedAuthors[Int(author)].lastPlace == count - 1
  }
}

extension UnsafeBufferPointer<EventGraph.Parent> {
  /// Whether ascending parents contain a place.
  @inline(__always)
  func containsPlace(_ place: UInt32) -> Bool {
    if count > 8 { return searchPlace(place) }
    for index in 0..<count where self[index].place == place { return true }
    return false
  }

  private func searchPlace(_ place: UInt32) -> Bool {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle].place < place { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low].place == place
  }
}

extension UnsafeBufferPointer<UInt32> {
  /// Where a number stands in ascending ones, if it does.
  fileprivate func index(ofAscending number: UInt32) -> Int? {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < number { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low] == number ? low : nil
  }
}
