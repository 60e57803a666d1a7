/// Replays the concurrent part of an event graph.
///
/// A temporary sequence holds every scalar that the walked events insert or that was there before, with a
/// state for each of several views (`View`). See README.md in this folder.
struct Walker: ~Copyable {
  #if DEBUG
    static let leafCapacity = 4
    static let reviewInterval: UInt32 = 32
  #else
    static let leafCapacity = 16
    /// Events between two looks at whether a walk that goes on and on could begin later.
    static let reviewInterval: UInt32 = 1024
  #endif

  struct Deletion {
    /// The place of the first event.
    var start: UInt32
    /// The scalar that it deletes; event i deletes `id + i`, or `id - i` if reversed.
    var id: UInt32
    var length: UInt32
    var isReversed: Bool
  }

  /// What a view shows. It always is one event with all that led to it.
  struct ViewPlace {
    /// The place of the last event of the version that the view shows; `none` for the beginning.
    var head = EventGraph.none
    var author = UInt32.max
    var lastUse = 0
  }

  var tree = SumTree()
  /// Items of leaf n stand from `n * leafCapacity` on.
  var items = FlatBuffer<Item>(capacity: 16 * leafCapacity)
  var itemCounts = FlatBuffer<UInt32>()
  /// The leaf of each scalar inserted since the base, by content offset less `contentBase`.
  var leafOfScalar = FlatBuffer<UInt32>(capacity: 1024)
  var contentBase: UInt32 = 0
  var deletions = FlatBuffer<Deletion>()
  var views = FlatBuffer<ViewPlace>(capacity: View.count)
  var uses = 0
  var difference = VersionDifference()
  var inserts = InsertTree()
  /// Items read to place others, since the tree of inserts was asked last (`place`).
  var itemsRead = 0
  var changes = WalkChanges()
  /// Every event before this place is in the base text, and all from here on follow the one before it.
  var base: UInt32 = 0
  /// The runs of the graph and of the log from the base to what is being walked; others cannot be met.
  var graphBounds = 0..<1
  var logBounds = 0..<1
  /// A base scalar that turned out not to exist: as a right parent it means the end.
  var baseEnd = Item.none
  /// An event's index was beyond the text that its author saw.
  var isIrregular = false

  /// Per author and view: the view shows the author's events below this place, and none from it on, since an
  /// author's events follow each other.
  var limits = FlatBuffer<UInt32>()
  var knowledge = Knowledge()
  /// Every event before this place is in the base text or was walked, and no other.
  var end: UInt32 = 0
  /// The place from which on it is worth asking whether the walk could begin later (`Replay.goOn`).
  var reviewPlace: UInt32 = 0

  #if DEBUG
    /// What this walk and those before it have cost: operations walked, and items that were changed when a view
    /// was moved.
    var steps: UInt64 = 0
  #endif

  init() {}

  /// A walk that begins anew where another one was of no use.
  init(after other: borrowing Walker) {
    #if DEBUG
      steps = other.steps
    #endif
  }

  /// Makes room for so many authors.
  mutating func prepare(authorCount: Int) {
    limits.grow(to: authorCount * View.count, filling: 0)
  }

  /// Starts from a text of `length` scalars, which every event from here on knows; `head` is the place of
  /// the last event before it.
  mutating func open(head: UInt32?, length: UInt32, history: HistoryView, from place: UInt32) {
    let sum = SumTree.Sum(repeating: length)
    tree.reset(sum: sum)
    items.removeAll()
    itemCounts.removeAll()
    leafOfScalar.removeAll()
    deletions.removeAll()
    inserts.removeAll()
    itemsRead = 0
    growLeaves()
    if length > 0 {
      items[0] = Item(
        id: Item.baseFlag, length: length, originLeft: Item.none, rightParent: Item.none,
        state: SIMD4(repeating: 1))
      itemCounts[0] = 1
      for kind in 0..<View.count { tree.mark(0, kind) }
    }
    base = place
    let (graphRun, logRun) = (history.graphRun(at: place), history.logRun(at: place))
    graphBounds = graphRun..<graphRun + 1
    logBounds = logRun..<logRun + 1
    contentBase = history.logRuns[logRun].content
    views.removeAll()
    views.grow(to: View.count, filling: ViewPlace(head: head ?? EventGraph.none))
    uses = 0
    baseEnd = Item.none
    knowledge.open(base: place)
    end = place
    reviewPlace = place + Self.reviewInterval
  }

  /// Takes `count` scalars off the end of the base text, which was opened too long. Returns false if that
  /// many untouched ones do not stand there: then the present text is not the one that the history leads
  /// to.
  mutating func shortenBase(by count: UInt32) -> Bool {
    let total = tree.total[View.base]
    guard count > 0, total > 0 else { return count == 0 }
    let spot = find(Item.baseFlag | (total - 1))
    let pointer = items.pointer(slot(spot))
    guard count <= pointer.pointee.length, pointer.pointee.state == SIMD4(repeating: 1) else { return false }
    tree.add(.zero &- SumTree.Sum(repeating: count), to: spot.leaf)
    pointer.pointee.length -= count
    guard pointer.pointee.length == 0 else { return true }
    // What stood before it took it for the right parent, where the text really ended.
    baseEnd = pointer.pointee.id
    let last = Int(itemCounts[spot.leaf]) - 1
    pointer.update(from: pointer + 1, count: last - spot.index)
    itemCounts[spot.leaf] = UInt32(last)
    checkMarks(spot.leaf)
    if last == 0 { tree.removeLeaf(spot.leaf) }
    return true
  }

  mutating func growLeaves() {
    let leaves = tree.leafPlaces.count
    let blank = Item(
      id: Item.none, length: 0, originLeft: Item.none, rightParent: Item.none, state: .zero)
    items.grow(to: leaves * Self.leafCapacity, filling: blank)
    itemCounts.grow(to: leaves, filling: 0)
  }

  @inline(__always) func state(_ slot: Int, _ view: Int) -> UInt32 {
    Self.state(of: items.pointer(slot), view)
  }

  @inline(__always) static func state(of item: UnsafeMutablePointer<Item>, _ view: Int) -> UInt32 {
    UnsafeRawPointer(item).loadUnaligned(fromByteOffset: Item.stateOffset &+ 4 &* view, as: UInt32.self)
  }

  @inline(__always) func addState(_ slot: Int, _ view: Int, _ difference: UInt32) {
    let place = UnsafeMutableRawPointer(items.pointer(slot)) + (Item.stateOffset &+ 4 &* view)
    place.storeBytes(of: place.loadUnaligned(as: UInt32.self) &+ difference, as: UInt32.self)
  }
}
