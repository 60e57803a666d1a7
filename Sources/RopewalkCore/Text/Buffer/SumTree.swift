/// The inner nodes of a B+ tree whose leaves live elsewhere.
///
/// A leaf is a small number that its owner uses to address its own storage; the tree knows for each leaf a
/// `Sum` of four counters, keeps the leaves in order, and finds the leaf that holds the n-th unit of any
/// counter. The text buffer counts scalars, bytes and UTF-16 units; the walker counts what each view sees.
///
/// One node is a run of 32-bit words, so that a descent touches one stretch of memory a level:
///
///     | sum 0 | sum 1 | … | sum F-1 | child 0 … child F-1 | count | parent | slot | marks |
///       4 words each                  1 word each
struct SumTree: Sendable {
  typealias Sum = SIMD4<UInt32>

  #if DEBUG
    /// Tiny in debug builds, so that tests get deep trees at once.
    static let fanout = 4
  #else
    static let fanout = 16
  #endif
  static let none = UInt32.max
  static let nodeWords = fanout * 5 + 4

  /// Where a node or leaf stands: in which node, at which slot.
  struct Place: Equatable, Sendable {
    var node: UInt32
    var slot: UInt32
    static let root = Place(node: SumTree.none, slot: 0)
  }

  var words: [UInt32] = []
  var freeNodes: [UInt32] = []
  var leafPlaces: [Place] = []
  var leafNext: [UInt32] = []
  var leafPrevious: [UInt32] = []
  var freeLeaves: [UInt32] = []
  var root: UInt32 = 0
  /// Levels of nodes above the leaves, at least 1.
  var height = 1
  private(set) var firstLeaf: UInt32 = 0
  private(set) var total = Sum.zero

  /// A tree of one leaf, number 0.
  init(sum: Sum = .zero) { reset(sum: sum) }

  /// Back to one leaf, number 0, keeping the memory.
  mutating func reset(sum: Sum) {
    words.removeAll(keepingCapacity: true)
    freeNodes.removeAll(keepingCapacity: true)
    leafPlaces.removeAll(keepingCapacity: true)
    leafNext.removeAll(keepingCapacity: true)
    leafPrevious.removeAll(keepingCapacity: true)
    freeLeaves.removeAll(keepingCapacity: true)
    root = allocateNode()
    height = 1
    firstLeaf = allocateLeaf()
    total = sum
    withNodes { [root] nodes in
      nodes.setCount(root, 1)
      nodes.setChild(root, 0, 0)
      nodes.setSum(root, 0, sum)
    }
    leafPlaces[0] = Place(node: root, slot: 0)
  }

  // MARK: Finding

  /// The leaf that holds unit `offset` of counter `lane`, and the sums of all leaves before it. Past the end:
  /// the last leaf. O(log n).
  @inline(__always)
  func locate(_ offset: UInt32, lane: Int) -> (leaf: Int, before: Sum) {
    words.withUnsafeBytes { raw in
      let nodes = SumTreeReader(raw: raw)
      var node = root
      var level = height
      var before = Sum.zero
      var passed: UInt32 = 0
      while true {
        let last = nodes.count(node) &- 1
        var slot = 0
        while slot < last {
          let reached = passed &+ nodes.counter(node, slot, lane)
          if reached > offset { break }
          passed = reached
          before &+= nodes.sum(node, slot)
          slot &+= 1
        }
        let child = nodes.child(node, slot)
        level &-= 1
        if level == 0 { return (Int(child), before) }
        node = child
      }
    }
  }

  /// The leaf after `leaf`.
  @inline(__always) func next(_ leaf: Int) -> Int? {
    let next = leafNext[leaf]
    return next == Self.none ? nil : Int(next)
  }

  /// The leaf before `leaf`.
  @inline(__always) func previous(_ leaf: Int) -> Int? {
    let previous = leafPrevious[leaf]
    return previous == Self.none ? nil : Int(previous)
  }

