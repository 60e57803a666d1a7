extension Walker {
  /// Inserts scalars `id ..< id + length` at a position that their author saw in `view`. Returns the
  /// position in the present text.
  mutating func insert(
    id: UInt32, length: UInt32, at position: UInt32, in view: Int, history: HistoryView
  ) -> UInt32 {
    leafOfScalar.grow(to: Int(id - contentBase) + Int(length), filling: 0)
    let clamped = min(position, tree.total[view])
    if clamped != position { isIrregular = true }
    var spot = Spot(leaf: Int(tree.firstLeaf), index: 0)
    var originLeft = Item.none
    var rightParent = Item.none
    var present: UInt32 = 0
    if clamped > 0 {
      let (leaf, before) = tree.locate(clamped - 1, lane: view)
      var left = clamped - 1 - before[view]
      present = before[View.present]
      spot.leaf = leaf
      var slot = leaf * Self.leafCapacity
      while true {
        let length = items[slot].length
        if state(slot, view) == 1 {
          if left < length { break }
          left -= length
        }
        if state(slot, View.present) == 1 { present += length }
        slot += 1
      }
      let item = items[slot]
      spot.index = slot - leaf * Self.leafCapacity
      originLeft = item.id + left
      if item.state[View.present] == 1 { present += left + 1 }
      if left + 1 < item.length {
        rightParent = originLeft + 1
        spot = split(spot, at: left + 1)
      }
      spot.index += 1
    }
    if rightParent == Item.none, let next = settled(spot) {
      if state(slot(next), view) != 0 {
        let item = items[slot(next)]
        if item.originLeft == originLeft { rightParent = item.id }
      } else {
        rightParent = findRightParent(from: next, originLeft: originLeft, in: view)
        present += integrate(
          id: id, originLeft: originLeft, rightParent: rightParent, from: next, to: &spot, in: view,
          history: history)
      }
    }
    var state = SIMD4<UInt32>(1, 0, 0, 0)
    state[view] = 1
    if spot.index > 0, rightParent == Item.none {
      let previous = items.pointer(slot(spot) - 1)
      let item = previous.pointee
      if item.id + item.length == id, originLeft == id - 1, item.state == state {
        previous.pointee.length += length
        (leafOfScalar.base + Int(id - contentBase)).update(
          repeating: UInt32(spot.leaf), count: Int(length))
        tree.add(SumTree.Sum(repeating: length).replacing(with: 0, where: state .!= 1), to: spot.leaf)
        return present
      }
    }
    let item = Item(
      id: id, length: length, originLeft: originLeft, rightParent: rightParent, state: state)
    _ = put(item, at: spot, isCounted: false)
    return present
  }

  /// The next item that exists in the view, if it has the same left origin.
  private func findRightParent(from first: Spot, originLeft: UInt32, in view: Int) -> UInt32 {
    var at: Spot? = first
    while let spot = at {
      if state(slot(spot), view) != 0 {
        let item = items[slot(spot)]
        return item.originLeft == originLeft ? item.id : Item.none
      }
      at = settled(Spot(leaf: spot.leaf, index: spot.index + 1))
    }
    return Item.none
  }

  /// Moves `spot` to where FugueMax places a new item among the items that its author did not know. Returns
  /// how much of the present text it passes.
  private func integrate(
    id: UInt32, originLeft: UInt32, rightParent: UInt32, from first: Spot, to spot: inout Spot, in view: Int,
    history: HistoryView
  ) -> UInt32 {
    var isScanning = false
    var passed: UInt32 = 0
    var settledPassed: UInt32 = 0
    var at: Spot? = first
    while let current = at {
      let other = items[slot(current)]
      if state(slot(current), view) != 0 { break }
      if other.originLeft == originLeft {
        let otherRight = other.rightParent == baseEnd ? Item.none : other.rightParent
        if otherRight == rightParent {
          if history.isOrdered(id, before: other.id) { break }
          isScanning = false
        } else {
          // The end stands after everything.
          isScanning =
            otherRight != Item.none
            && (rightParent == Item.none || isOrdered(otherRight, before: rightParent))
        }
      } else if isOrdered(other.originLeft, before: originLeft) {
        break
      }
      if other.state[View.present] == 1 { passed += other.length }
      let after = Spot(leaf: current.leaf, index: current.index + 1)
      if !isScanning {
        spot = after
        settledPassed = passed
      }
      at = settled(after)
    }
    return settledPassed
  }
}
