extension Walker {
  /// Inserts scalars `id ..< id + length` at a position that their author saw in `view`. Returns the
  /// position in the present text.
  mutating func insert(
    id: UInt32, length: UInt32, at position: UInt32, in view: Int, history: HistoryView
  ) -> UInt32 {
    leafOfScalar.grow(to: Int(id &- contentBase) &+ Int(length), filling: 0)
    let clamped = min(position, tree.total[view])
    if clamped != position { isIrregular = true }
    var spot = Spot(leaf: Int(tree.firstLeaf), index: 0)
    var originLeft = Item.none
    var rightParent = Item.none
    var present: UInt32 = 0
    if clamped > 0 {
      let (leaf, before) = tree.locate(clamped &- 1, lane: view)
      var left = clamped &- 1 &- before[view]
      present = before[View.present]
      spot.leaf = leaf
      let first = items.pointer(leaf &* Self.leafCapacity)
      var place = first
      while true {
        let length = place.pointee.length
        if Self.state(of: place, view) == 1 {
          if left < length { break }
          left &-= length
        }
        if Self.state(of: place, View.present) == 1 { present &+= length }
        place += 1
      }
      let item = place.pointee
      spot.index = place - first
      originLeft = item.id &+ left
      if item.state[View.present] == 1 { present &+= left &+ 1 }
      if left &+ 1 < item.length {
        rightParent = originLeft &+ 1
        spot = split(spot, at: left &+ 1)
      }
      spot.index &+= 1
    }
    if rightParent == Item.none, let next = settled(spot) {
      if state(slot(next), view) != 0 {
        let item = items[slot(next)]
        if item.originLeft == originLeft { rightParent = item.id }
      } else {
        rightParent = findRightParent(from: next, originLeft: originLeft, in: view)
        if rightParent != Item.none {
          #if DEBUG
            var readForwards = spot
            let passed = integrate(
              id: id, originLeft: originLeft, rightParent: rightParent, from: next, to: &readForwards,
              in: view,
              history: history)
            precondition(rightParent == nextKnown(from: next, originLeft: originLeft, in: view))
            let before = present
          #endif
          present = integrate(
            id: id, originLeft: originLeft, rightParent: rightParent, to: &spot, in: view, history: history)
          #if DEBUG
            precondition(present == before + passed && settled(spot) == settled(readForwards))
          #endif
        } else {
          present += integrate(
            id: id, originLeft: originLeft, rightParent: rightParent, from: next, to: &spot, in: view,
            history: history)
        }
      }
    }
    noteNeighbour(id, of: originLeft, in: view)
    var state = SIMD4<UInt32>(1, 0, 0, 0)
    state[view] = 1
    if spot.index > 0, rightParent == Item.none {
      let previous = items.pointer(slot(spot) &- 1)
      let item = previous.pointee
      if item.id &+ item.length == id, originLeft == id &- 1, item.state == state {
        previous.pointee.length &+= length
        (leafOfScalar.base + Int(id &- contentBase)).update(
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
    let known = neighbours[neighbourIndex(of: originLeft, in: view)]
    if known.originLeft == originLeft, known.stamp == views[view - View.first].stamp { return known.id }
    return nextKnown(from: first, originLeft: originLeft, in: view)
  }

  private func nextKnown(from first: Spot, originLeft: UInt32, in view: Int) -> UInt32 {
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

  private func neighbourIndex(of originLeft: UInt32, in view: Int) -> Int {
    let hash = (originLeft &* 0x9e37_79b1) >> 16
    return (Int(hash) &* View.count &+ view) & (Self.neighbourCount - 1)
  }

  @inline(__always)
  private func noteNeighbour(_ id: UInt32, of originLeft: UInt32, in view: Int) {
    neighbours[neighbourIndex(of: originLeft, in: view)] = Neighbour(
      originLeft: originLeft, id: id, stamp: views[view - View.first].stamp)
  }

  /// The same as `integrate(from:)` where there is a right parent: then the new item is a left child of
  /// that, and stands among the few others that end at it. Reads backwards from there, and not all that
  /// others may have put in since the left origin. Returns how much of the present text stands before.
  private func integrate(
    id: UInt32, originLeft: UInt32, rightParent: UInt32, to spot: inout Spot, in view: Int,
    history: HistoryView
  ) -> UInt32 {
    let right = find(rightParent)
    var current = right
    // Where the new item goes if what is read next is found to stand before it, and the present text from
    // there to the right parent.
    var (tail, passed) = (right, UInt32(0))
    var read: UInt32 = 0
    while let previous = before(current) {
      let other = items[slot(previous)]
      if state(slot(previous), view) != 0 { break }
      if other.originLeft == originLeft {
        if other.rightParent == rightParent {
          if history.isOrdered(other.id, before: id) { break }
        } else if other.rightParent == Item.none || other.rightParent == baseEnd
          || !isOrdered(other.rightParent, before: rightParent)
        {
          break
        }
      }
      if other.state[View.present] == 1 { read += other.length }
      current = previous
      if other.originLeft == originLeft { (tail, passed) = (current, read) }
    }
    spot = tail
    return presentText(before: right) - passed
  }

  /// The item left of a spot; nil at the beginning.
  private func before(_ spot: Spot) -> Spot? {
    if spot.index > 0 { return Spot(leaf: spot.leaf, index: spot.index - 1) }
    guard let leaf = tree.previous(spot.leaf) else { return nil }
    return Spot(leaf: leaf, index: Int(itemCounts[leaf]) - 1)
  }

  /// The length of the present text before an item. O(log n).
  private func presentText(before spot: Spot) -> UInt32 {
    var length = tree.sumBefore(spot.leaf)[View.present]
    for index in 0..<spot.index {
      let item = items.pointer(slot(Spot(leaf: spot.leaf, index: index)))
      if item.pointee.state[View.present] == 1 { length += item.pointee.length }
    }
    return length
  }

  /// An item with the same left origin and right parent as a new one, met on the way: they stand in the
  /// order of their ids.
  struct Sibling {
    var id: UInt32
    /// Where the new item goes if it stands before this one.
    var spot: Spot
    /// How much of the present text is passed until there.
    var passed: UInt32
  }

  /// Moves `spot` to where FugueMax places a new item among the items that its author did not know. Returns
  /// how much of the present text it passes.
  ///
  /// Ids are looked up for the first, second, fourth, eighth … sibling only, and then between the last two of
  /// these, so that thousands of people may type at one place.
  private mutating func integrate(
    id: UInt32, originLeft: UInt32, rightParent: UInt32, from first: Spot, to spot: inout Spot, in view: Int,
    history: HistoryView
  ) -> UInt32 {
    siblings.removeAll()
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
          isScanning = false
          siblings.append(Sibling(id: other.id, spot: spot, passed: settledPassed))
          let count = siblings.count
          if count & (count - 1) == 0, history.isOrdered(id, before: other.id) { break }
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
    guard let next = siblingAfter(id, history: history) else { return settledPassed }
    spot = siblings[next].spot
    return siblings[next].passed
  }

  /// The first sibling met that stands after a new item.
  private func siblingAfter(_ id: UInt32, history: HistoryView) -> Int? {
    var (low, high) = (0, siblings.count)
    while low < high {
      let middle = (low + high) / 2
      if history.isOrdered(id, before: siblings[middle].id) { high = middle } else { low = middle + 1 }
    }
    return low < siblings.count ? low : nil
  }
}
