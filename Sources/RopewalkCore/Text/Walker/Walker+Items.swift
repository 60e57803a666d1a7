extension Walker {
  /// A place between or before items: `index` may be the number of items of the leaf.
  struct Spot {
    var leaf: Int
    var index: Int
  }

  @inline(__always) func slot(_ spot: Spot) -> Int { spot.leaf * Self.leafCapacity + spot.index }

  /// The spot itself if an item stands there, else the first of the next leaf; nil at the end.
  @inline(__always) func settled(_ spot: Spot) -> Spot? {
    if spot.index < Int(itemCounts[spot.leaf]) { return spot }
    guard let next = tree.next(spot.leaf) else { return nil }
    return Spot(leaf: next, index: 0)
  }

  /// The item that holds scalar `id`. O(log n).
  func find(_ id: UInt32) -> Spot {
    let leaf =
      id & Item.baseFlag != 0
      ? tree.locate(id & ~Item.baseFlag, lane: View.base).leaf : Int(leafOfScalar[Int(id - contentBase)])
    let start = leaf * Self.leafCapacity
    var index = 0
    while id &- items[start + index].id >= items[start + index].length { index += 1 }
    return Spot(leaf: leaf, index: index)
  }

  /// Whether scalar `a` stands before scalar `b`; `none` stands before everything.
  func isOrdered(_ a: UInt32, before b: UInt32) -> Bool {
    if a == Item.none { return b != Item.none }
    if b == Item.none { return false }
    let (first, second) = (find(a), find(b))
    if first.leaf != second.leaf { return tree.isOrdered(first.leaf, before: second.leaf) }
    if first.index != second.index { return first.index < second.index }
    return a < b
  }

  /// Makes sure that an item can be put at a spot; the spot moves if its leaf is split.
  mutating func makeRoom(at spot: Spot) -> Spot {
    let count = Int(itemCounts[spot.leaf])
    guard count == Self.leafCapacity else { return spot }
    let kept = count / 2
    let source = spot.leaf * Self.leafCapacity
    var moved = SumTree.Sum.zero
    for index in kept..<count { moved &+= items[source + index].seen }
    let new = tree.insertLeaf(after: spot.leaf, taking: moved)
    growLeaves()
    let target = new * Self.leafCapacity
    for index in kept..<count {
      let item = items[source + index]
      items[target + index - kept] = item
      note(item, in: new)
    }
    itemCounts[spot.leaf] = UInt32(kept)
    itemCounts[new] = UInt32(count - kept)
    return spot.index > kept ? Spot(leaf: new, index: spot.index - kept) : spot
  }

  /// Remembers the leaf of an item's scalars.
  @inline(__always) func note(_ item: Item, in leaf: Int) {
    guard item.id & Item.baseFlag == 0 else { return }
    (leafOfScalar.base + Int(item.id - contentBase)).update(repeating: UInt32(leaf), count: Int(item.length))
  }

  /// Puts an item at a spot; its sum is added to the tree unless it is already counted there.
  mutating func put(_ item: Item, at wanted: Spot, isCounted: Bool) -> Spot {
    let spot = makeRoom(at: wanted)
    let count = Int(itemCounts[spot.leaf])
    let place = items.pointer(slot(Spot(leaf: spot.leaf, index: 0))) + spot.index
    (place + 1).update(from: place, count: count - spot.index)
    place.pointee = item
    itemCounts[spot.leaf] = UInt32(count + 1)
    note(item, in: spot.leaf)
    if !isCounted { tree.add(item.seen, to: spot.leaf) }
    return spot
  }

  /// Cuts an item in two; returns where the left part is (the right one follows it in the same leaf).
  mutating func split(_ spot: Spot, at offset: UInt32) -> Spot {
    let roomy = makeRoom(at: Spot(leaf: spot.leaf, index: spot.index + 1))
    let left = Spot(leaf: roomy.leaf, index: roomy.index - 1)
    let pointer = items.pointer(slot(left))
    var right = pointer.pointee
    right.id += offset
    right.length -= offset
    right.originLeft = right.id - 1
    right.rightParent = Item.none
    pointer.pointee.length = offset
    _ = put(right, at: roomy, isCounted: true)
    return left
  }

  /// Changes the state of the scalars `start ..< end` in one view by a difference (wrapping). O(log n) per
  /// item.
  mutating func change(_ start: UInt32, _ end: UInt32, in view: Int, by difference: UInt32) {
    var start = start
    while start < end {
      var spot = find(start)
      let item = items[slot(spot)]
      if item.id < start {
        spot = split(spot, at: start - item.id)
        spot.index += 1
      }
      if items[slot(spot)].length > end - start { spot = split(spot, at: end - start) }
      let pointer = items.pointer(slot(spot))
      let before = pointer.pointee.seen
      addState(slot(spot), view, difference)
      tree.add(pointer.pointee.seen &- before, to: spot.leaf)
      start += pointer.pointee.length
    }
  }
}
