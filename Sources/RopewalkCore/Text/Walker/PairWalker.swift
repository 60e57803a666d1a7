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

  /// What one of the two knows.
  struct Author {
    /// The other's events before this one, counted from the first of the walk.
    var known: Int32 = 0
    /// How many deletions are its own or known.
    var knownDeletions = 0
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
  var changes = WalkChanges()

  init() {}

  /// Forgets the last walk; before the next there is a text of `length` scalars.
  mutating func begin(length: UInt32) {
    authors.removeAll()
    authors.append(Author())
    authors.append(Author())
    items.removeAll()
    sight.removeAll()
    deletions.removeAll()
    if length > 0 { put(PairItem(baseOfLength: length), at: 0) }
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

extension PairWalker: PairSink {
  @inline(__always)
  mutating func learn(upTo known: Int32, lane: UInt8) {
    let author = authors.pointer(Int(lane))
    author.pointee.known = known
    if author.pointee.knownDeletions < deletions.count { learnDeletions(Int(lane)) }
  }

  @inline(__always)
  mutating func take(
    _ operation: Operation, event: Int32, place: UInt32, logRun: Int, id: UInt32, seenBy eye: Eye
  ) -> Bool {
    guard operation.kind == .insert else { return delete(operation, event: event, seenBy: eye) }
    let item = PairItem(id: id, length: operation.length, event: event, by: eye.lane)
    return insert(item, at: operation.position, seenBy: eye)
  }
}
