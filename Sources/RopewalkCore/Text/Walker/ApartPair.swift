/// Replays a stretch in which two people typed at once in different places of the text.
///
/// Then nothing has to be ordered. Each of them has a region of the text that was there before, which holds
/// everything that it touched, and between the two there is at least one scalar that neither touched. So what
/// the one on the left did has the same position whatever the other did; and what the one on the right did is
/// only shifted, by as much as the text on the left had grown as far as it knew. The whole stretch comes to
/// what the right one did alone, and then what the left one did alone.
///
/// O(1) per edit. What is found to be otherwise is left to the `PairWalker`.
struct ApartPair: ~Copyable {
  /// What one of the two did with neighbouring scalars.
  struct Edit {
    var kind: Operation.Kind
    /// The log run that says so, and the place of the first of these events.
    var logRun: UInt32
    var place: UInt32
    /// The first event, counted from the first of the stretch.
    var event: Int32
    var length: Int32
    /// The first of the scalars, for a text on which the other has done nothing.
    var position: Int32

    @inline(__always) var isInsert: Bool { kind == .insert }
  }

  /// Where one of the two was, and what it knows.
  struct Region {
    /// Scalars `start ..< end` of the text that was there before hold all that was touched; -1: nothing yet.
    var start: Int32 = -1
    var end: Int32 = -1
    /// By how much it has grown.
    var growth: Int32 = 0
    /// The other's events before this one are known, …
    var known: Int32 = 0
    /// … which let the text grow by so much.
    var knownGrowth: Int32 = 0
    /// The other's edits before this one are in that as a whole.
    var knownEdits = 0

    @inline(__always) var isEmpty: Bool { start < 0 }

    /// Takes in an edit of scalars `first ..< last`, for a text on which the other has done nothing.
    @inline(__always)
    mutating func add(_ first: Int32, _ last: Int32, growth difference: Int32) {
      if isEmpty {
        (start, end) = (first, last)
      } else {
        start = min(start, first)
        end = max(end, last &- growth)
      }
      growth &+= difference
    }
  }

  /// What the author of lane 0 did, in order.
  private var firstEdits = FlatBuffer<Edit>(capacity: 256)
  /// The same of lane 1.
  private var secondEdits = FlatBuffer<Edit>(capacity: 256)
  private var regions = FlatBuffer<Region>(capacity: 2)
  /// Scalars of the text that was there before.
  private var length: Int32 = 0
  /// The author on the right, once both have done something.
  private var right: UInt8?

  init() {}

  /// Forgets the last stretch; before the next there is a text of `length` scalars.
  mutating func begin(length: UInt32) {
    self.length = Int32(truncatingIfNeeded: length)
    firstEdits.removeAll()
    secondEdits.removeAll()
    regions.removeAll()
    regions.append(Region())
    regions.append(Region())
    right = nil
  }

  /// Finds out on which side an author is whose first edit this is, of scalars `first ..< last` as it sees
  /// them. Returns false if it is not apart from the other.
  private mutating func choose(_ lane: UInt8, _ first: Int32, _ last: Int32) -> Bool {
    let (own, other) = (regions[Int(lane)], regions[Int(1 &- lane)])
    if other.isEmpty { return true }
    if first > other.end &+ own.knownGrowth {
      right = lane
    } else if last < other.start {
      right = 1 &- lane
    } else {
      return false
    }
    return true
  }

  /// What one of the two did, valid until more is taken in.
  @inline(__always)
  private func edits(of lane: UInt8) -> UnsafeBufferPointer<Edit> {
    lane == 0 ? firstEdits.all : secondEdits.all
  }

  /// Makes the changes.
  func apply(to target: inout PatchTarget, history: HistoryView) {
    apply(right ?? 0, to: &target, history: history)
    apply(1 &- (right ?? 0), to: &target, history: history)
  }

  private func apply(_ lane: UInt8, to target: inout PatchTarget, history: HistoryView) {
    for edit in edits(of: lane) {
      let (length, position) = (UInt32(bitPattern: edit.length), UInt32(bitPattern: edit.position))
      if edit.isInsert {
        let text = history.text(ofLogRun: Int(edit.logRun), from: edit.place, to: edit.place &+ length)
        target.insert(text, scalars: length, at: position)
      } else {
        target.delete(length, at: position)
      }
    }
  }
}

extension ApartPair: PairSink {
  @inline(__always)
  mutating func learn(upTo known: Int32, lane: UInt8) {
    let region = regions.pointer(Int(lane))
    let edits = edits(of: 1 &- lane)
    while region.pointee.knownEdits < edits.count {
      let edit = edits[region.pointee.knownEdits]
      let end = edit.event &+ edit.length
      let count = min(end, known) &- max(edit.event, region.pointee.known)
      if count > 0 { region.pointee.knownGrowth &+= edit.isInsert ? count : 0 &- count }
      if end > known { break }
      region.pointee.knownEdits &+= 1
    }
    region.pointee.known = known
  }

  @inline(__always)
  mutating func take(
    _ operation: Operation, event: Int32, place: UInt32, logRun: Int, id: UInt32, seenBy eye: Eye
  ) -> Bool {
    let region = regions.pointer(Int(eye.lane))
    let length = Int32(truncatingIfNeeded: operation.length)
    let isInsert = operation.kind == .insert
    var first = Int32(truncatingIfNeeded: operation.position)
    if operation.kind == .deleteBackward { first &-= length &- 1 }
    var last = isInsert ? first : first &+ length
    guard first >= 0, last <= self.length &+ region.pointee.growth &+ region.pointee.knownGrowth else {
      return false
    }
    if region.pointee.isEmpty, !choose(eye.lane, first, last) { return false }
    if let right {
      let other = regions.pointer(Int(1 &- eye.lane))
      if right == eye.lane {
        first &-= region.pointee.knownGrowth
        last &-= region.pointee.knownGrowth
        if first <= other.pointee.end { return false }
      } else if last >= other.pointee.start &+ region.pointee.growth {
        return false
      }
    }
    region.pointee.add(first, last, growth: isInsert ? length : 0 &- length)
    let edit = Edit(
      kind: operation.kind, logRun: UInt32(truncatingIfNeeded: logRun), place: place, event: event,
      length: length, position: first)
    if eye.lane == 0 { firstEdits.append(edit) } else { secondEdits.append(edit) }
    return true
  }
}
