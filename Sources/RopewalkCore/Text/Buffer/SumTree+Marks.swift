extension SumTree {
  /// Per slot of a node, whether something is below it that an owner of the tree looks for, in either of two
  /// respects: what the walker's two views know. In the other trees nothing is marked.
  struct Marks: Equatable {
    static let kinds = 2
    private static let kind: UInt32 = 1 << 16 - 1

    var bits: UInt32 = 0

    /// Bit n is slot n.
    @inline(__always) func slots(_ kind: Int) -> UInt32 { bits >> UInt32(16 &* kind) & Self.kind }

    @inline(__always) static func bit(_ slot: Int, _ kind: Int) -> UInt32 { 1 << UInt32(16 &* kind &+ slot) }

    /// Makes room at a slot, which is not marked.
    func inserting(_ slot: Int) -> Marks {
      guard bits != 0 else { return self }
      let low = Self.below(slot)
      return Marks(bits: bits & low | (bits & ~low) << 1 & ~Self.below(1))
    }

    func removing(_ slot: Int) -> Marks {
      guard bits != 0 else { return self }
      return Marks(bits: bits & Self.below(slot) | bits >> 1 & ~Self.below(slot) & ~(1 << 15 | 1 << 31))
    }

    func split(at slot: Int) -> (lower: Marks, upper: Marks) {
      let low = Self.below(slot)
      return (Marks(bits: bits & low), Marks(bits: (bits & ~low) >> UInt32(slot)))
    }

    /// All below a slot, of each kind.
    private static func below(_ slot: Int) -> UInt32 {
      let low: UInt32 = 1 << UInt32(slot) - 1
      return low | low << 16
    }
  }

  /// Marks a leaf. O(log n), and O(1) if it is marked.
  @inline(__always)
  mutating func mark(_ leaf: Int, _ kind: Int) {
    let place = leafPlaces[leaf]
    let bit = Marks.bit(Int(place.slot), kind)
    withNodes { nodes in
      if nodes.marks(place.node).bits & bit == 0 { nodes.mark(place, kind) }
    }
  }

  /// Adds to a leaf's sum, and marks it. O(log n).
  @inline(__always)
  mutating func add(_ difference: Sum, to leaf: Int, marking kind: Int) {
    addToTotal(difference)
    var place = leafPlaces[leaf]
    withNodes { nodes in
      if nodes.marks(place.node).bits & Marks.bit(Int(place.slot), kind) == 0 { nodes.mark(place, kind) }
      while place.node != Self.none {
        let slot = Int(place.slot)
        nodes.setSum(place.node, slot, nodes.sum(place.node, slot) &+ difference)
        place = nodes.place(place.node)
      }
    }
  }

  /// Takes a leaf's mark away. O(log n), and O(1) if it has none.
  mutating func unmark(_ leaf: Int, _ kind: Int) {
    let place = leafPlaces[leaf]
    withNodes { nodes in
      if nodes.marks(place.node).bits & Marks.bit(Int(place.slot), kind) != 0 { nodes.unmark(place, kind) }
    }
  }

  /// Takes the marks above a node away that are not true any more.
  mutating func unmarkAbove(_ node: UInt32) {
    withNodes { nodes in
      let place = nodes.place(node)
      guard place.node != Self.none else { return }
      for kind in 0..<Marks.kinds where nodes.marks(node).slots(kind) == 0 { nodes.unmark(place, kind) }
    }
  }

  /// The next marked leaf after one. O(log n).
  func nextMarked(after leaf: Int, _ kind: Int) -> Int? {
    words.withUnsafeBytes { raw in
      let nodes = SumTreeReader(raw: raw)
      var place = leafPlaces[leaf]
      var levels = 0
      while place.node != Self.none {
        let later = nodes.marks(place.node).slots(kind) & ~0 << (place.slot &+ 1)
        if later != 0 {
          var child = nodes.child(place.node, later.trailingZeroBitCount)
          while levels > 0 {
            child = nodes.child(child, nodes.marks(child).slots(kind).trailingZeroBitCount)
            levels &-= 1
          }
          return Int(child)
        }
        place = nodes.place(place.node)
        levels &+= 1
      }
      return nil
    }
  }
}

extension SumTreeNodes {
  func mark(_ place: SumTree.Place, _ kind: Int) {
    var place = place
    while place.node != SumTree.none {
      let marks = marks(place.node)
      let bit = SumTree.Marks.bit(Int(place.slot), kind)
      if marks.bits & bit != 0 { return }
      setMarks(place.node, SumTree.Marks(bits: marks.bits | bit))
      place = self.place(place.node)
    }
  }

  func unmark(_ place: SumTree.Place, _ kind: Int) {
    var place = place
    while place.node != SumTree.none {
      let marks = SumTree.Marks(bits: marks(place.node).bits & ~SumTree.Marks.bit(Int(place.slot), kind))
      setMarks(place.node, marks)
      if marks.slots(kind) != 0 { return }
      place = self.place(place.node)
    }
  }

  /// Marks a slot as another one of the node is.
  func copyMarks(from slot: Int, to other: Int, in node: UInt32) {
    var bits = marks(node).bits
    for kind in 0..<SumTree.Marks.kinds where bits & SumTree.Marks.bit(slot, kind) != 0 {
      bits |= SumTree.Marks.bit(other, kind)
    }
    setMarks(node, SumTree.Marks(bits: bits))
  }

  /// Marks a node's slot as its child is.
  func noteMarks(of child: UInt32, at slot: Int, in node: UInt32) {
    var bits = marks(node).bits
    for kind in 0..<SumTree.Marks.kinds {
      let bit = SumTree.Marks.bit(slot, kind)
      bits = marks(child).slots(kind) == 0 ? bits & ~bit : bits | bit
    }
    setMarks(node, SumTree.Marks(bits: bits))
  }
}
