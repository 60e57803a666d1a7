extension Walker {
  /// A place between or before items: `index` may be the number of items of the leaf.
  struct Spot: Equatable {
    var leaf: Int
    var index: Int
  }

  @inline(__always) func slot(_ spot: Spot) -> Int { spot.leaf &* Self.leafCapacity &+ spot.index }

  /// The spot itself if an item stands there, else the first of the next leaf; nil at the end.
  @inline(__always) func settled(_ spot: Spot) -> Spot? {
    if spot.index < Int(itemCounts[spot.leaf]) { return spot }
    guard let next = tree.next(spot.leaf) else { return nil }
    return Spot(leaf: next, index: 0)
  }

  /// The item that holds scalar `id`. O(log n).
  @inline(__always) func find(_ id: UInt32) -> Spot {
    let leaf =
      id & Item.baseFlag != 0
      ? tree.locate(id & ~Item.baseFlag, lane: View.base).leaf : Int(leafOfScalar[Int(id &- contentBase)])
    let first = items.pointer(leaf &* Self.leafCapacity)
    var item = first
    while id &- item.pointee.id >= item.pointee.length { item += 1 }
    return Spot(leaf: leaf, index: item - first)
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
  @inline(__always)
  mutating func makeRoom(at spot: Spot) -> Spot {
    itemCounts[spot.leaf] == UInt32(Self.leafCapacity) ? splitLeaf(at: spot) : spot
  }

  private mutating func splitLeaf(at spot: Spot) -> Spot {
    let count = Self.leafCapacity
    let kept = count / 2
    let source = spot.leaf * Self.leafCapacity
    var moved = SumTree.Sum.zero
    var (stays, goes) = (SIMD4<UInt32>.zero, SIMD4<UInt32>.zero)
    for index in 0..<kept { stays |= items[source + index].state }
    for index in kept..<count {
      moved &+= items[source + index].seen
      goes |= items[source + index].state
    }
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
    // The new one is marked as the other was.
    for kind in 0..<View.count {
      if stays[View.first &+ kind] == 0 { tree.unmark(spot.leaf, kind) }
      if goes[View.first &+ kind] == 0 { tree.unmark(new, kind) }
    }
    return spot.index > kept ? Spot(leaf: new, index: spot.index - kept) : spot
  }

  /// Remembers the leaf of an item's scalars.
  @inline(__always) func note(_ item: Item, in leaf: Int) {
    guard item.id & Item.baseFlag == 0 else { return }
    (leafOfScalar.base + Int(item.id &- contentBase)).update(
      repeating: UInt32(truncatingIfNeeded: leaf), count: Int(item.length))
  }

  /// Puts an item at a spot; its sum is not added to the tree.
  mutating func put(_ item: Item, at wanted: Spot) -> Spot {
    let spot = makeRoom(at: wanted)
    let count = Int(itemCounts[spot.leaf])
    let place = items.pointer(slot(spot))
    var end = items.pointer(spot.leaf &* Self.leafCapacity) + count
    while end > place {
      end.pointee = (end - 1).pointee
      end -= 1
    }
    place.pointee = item
    itemCounts[spot.leaf] = UInt32(truncatingIfNeeded: count &+ 1)
    note(item, in: spot.leaf)
    return spot
  }

  /// Whether a view knows anything in a leaf.
  @inline(__always) func isKnown(_ leaf: Int, in view: Int) -> Bool {
    let first = items.pointer(leaf &* Self.leafCapacity)
    for index in 0..<Int(itemCounts[leaf]) where Self.state(of: first + index, view) != 0 { return true }
    return false
  }

  /// Takes a leaf's marks away for the views that know nothing in it, after items were taken out.
  mutating func checkMarks(_ leaf: Int) {
    for kind in 0..<View.count {
      if !isKnown(leaf, in: View.first &+ kind) { tree.unmark(leaf, kind) }
    }
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
    _ = put(right, at: roomy)
    return left
  }

  /// Changes the state of the scalars `start ..< end` in one view by a difference (wrapping). O(log n) per
  /// item.
  @inline(__always)
  mutating func change(_ start: UInt32, _ end: UInt32, in view: Int, by difference: UInt32) {
    var start = start
    while true {
      #if DEBUG
        steps &+= 1
      #endif
      let spot = find(start)
      let pointer = items.pointer(slot(spot))
      let length = pointer.pointee.length
      if pointer.pointee.id == start, length <= end &- start {
        let before = pointer.pointee.state[view]
        let after = before &+ difference
        addState(slot(spot), view, difference)
        // Only visible or not counts.
        if before == 1 || after == 1 {
          tree.add(lane: view, before == 1 ? 0 &- length : length, to: spot.leaf)
        }
        if before == 0 {
          tree.mark(spot.leaf, view &- View.first)
        } else if after == 0, !isKnown(spot.leaf, in: view) {
          tree.unmark(spot.leaf, view &- View.first)
        }
        start &+= length
        if start == end { return }
      } else if pointer.pointee.id < start {
        _ = split(spot, at: start &- pointer.pointee.id)
      } else {
        _ = split(spot, at: end &- start)
      }
    }
  }
}
