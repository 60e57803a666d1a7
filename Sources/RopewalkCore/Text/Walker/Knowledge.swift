/// What authors knew when they made their last events: of each author, the place below which all events
/// were known.
///
/// With it a view is moved to a version by comparing one number per author, where reading the graph would
/// visit every parent of every event on its way: what fifty people who type at once have fifty of.
struct Knowledge: ~Copyable {
  /// Authors of a walk; what more of them knew is not kept. So many take 8 MiB.
  static let authorLimit = 512
  /// Rows kept per author: parents are seldom older than that.
  private static let depth = 8
  private static let none = UInt32.max

  /// Numbers of the authors met since the walk began.
  private(set) var authors = FlatBuffer<UInt32>()
  /// The index in `authors` by number, or `none`.
  private var slots = FlatBuffer<UInt32>()
  /// Per author met: the last author run walked.
  private var lastRuns = FlatBuffer<UInt32>()
  /// Per author met, so many rows were written; the last of them are kept, in turn.
  private var written = FlatBuffer<UInt32>()
  /// Per row, the first event that knew it.
  private var places = FlatBuffer<UInt32>()
  /// Each `width` long, as there may come more authors; of those not met yet, nobody knew more than `base`.
  private var rows = FlatBuffer<UInt32>()
  private var width = leastWidth
  private static let leastWidth = 16
  /// The version looked for, as a row.
  private(set) var target = FlatBuffer<UInt32>()
  private var base: UInt32 = 0
  /// No author was one too many.
  private(set) var isWhole = true

  init() {}

  /// Begins a walk: all know what comes before `base`.
  mutating func open(base: UInt32) {
    self.base = base
    isWhole = true
    for at in 0..<authors.count { slots[Int(authors[at])] = Self.none }
    authors.removeAll()
    lastRuns.removeAll()
    written.removeAll()
    places.removeAll()
    rows.removeAll()
    width = Self.leastWidth
  }

  /// The index of an author among those met; nil if it was not.
  private func slot(of author: UInt32) -> Int? {
    guard Int(author) < slots.count, slots[Int(author)] != Self.none else { return nil }
    return Int(slots[Int(author)])
  }

  private mutating func makeSlot(of author: UInt32) -> Int? {
    if let slot = slot(of: author) { return slot }
    guard authors.count < Self.authorLimit else { return nil }
    let slot = authors.count
    if slot == width { widen() }
    slots.grow(to: Int(author) + 1, filling: Self.none)
    slots[Int(author)] = UInt32(slot)
    authors.append(author)
    lastRuns.append(0)
    written.append(0)
    places.grow(to: authors.count * Self.depth, filling: 0)
    rows.grow(to: places.count * width, filling: base)
    return slot
  }

  /// Makes the rows twice as long.
  private mutating func widen() {
    // Room for as many authors as there is width.
    var wider = FlatBuffer<UInt32>(capacity: rows.count * 4)
    for row in 0..<places.count {
      wider.append(UnsafeBufferPointer(rebasing: rows.all[row * width..<(row + 1) * width]))
      wider.grow(to: (row + 1) * width * 2, filling: base)
    }
    rows = wider
    width *= 2
  }

  /// Keeps what an author knew at its events from `place` on, as a view shows it.
  ///
  /// - Parameter limit: of an author, the place below which the view shows its events.
  @inline(__always)
  mutating func note(author: UInt32, from place: UInt32, authorRun: Int, limit: (UInt32) -> UInt32) {
    guard let slot = makeSlot(of: author) else {
      isWhole = false
      return
    }
    lastRuns[slot] = UInt32(authorRun)
    let row = slot &* Self.depth &+ Int(written[slot]) & (Self.depth &- 1)
    written[slot] &+= 1
    places[row] = place
    for at in 0..<authors.count { rows[row &* width &+ at] = max(base, limit(authors[at])) }
  }

  /// Begins to find the version of some events as `target`.
  mutating func begin() {
    target.removeAll()
    target.grow(to: authors.count, filling: base)
  }

  /// Adds an event and what its author knew to `target`. Returns false if that is not kept.
  mutating func add(_ place: UInt32, by author: UInt32) -> Bool {
    guard let slot = slot(of: author), let row = row(of: slot, at: place) else { return false }
    let own = max(target[slot], place &+ 1)
    let first = row &* width
    for at in 0..<authors.count { target[at] = max(target[at], rows[first &+ at]) }
    // The row may be of a later event, as far as it is about the author itself.
    target[slot] = own
    return true
  }

  /// The row that held at an author's event.
  private func row(of slot: Int, at place: UInt32) -> Int? {
    let count = Int(written[slot])
    var back = 1
    while back <= min(count, Self.depth) {
      let row = slot &* Self.depth &+ (count &- back) & (Self.depth &- 1)
      if places[row] <= place { return row }
      back &+= 1
    }
    return nil
  }

  /// The last author run walked of an author met.
  func lastRun(_ slot: Int) -> Int { Int(lastRuns[slot]) }
}
