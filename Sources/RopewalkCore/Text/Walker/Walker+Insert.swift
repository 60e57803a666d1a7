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
    if rightParent == Item.none, let first = settled(spot) {
      if state(slot(first), view) != 0 {
        let item = items.pointer(slot(first))
        if item.pointee.originLeft == originLeft { rightParent = item.pointee.id }
      } else {
        let known = nextKnown(after: first, in: view)
        if let known, items[slot(known)].originLeft == originLeft { rightParent = items[slot(known)].id }
        let new = NewItem(id: id, originLeft: originLeft, rightParent: rightParent)
        spot = place(new, from: first, to: known, history: history)
        present = presentText(before: spot)
      }
    }
    inserts.note(id, originLeft: originLeft, rightParent: rightParent)
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
    spot = put(item, at: spot)
    tree.add(item.seen, to: spot.leaf, marking: view &- View.first)
    return present
  }

  /// The first item after another one that exists in a view; nil if none does. O(log n).
  private func nextKnown(after first: Spot, in view: Int) -> Spot? {
    for index in first.index &+ 1..<Int(itemCounts[first.leaf]) {
      let spot = Spot(leaf: first.leaf, index: index)
      if state(slot(spot), view) != 0 { return spot }
    }
    guard let leaf = tree.nextMarked(after: first.leaf, view &- View.first) else { return nil }
    var spot = Spot(leaf: leaf, index: 0)
    while state(slot(spot), view) == 0 { spot.index &+= 1 }
    return spot
  }

  /// The length of the present text before a spot. O(log n).
  private func presentText(before spot: Spot) -> UInt32 {
    var length = tree.sumBefore(spot.leaf)[View.present]
    for index in 0..<spot.index {
      let item = items.pointer(slot(Spot(leaf: spot.leaf, index: index)))
      if item.pointee.state[View.present] == 1 { length += item.pointee.length }
    }
    return length
  }
}
