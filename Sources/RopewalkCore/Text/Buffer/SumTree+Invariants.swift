#if DEBUG
  extension SumTree {
    /// Checks what must always hold: each node's sum is that of its children, parents point back, all
    /// leaves stand at one depth, the links between leaves follow their order, and just those leaves are marked
    /// that should be, with all above them.
    func checkInvariants(isMarked: (Int, Int) -> Bool = { _, _ in false }, leafSum: (Int) -> Sum) {
      words.withUnsafeBytes { raw in
        let nodes = SumTreeReader(raw: raw)
        var order: [UInt32] = []
        func check(_ node: UInt32, level: Int) -> Sum {
          var sum = Sum.zero
          precondition(nodes.count(node) >= 1 && nodes.count(node) <= Self.fanout)
          for kind in 0..<Marks.kinds {
            precondition(nodes.marks(node).slots(kind) >> UInt32(nodes.count(node)) == 0)
          }
          for slot in 0..<nodes.count(node) {
            let child = nodes.child(node, slot)
            let below: Sum
            if level == 1 {
              precondition(leafPlaces[Int(child)] == Place(node: node, slot: UInt32(slot)))
              order.append(child)
              below = leafSum(Int(child))
            } else {
              precondition(nodes.place(child) == Place(node: node, slot: UInt32(slot)))
              below = check(child, level: level - 1)
            }
            precondition(below == nodes.sum(node, slot), "a node's sum is that of its children")
            for kind in 0..<Marks.kinds {
              let isBelow = level == 1 ? isMarked(Int(child), kind) : nodes.marks(child).slots(kind) != 0
              precondition(nodes.marks(node).slots(kind) >> UInt32(slot) & 1 == (isBelow ? 1 : 0), "marks")
            }
            sum &+= below
          }
          return sum
        }
        precondition(nodes.place(root) == .root)
        precondition(check(root, level: height) == total)
        precondition(order.first == firstLeaf)
        for (place, leaf) in order.enumerated() {
          precondition(leafNext[Int(leaf)] == (place + 1 < order.count ? order[place + 1] : Self.none))
          precondition(leafPrevious[Int(leaf)] == (place > 0 ? order[place - 1] : Self.none))
        }
      }
    }
  }
#endif
