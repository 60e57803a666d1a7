/// Replays a short stretch in which two people typed at once, each always knowing all events of its own.
///
/// It comes to the same order as the `Walker`, without views: what an author sees of an item follows from the
/// place of its insert, those of its deletions, and the place up to which that author knows the other's
/// events. So nothing is ever advanced, and a position is found by reading the items from the left, the
/// faster way as long as they are few.
struct PairWalker: ~Copyable {
  #if DEBUG
    /// Graph runs that are worth trying. Few, so that tests meet the `Walker` too.
    static let runLimit = 24
  #else
    static let runLimit = 160
  #endif

  /// Events that are worth trying, since every operation reads past the items before its place.
  static let eventLimit: UInt32 = 2048

  /// One of the two. Events are counted from the first of the walk.
  struct Author {
    var number: UInt32
    /// The other's events before this one are known …
    var known: Int32 = 0
    /// … to events from this one on.
    var knownSince: Int32 = 0
    /// The last event; negative before the first.
    var last: Int32 = -1
    /// How many deletions are its own or known.
    var knownDeletions = 0

    /// Whether the author knew an event of the other's when it made the event `own`. Of an `own` before
    /// `knownSince` that is not known any more: no.
    @inline(__always) func knew(_ event: Int32, at own: Int32) -> Bool { event < known && own >= knownSince }
  }

  /// Events of one author that deleted neighbouring scalars, one each.
  struct Deletion {
    var lane: UInt8
    var event: Int32
    /// The scalar that the first deletes; the i-th deletes `id + i`, or `id - i` if reversed.
    var id: UInt32
    var length: UInt32
    var isReversed: Bool

    /// Takes the first `count` events off, if there are so many.
    mutating func cut(at count: UInt32) -> Deletion {
      var first = self
      first.length = min(count, length)
      event &+= Int32(truncatingIfNeeded: first.length)
      id = isReversed ? id &- first.length : id &+ first.length
      length &-= first.length
      return first
    }
  }

  var items = FlatBuffer<PairItem>(capacity: 256)
  /// In the order of `items`.
  var sight = PairSight()
  /// In the order of their events.
  var deletions = FlatBuffer<Deletion>()
  private var authors = FlatBuffer<Author>(capacity: 2)
  /// Where nothing but the ids decides, inserts of lane 0 go first.
  var isFirstSmaller = false
  private var base: UInt32 = 0
  var changes = WalkChanges()

  init() {}

  /// Walks graph runs `runs` from place `start` on, before which there is a text of `length` scalars that all
  /// of them know. Returns false, and is of no further use, if the events are not of two such authors or some
  /// index is beyond the text.
  ///
  /// - Parameters:
  ///   - authorRun: one at or before the first place; moved to the last.
  ///   - logRun: likewise.
  mutating func walk(
    _ history: HistoryView, runs: Range<Int>, from start: UInt32, length: UInt32, authorRun: inout Int,
    logRun: inout Int
  ) -> Bool {
    base = start
    authors.removeAll()
    items.removeAll()
    sight.removeAll()
    deletions.removeAll()
    if length > 0 { put(PairItem(baseOfLength: length), at: 0) }
    var at = start
    for run in runs {
      let end = history.end(ofGraphRun: run)
      while at < end {
        while history.end(ofAuthorRun: authorRun) <= at { authorRun &+= 1 }
        let stop = min(end, history.end(ofAuthorRun: authorRun))
        guard let lane = lane(of: history.authorRuns[authorRun].author, history: history) else {
          return false
        }
        if at == history.graphRuns[run].start {
          guard learn(history.parents(ofGraphRun: run), lane: lane, at: event(at), history: history) else {
            return false
          }
        } else if at > start {
          // The events of a graph run follow each other, so the one before is the other's.
          let (own, before) = (authors[lane], event(at) &- 1)
          guard own.last < 0 || authors[1 &- lane].knew(own.last, at: before) else { return false }
          learn(upTo: before &+ 1, lane: lane, at: event(at))
        }
        guard walk(at, stop, lane: lane, history: history, logRun: &logRun) else { return false }
        authors.pointer(lane).pointee.last = event(stop) &- 1
        at = stop
      }
    }
    return true
  }

  /// The number of the event at a place, from the first of the walk.
  @inline(__always) private func event(_ place: UInt32) -> Int32 { Int32(truncatingIfNeeded: place &- base) }

