/// The tree of `Spec/merge-order.md`: every inserted scalar is a left or a right child of another one.
///
/// A node is a run of scalars of which each further one is the right child of the one before it; what was in the
/// base text, with the start, is the first node. Only which of two scalars stands first is read from the tree:
/// their ancestors tell, and a node's parents never change. Most walks never ask; so a run is only noted when it is
/// inserted, and linked when somebody asks.
struct InsertTree: ~Copyable {
  struct Node {
    /// The scalar whose child the run's first one is, or `none` for the start.
    var parentScalar: UInt32
    var originLeft: UInt32
    var isLeft: Bool
    var parent: UInt32
    var depth: UInt32
    /// An ancestor further up, so that each one is found in O(log n) steps (see `EventGraph.AuthorRun`).
    var jump: UInt32
  }

  /// Where a new item goes: it is a child of `scalar`, which is in `node`.
  struct Place {
    var id: UInt32
    var scalar: UInt32
    var isLeft: Bool
    var node: UInt32
    var depth: UInt32
    var baseEnd: UInt32
  }

  /// First scalars, ascending; the first is the base's and means nothing.
  private var starts = FlatBuffer<UInt32>()
  private var nodes = FlatBuffer<Node>()

  init() { removeAll() }

  mutating func removeAll() {
    starts.removeAll()
    starts.append(0)
    nodes.removeAll()
    nodes.append(
      Node(parentScalar: Item.none, originLeft: Item.none, isLeft: false, parent: 0, depth: 0, jump: 0))
  }

  /// Notes that scalars from `id` on were inserted; ids ascend.
  @inline(__always)
  mutating func note(_ id: UInt32, originLeft: UInt32, rightParent: UInt32) {
    // They go on with the run before.
    if originLeft == id &- 1, rightParent == Item.none, starts.count > 1 { return }
    starts.append(id)
  }

  /// The first scalar of the run to be linked next.
  var nextUnlinked: UInt32? { nodes.count < starts.count ? starts[nodes.count] : nil }

  @inline(__always) var unlinkedCount: Int { starts.count &- nodes.count }

  mutating func link(originLeft: UInt32, rightParent: UInt32) {
    let isLeft = rightParent != Item.none
    let scalar = isLeft ? rightParent : originLeft
    let parent = node(of: scalar)
    let above = nodes[Int(parent)]
    let jump = nodes[Int(above.jump)]
    let isJumpTwice = above.depth &- jump.depth == jump.depth &- nodes[Int(jump.jump)].depth
    nodes.append(
      Node(
        parentScalar: scalar, originLeft: originLeft, isLeft: isLeft, parent: parent, depth: above.depth &+ 1,
        jump: isJumpTwice ? jump.jump : parent))
  }

  /// The node that holds a scalar.
  private func node(of scalar: UInt32) -> UInt32 {
    if scalar & Item.baseFlag != 0 { return 0 }
    var (low, high) = (1, nodes.count)
    while low + 1 < high {
      let middle = (low + high) / 2
      if starts[middle] <= scalar { low = middle } else { high = middle }
    }
    return UInt32(low)
  }

  func place(of new: Walker.NewItem, baseEnd: UInt32) -> Place {
    let isLeft = new.rightParent != Item.none
    let scalar = isLeft ? new.rightParent : new.originLeft
    let node = node(of: scalar)
    return Place(
      id: new.id, scalar: scalar, isLeft: isLeft, node: node, depth: nodes[Int(node)].depth, baseEnd: baseEnd)
  }

  /// Whether a scalar stands before a new item; it is one of those between the new item's left origin and the next
  /// item that its author knew.
  func isBefore(_ scalar: UInt32, _ new: Place, history: HistoryView) -> Bool {
    let node = node(of: scalar)
    // What does not stand below the new item's parent stands before all left children, and after all right ones.
    if node == new.node { return new.isLeft || isNextBefore(new, history: history) }
    guard nodes[Int(node)].depth > new.depth else { return new.isLeft }
    let branch = ancestor(of: node, atDepth: new.depth &+ 1)
    var child = nodes[Int(branch)]
    guard child.parent == new.node else { return new.isLeft }
    if child.isLeft, child.parentScalar == new.baseEnd {
      // It was inserted before a scalar that turned out not to exist.
      (child.parentScalar, child.isLeft) = (child.originLeft, false)
    }
    if child.parentScalar == new.scalar {
      return child.isLeft == new.isLeft
        ? history.isOrdered(starts[Int(branch)], before: new.id) : new.isLeft
    }
    if !new.isLeft, new.node > 0, child.parentScalar > new.scalar {
      return isNextBefore(new, history: history)
    }
    return new.isLeft
  }

  /// Whether the scalar that follows the new item's left origin in its run, a right child like the new item, stands
  /// before it.
  private func isNextBefore(_ new: Place, history: HistoryView) -> Bool {
    history.isOrdered(new.scalar &+ 1, before: new.id)
  }

  private func ancestor(of node: UInt32, atDepth depth: UInt32) -> UInt32 {
    var node = node
    while nodes[Int(node)].depth > depth {
      let jump = nodes[Int(node)].jump
      node = nodes[Int(jump)].depth >= depth ? jump : nodes[Int(node)].parent
    }
    return node
  }
}
