#if DEBUG
  extension Walker {
    /// Checks that the tree's sums and marks are those of the items, that every scalar's leaf is known, and that only
    /// a sole leaf is empty.
    func checkInvariants() {
      var leaf: Int? = Int(tree.firstLeaf)
      while let current = leaf {
        let count = Int(itemCounts[current])
        precondition(count <= Self.leafCapacity && (count > 0 || tree.leafNext.count == 1))
        for index in 0..<count {
          let item = items[slot(Spot(leaf: current, index: index))]
          precondition(item.length > 0)
          guard item.id & Item.baseFlag == 0 else { continue }
          for id in item.id..<item.id + item.length {
            precondition(leafOfScalar[Int(id - contentBase)] == UInt32(current), "leaf of scalar")
          }
        }
        leaf = tree.next(current)
      }
      tree.checkInvariants { leaf, kind in
        isKnown(leaf, in: View.first + kind)
      } leafSum: { leaf in
        var sum = SumTree.Sum.zero
        for index in 0..<Int(itemCounts[leaf]) { sum &+= items[slot(Spot(leaf: leaf, index: index))].seen }
        return sum
      }
    }
  }
#endif