  /// Whether leaf `a` stands before leaf `b`. O(log n).
  func isOrdered(_ a: Int, before b: Int) -> Bool {
    words.withUnsafeBytes { raw in
      let nodes = SumTreeReader(raw: raw)
      var (left, right) = (leafPlaces[a], leafPlaces[b])
      while left.node != right.node { (left, right) = (nodes.place(left.node), nodes.place(right.node)) }
      return left.slot < right.slot
    }
  }

  /// The sums of all leaves before one. O(log n).
  func sumBefore(_ leaf: Int) -> Sum {
    words.withUnsafeBytes { raw in
      let nodes = SumTreeReader(raw: raw)
      var sum = Sum.zero
      var place = leafPlaces[leaf]
      while place.node != Self.none {
        for slot in 0..<Int(place.slot) { sum &+= nodes.sum(place.node, slot) }
        place = nodes.place(place.node)
      }
      return sum
    }
  }

  // MARK: Changing

  /// Adds to a leaf's sum; wrapping, so that a difference may be negative. O(log n).
  @inline(__always)
  mutating func add(_ difference: Sum, to leaf: Int) {
    addToTotal(difference)
    addToNodes(difference, above: leaf)
  }

  /// The first half of `add`: until the other is done too, the tree must neither be searched nor change.
  @inline(__always) mutating func addToTotal(_ difference: Sum) { total &+= difference }

  /// The other half of `add`.
  mutating func addToNodes(_ difference: Sum, above leaf: Int) {
    var place = leafPlaces[leaf]
    withNodes { nodes in
      while place.node != Self.none {
        let slot = Int(place.slot)
        nodes.setSum(place.node, slot, nodes.sum(place.node, slot) &+ difference)
        place = nodes.place(place.node)
      }
    }
  }

  /// Adds to one counter of a leaf; wrapping. O(log n).
  @inline(__always)
  mutating func add(lane: Int, _ difference: UInt32, to leaf: Int) {
    total[lane] &+= difference
    var place = leafPlaces[leaf]
    withNodes { nodes in
      while place.node != Self.none {
        nodes.add(difference, to: place.node, Int(place.slot), lane)
        place = nodes.place(place.node)
      }
    }
  }

  /// A new leaf right after `leaf`, which takes over `sum` of its units. O(log n).
  mutating func insertLeaf(after leaf: Int, taking sum: Sum) -> Int {
    let new = allocateLeaf()
    let next = leafNext[leaf]
    leafNext[Int(new)] = next
    leafPrevious[Int(new)] = UInt32(leaf)
    leafNext[leaf] = new
    if next != Self.none { leafPrevious[Int(next)] = new }
    insert(new, isLeaf: true, after: UInt32(leaf), taking: sum)
    return Int(new)
  }

  /// Takes an empty leaf (its sum must be zero) out. The only leaf stays.
  mutating func removeLeaf(_ leaf: Int) {
    let (previous, next) = (leafPrevious[leaf], leafNext[leaf])
    guard previous != Self.none || next != Self.none else { return }
    if previous != Self.none { leafNext[Int(previous)] = next } else { firstLeaf = next }
    if next != Self.none { leafPrevious[Int(next)] = previous }
    freeLeaves.append(UInt32(leaf))
    var place = leafPlaces[leaf]
    var isLeaf = true
    while true {
      let remaining = withNodes { $0.remove(slot: Int(place.slot), from: place.node) }
      renumber(place.node, from: Int(place.slot), childrenAreLeaves: isLeaf)
      if remaining > 0 || place.node == root { break }
      freeNodes.append(place.node)
      place = withNodes { $0.place(place.node) }
      isLeaf = false
    }
    unmarkAbove(place.node)
    while height > 1 {
      let (count, only) = withNodes { [root] nodes in (nodes.count(root), nodes.child(root, 0)) }
      if count > 1 { break }
      freeNodes.append(root)
      root = only
      height -= 1
      withNodes { $0.setPlace(only, .root) }
    }
  }
}
