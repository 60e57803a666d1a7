/// Reads the nodes of a `SumTree`.
struct SumTreeReader {
  let raw: UnsafeRawBufferPointer

  @inline(__always) func word(_ node: UInt32, _ index: Int) -> UInt32 {
    raw.loadUnaligned(fromByteOffset: (Int(node) &* SumTree.nodeWords &+ index) &* 4, as: UInt32.self)
  }
  @inline(__always) func sum(_ node: UInt32, _ slot: Int) -> SumTree.Sum {
    raw.loadUnaligned(
      fromByteOffset: (Int(node) &* SumTree.nodeWords &+ slot &* 4) &* 4, as: SumTree.Sum.self)
  }
  @inline(__always) func counter(_ node: UInt32, _ slot: Int, _ lane: Int) -> UInt32 {
    word(node, slot &* 4 &+ lane)
  }
  @inline(__always) func child(_ node: UInt32, _ slot: Int) -> UInt32 {
    word(node, SumTree.fanout &* 4 &+ slot)
  }
  @inline(__always) func count(_ node: UInt32) -> Int { Int(word(node, SumTree.fanout * 5)) }
  /// Where a node stands in its parent.
  @inline(__always) func place(_ node: UInt32) -> SumTree.Place {
    SumTree.Place(node: word(node, SumTree.fanout * 5 + 1), slot: word(node, SumTree.fanout * 5 + 2))
  }
  /// See `SumTree.Marks`.
  @inline(__always) func marks(_ node: UInt32) -> SumTree.Marks {
    SumTree.Marks(bits: word(node, SumTree.fanout * 5 + 3))
  }
}

/// Reads and writes the nodes of a `SumTree`.
struct SumTreeNodes {
  let raw: UnsafeMutableRawBufferPointer
  var reader: SumTreeReader { SumTreeReader(raw: UnsafeRawBufferPointer(raw)) }

  @inline(__always) func setWord(_ node: UInt32, _ index: Int, _ value: UInt32) {
    raw.storeBytes(of: value, toByteOffset: (Int(node) &* SumTree.nodeWords &+ index) &* 4, as: UInt32.self)
  }
  @inline(__always) func setSum(_ node: UInt32, _ slot: Int, _ value: SumTree.Sum) {
    raw.storeBytes(
      of: value, toByteOffset: (Int(node) &* SumTree.nodeWords &+ slot &* 4) &* 4, as: SumTree.Sum.self)
  }
  @inline(__always) func add(_ difference: UInt32, to node: UInt32, _ slot: Int, _ lane: Int) {
    setWord(node, slot &* 4 &+ lane, reader.counter(node, slot, lane) &+ difference)
  }
  @inline(__always) func setChild(_ node: UInt32, _ slot: Int, _ child: UInt32) {
    setWord(node, SumTree.fanout &* 4 &+ slot, child)
  }
  @inline(__always) func setCount(_ node: UInt32, _ count: Int) {
    setWord(node, SumTree.fanout * 5, UInt32(count))
  }
  @inline(__always) func setPlace(_ node: UInt32, _ place: SumTree.Place) {
    setWord(node, SumTree.fanout * 5 + 1, place.node)
    setWord(node, SumTree.fanout * 5 + 2, place.slot)
  }
  @inline(__always) func setMarks(_ node: UInt32, _ marks: SumTree.Marks) {
    setWord(node, SumTree.fanout * 5 + 3, marks.bits)
  }
  @inline(__always) func marks(_ node: UInt32) -> SumTree.Marks { reader.marks(node) }
  @inline(__always) func sum(_ node: UInt32, _ slot: Int) -> SumTree.Sum { reader.sum(node, slot) }
  @inline(__always) func child(_ node: UInt32, _ slot: Int) -> UInt32 { reader.child(node, slot) }
  @inline(__always) func count(_ node: UInt32) -> Int { reader.count(node) }
  @inline(__always) func place(_ node: UInt32) -> SumTree.Place { reader.place(node) }

  /// Puts a child at `slot`, moving later ones up; the node must have room.
  func insert(_ child: UInt32, sum: SumTree.Sum, at slot: Int, in node: UInt32) {
    let count = count(node)
    for index in stride(from: count, to: slot, by: -1) {
      setSum(node, index, self.sum(node, index - 1))
      setChild(node, index, self.child(node, index - 1))
    }
    setSum(node, slot, sum)
    setChild(node, slot, child)
    setCount(node, count + 1)
    setMarks(node, marks(node).inserting(slot))
  }

