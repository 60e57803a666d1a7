/// What takes in the events of a stretch in which two people typed at once.
protocol PairSink: ~Copyable {
  /// The author of a lane knows the other's events before `known` from now on.
  mutating func learn(upTo known: Int32, lane: UInt8)
  /// What the events from `event` on did, which are those from `place` on of a log run; `id` names the first
  /// scalar that they insert (see `Item.id`). Returns false if that is nothing for this sink.
  mutating func take(
    _ operation: Operation, event: Int32, place: UInt32, logRun: Int, id: UInt32, seenBy eye: Eye
  ) -> Bool
}

/// What one of the two knows when it does something: all events of its own, and the other's before `known`.
/// Events are counted from the first of the stretch.
struct Eye {
  /// The author, 0 or 1.
  var lane: UInt8
  var known: Int32
  /// Where nothing but the ids decides, its inserts go first.
  var isSmaller: Bool
}

/// Reads a stretch of events of two authors, each always knowing all events of its own, and tells what each
/// of them knew.
struct PairReader: ~Copyable {
  /// One of the two.
  struct Author {
    var number: UInt32
    /// The other's events before this one are known …
    var known: Int32 = 0
    /// … to events from this one on.
    var knownSince: Int32 = 0
    /// The last event; negative before the first.
    var last: Int32 = -1

    /// Whether the author knew an event of the other's when it made the event `own`. Of an `own` before
    /// `knownSince` that is not known any more: no.
    @inline(__always) func knew(_ event: Int32, at own: Int32) -> Bool { event < known && own >= knownSince }
  }

  private var authors = FlatBuffer<Author>(capacity: 2)
  /// Inserts of lane 0 go first.
  private var isFirstSmaller = false
  private var base: UInt32 = 0

  init() {}

  /// Reads graph runs `runs` from place `start` on; all of them know what was before. Returns false if the
  /// events are not of two such authors, or the sink has enough.
  ///
  /// - Parameters:
  ///   - authorRun: one at or before the first place; moved to the last.
  ///   - logRun: likewise.
  @inline(__always)
  mutating func read<Sink: PairSink & ~Copyable>(
    _ history: HistoryView, runs: Range<Int>, from start: UInt32, authorRun: inout Int, logRun: inout Int,
    into sink: inout Sink
  ) -> Bool {
    base = start
    authors.removeAll()
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
          guard
            learn(
              history.parents(ofGraphRun: run), lane: lane, at: event(at), history: history, into: &sink)
          else { return false }
        } else if at > start {
          // The events of a graph run follow each other, so the one before is the other's.
          let (own, before) = (authors[lane], event(at) &- 1)
          guard own.last < 0 || authors[1 &- lane].knew(own.last, at: before) else { return false }
          learn(upTo: before &+ 1, lane: lane, at: event(at), into: &sink)
        }
        guard read(at, stop, lane: lane, history: history, logRun: &logRun, into: &sink) else { return false }
        authors.pointer(lane).pointee.last = event(stop) &- 1
        at = stop
      }
    }
    return true
  }

  /// The number of the event at a place, from the first of the stretch.
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
  private mutating func learn<Sink: PairSink & ~Copyable>(
    _ parents: UnsafeBufferPointer<EventGraph.Parent>, lane: Int, at event: Int32, history: HistoryView,
    into sink: inout Sink
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
      learn(upTo: known &+ 1, lane: lane, at: event, into: &sink)
    }
    return knowsOwn
  }

  @inline(__always)
  private mutating func learn<Sink: PairSink & ~Copyable>(
    upTo known: Int32, lane: Int, at event: Int32, into sink: inout Sink
  ) {
    let author = authors.pointer(lane)
    guard known > author.pointee.known else { return }
    author.pointee.known = known
    author.pointee.knownSince = event
    sink.learn(upTo: known, lane: UInt8(truncatingIfNeeded: lane))
  }

  /// Reads events of one author.
  @inline(__always)
  private mutating func read<Sink: PairSink & ~Copyable>(
    _ start: UInt32, _ end: UInt32, lane: Int, history: HistoryView, logRun: inout Int, into sink: inout Sink
  ) -> Bool {
    let eye = Eye(
      lane: UInt8(truncatingIfNeeded: lane), known: authors[lane].known,
      isSmaller: isFirstSmaller == (lane == 0))
    while history.end(ofLogRun: logRun) <= start { logRun &+= 1 }
    var at = start
    while at < end {
      let runEnd = history.end(ofLogRun: logRun)
      let stop = min(end, runEnd)
      let operation = history.operation(ofLogRun: logRun, from: at, to: stop)
      let run = history.logRuns[logRun]
      guard
        sink.take(
          operation, event: event(at), place: at, logRun: logRun, id: run.content &+ (at &- run.start),
          seenBy: eye)
      else { return false }
      at = stop
      if stop == runEnd { logRun &+= 1 }
    }
    return true
  }
}