  /// The lane of an author; nil if there are two others already.
  @inline(__always)
  private mutating func lane(of number: UInt32, history: HistoryView) -> Int? {
    for lane in 0..<authors.count where authors[lane].number == number { return lane }
    guard authors.count < 2 else { return nil }
    authors.append(Author(number: number))
    if authors.count == 2 {
      isFirstSmaller =
        history.replicas[Int(authors[0].number)].rawValue < history.replicas[Int(authors[1].number)].rawValue
    }
    return authors.count - 1
  }

  /// Takes in what the parents of an event tell its author. Returns false if the author does not know all
  /// that went before of its own, or there is a third one.
  @inline(__always)
  private mutating func learn(
    _ parents: UnsafeBufferPointer<EventGraph.Parent>, lane: Int, at event: Int32, history: HistoryView
  ) -> Bool {
    let own = authors[lane]
    var knowsOwn = own.last < 0
    for parent in parents where parent.place >= base {
      let known = self.event(parent.place)
      if known == own.last {
        knowsOwn = true
        continue
      }
      var authorRun = Int(history.graphRuns[Int(parent.run)].authorRun)
      while history.end(ofAuthorRun: authorRun) <= parent.place { authorRun &+= 1 }
      let number = history.authorRuns[authorRun].author
      if number == own.number { continue }
      guard authors.count == 2, number == authors[1 &- lane].number else { return false }
      if authors[1 &- lane].knew(own.last, at: known) { knowsOwn = true }
      learn(upTo: known &+ 1, lane: lane, at: event)
    }
    return knowsOwn
  }

  @inline(__always)
  private mutating func learn(upTo known: Int32, lane: Int, at event: Int32) {
    let author = authors.pointer(lane)
    guard known > author.pointee.known else { return }
    author.pointee.known = known
    author.pointee.knownSince = event
    if author.pointee.knownDeletions < deletions.count { learnDeletions(lane) }
  }

  /// Hides from an author what it came to know as deleted by the other.
  private mutating func learnDeletions(_ lane: Int) {
    let author = authors.pointer(lane)
    while author.pointee.knownDeletions < deletions.count {
      let deletion = deletions.pointer(author.pointee.knownDeletions)
      if deletion.pointee.lane != UInt8(lane) {
        guard deletion.pointee.event < author.pointee.known else { return }
        let known = deletion.pointee.cut(
          at: UInt32(truncatingIfNeeded: author.pointee.known &- deletion.pointee.event))
        let first = known.isReversed ? known.id &- (known.length &- 1) : known.id
        hide(first, first &+ known.length, from: UInt8(lane))
        // The rest is not known yet.
        if deletion.pointee.length > 0 { return }
      }
      author.pointee.knownDeletions &+= 1
    }
  }

  /// Walks events of one author.
  @inline(__always)
  private mutating func walk(
    _ start: UInt32, _ end: UInt32, lane: Int, history: HistoryView, logRun: inout Int
  ) -> Bool {
    let eye = Eye(lane: UInt8(truncatingIfNeeded: lane), known: authors[lane].known)
    while history.end(ofLogRun: logRun) <= start { logRun &+= 1 }
    var at = start
    while at < end {
      let runEnd = history.end(ofLogRun: logRun)
      let stop = min(end, runEnd)
      let operation = history.operation(ofLogRun: logRun, from: at, to: stop)
      if operation.kind == .insert {
        let run = history.logRuns[logRun]
        let item = PairItem(
          id: run.content &+ (at &- run.start), length: operation.length, event: event(at), by: eye.lane)
        guard insert(item, at: operation.position, seenBy: eye) else { return false }
      } else {
        guard delete(operation, event: event(at), seenBy: eye) else { return false }
      }
      at = stop
      if stop == runEnd { logRun &+= 1 }
    }
    return true
  }

  /// Makes all changes of a walk to the text that it began with. O(items).
  ///
  /// - Parameter logRuns: those that the walk came by.
  mutating func emit(into target: inout PatchTarget, history: HistoryView, logRuns: Range<Int>) {
    changes.begin(logRuns: logRuns, history: history)
    for index in 0..<items.count {
      let item = items.pointer(index)
      changes.take(
        id: item.pointee.id, length: item.pointee.length, isPresent: !item.pointee.isDeleted,
        history: history,
        into: &target)
    }
    changes.make(in: &target)
  }
}