  /// Takes a child out; returns how many remain.
  func remove(slot: Int, from node: UInt32) -> Int {
    let count = count(node) - 1
    for index in slot..<count {
      setSum(node, index, self.sum(node, index + 1))
      setChild(node, index, self.child(node, index + 1))
    }
    setCount(node, count)
    setMarks(node, marks(node).removing(slot))
    return count
  }

  /// Moves the upper half of `node` to the empty node `other`; returns the sum of what moved.
  func moveUpperHalf(of node: UInt32, to other: UInt32) -> SumTree.Sum {
    let count = count(node)
    let kept = count / 2
    var moved = SumTree.Sum.zero
    for index in kept..<count {
      let sum = sum(node, index)
      moved &+= sum
      setSum(other, index - kept, sum)
      setChild(other, index - kept, child(node, index))
    }
    setCount(node, kept)
    setCount(other, count - kept)
    let (lower, upper) = marks(node).split(at: kept)
    setMarks(node, lower)
    setMarks(other, upper)
    return moved
  }
}

extension SumTree {
  @inline(__always)
  mutating func withNodes<Result>(_ body: (SumTreeNodes) -> Result) -> Result {
    words.withUnsafeMutableBytes { body(SumTreeNodes(raw: $0)) }
  }

  mutating func allocateNode() -> UInt32 {
    let node: UInt32
    if let free = freeNodes.popLast() {
      node = free
    } else {
      node = UInt32(words.count / Self.nodeWords)
      words.append(contentsOf: repeatElement(0, count: Self.nodeWords))
    }
    withNodes { nodes in
      nodes.setCount(node, 0)
      nodes.setPlace(node, .root)
      nodes.setMarks(node, Marks())
    }
    return node
  }

  mutating func allocateLeaf() -> UInt32 {
    if let free = freeLeaves.popLast() {
      leafNext[Int(free)] = Self.none
      leafPrevious[Int(free)] = Self.none
      return free
    }
    leafPlaces.append(.root)
    leafNext.append(Self.none)
    leafPrevious.append(Self.none)
    return UInt32(leafPlaces.count - 1)
  }

  /// Tells the children of `node` from `slot` on where they stand.
  mutating func renumber(_ node: UInt32, from slot: Int, childrenAreLeaves: Bool) {
    words.withUnsafeMutableBytes { raw in
      let nodes = SumTreeNodes(raw: raw)
      for slot in slot..<nodes.count(node) {
        let child = nodes.child(node, slot)
        let place = Place(node: node, slot: UInt32(slot))
        if childrenAreLeaves { leafPlaces[Int(child)] = place } else { nodes.setPlace(child, place) }
      }
    }
  }

  /// Puts `new` after its sibling `child`, taking `sum` from the sibling; splits upwards when full.
  mutating func insert(_ new: UInt32, isLeaf: Bool, after child: UInt32, taking sum: Sum) {
    let present = place(of: child, isLeaf: isLeaf)
    if withNodes({ $0.count(present.node) }) == Self.fanout {
      splitNode(present.node, childrenAreLeaves: isLeaf)
    }
    let target = place(of: child, isLeaf: isLeaf)
    let slot = Int(target.slot)
    withNodes { nodes in
      nodes.setSum(target.node, slot, nodes.sum(target.node, slot) &- sum)
      nodes.insert(new, sum: sum, at: slot + 1, in: target.node)
      if isLeaf {
        // What is in the one may be in the other; who moved it knows (`setMark`).
        nodes.copyMarks(from: slot, to: slot + 1, in: target.node)
      } else {
        nodes.noteMarks(of: child, at: slot, in: target.node)
        nodes.noteMarks(of: new, at: slot + 1, in: target.node)
      }
    }
    renumber(target.node, from: slot + 1, childrenAreLeaves: isLeaf)
  }

  private func place(of child: UInt32, isLeaf: Bool) -> Place {
    isLeaf ? leafPlaces[Int(child)] : words.withUnsafeBytes { SumTreeReader(raw: $0).place(child) }
  }

  private mutating func splitNode(_ node: UInt32, childrenAreLeaves: Bool) {
    if node == root {
      let sums = total
      let newRoot = allocateNode()
      withNodes { nodes in
        nodes.insert(node, sum: sums, at: 0, in: newRoot)
        nodes.noteMarks(of: node, at: 0, in: newRoot)
        nodes.setPlace(node, Place(node: newRoot, slot: 0))
      }
      root = newRoot
      height += 1
    }
    let other = allocateNode()
    let moved = withNodes { $0.moveUpperHalf(of: node, to: other) }
    renumber(other, from: 0, childrenAreLeaves: childrenAreLeaves)
    insert(other, isLeaf: false, after: node, taking: moved)
  }
}
