extension PairWalker {
  /// Cuts an item in two.
  @inline(__always)
  mutating func split(_ index: Int, at offset: UInt32) {
    let rest = items.pointer(index).pointee.cut(at: offset)
    shift(rest, to: index &+ 1)
    sight.split(index, at: offset)
  }

  @inline(__always)
  mutating func put(_ item: PairItem, at index: Int) {
    shift(item, to: index)
    sight.put(
      length: item.length,
      from: SIMD2(
        item.lane == 1 ? item.event : PairSight.always, item.lane == 0 ? item.event : PairSight.always),
      at: index)
  }

  @inline(__always)
  private mutating func shift(_ item: PairItem, to index: Int) {
    items.append(item)
    let target = items.pointer(index)
    var place = items.pointer(items.count &- 1)
    while place > target {
      place.pointee = (place - 1).pointee
      place -= 1
    }
    target.pointee = item
  }

  /// Hides scalars `start ..< end` from an author.
  mutating func hide(_ start: UInt32, _ end: UInt32, from lane: UInt8) {
    var start = start
    var index = 0
    while start < end {
      // They were neighbours, so those that follow stand further right.
      while start &- items.pointer(index).pointee.id >= items.pointer(index).pointee.length { index &+= 1 }
      let item = items[index]
      if start > item.id {
        split(index, at: start &- item.id)
      } else {
        if end &- start < item.length { split(index, at: end &- start) }
        sight.hide(index, from: lane)
        start &+= min(item.length, end &- start)
      }
      index &+= 1
    }
  }

  // MARK: Inserting

  /// Puts in an item at a position that its author saw; false if there is no such position.
  @inline(__always)
  mutating func insert(_ new: PairItem, at position: UInt32, seenBy eye: Eye) -> Bool {
    var new = new
    var index = 0
    if position > 0 {
      let spot = sight.find(position, from: 0, seenBy: eye)
      guard spot.index < items.count else { return false }
      index = spot.index
      let left = spot.offset
      let item = items.pointer(index).pointee
      new.originLeft = item.id &+ left &- 1
      if left < item.length {
        split(index, at: left)
      } else if item.id &+ left == new.id, item.lane == eye.lane, !item.isDeleted,
        item.event &+ Int32(truncatingIfNeeded: left) == new.event,
        index &+ 1 == items.count || !hasSibling(index &+ 1, of: new, for: eye)
      {
        items.pointer(index).pointee.length &+= new.length
        sight.lengthen(index, by: new.length)
        return true
      }
      index &+= 1
    }
    if index < items.count {
      let next = items.pointer(index).pointee
      if !next.exists(for: eye) {
        index = integrate(&new, at: index, seenBy: eye)
      } else if next.originLeft == new.originLeft {
        new.rightParent = next.id
      }
    }
    put(new, at: index)
    return true
  }

  /// Whether the item at `index` might have to do with where a new one left of it goes.
  @inline(__always)
  private func hasSibling(_ index: Int, of new: PairItem, for eye: Eye) -> Bool {
    let next = items.pointer(index).pointee
    return next.originLeft == new.originLeft || !next.exists(for: eye)
  }

  /// Finds where FugueMax places a new item among those from `first` on that its author did not know, all of
  /// them the other's, and its right parent.
  private func integrate(_ new: inout PairItem, at first: Int, seenBy eye: Eye) -> Int {
    var end = first + 1
    while end < items.count, !items[end].exists(for: eye) { end += 1 }
    if end < items.count, items[end].originLeft == new.originLeft { new.rightParent = items[end].id }
    var spot = first
    var isScanning = false
    for index in first..<end {
      let other = items[index]
      if other.originLeft == new.originLeft {
        if other.rightParent == new.rightParent {
          if eye.isSmaller { break }
          isScanning = false
        } else {
          // The end stands after everything.
          isScanning =
            other.rightParent != Item.none
            && (new.rightParent == Item.none || isOrdered(other.rightParent, before: new.rightParent))
        }
      } else if isOrdered(other.originLeft, before: new.originLeft) {
        break
      }
      if !isScanning { spot = index + 1 }
    }
    return spot
  }

  /// Whether scalar `a` stands before scalar `b`; `none` stands before everything.
  private func isOrdered(_ a: UInt32, before b: UInt32) -> Bool {
    if a == Item.none || b == Item.none { return a == Item.none && b != Item.none }
    for index in 0..<items.count {
      let item = items[index]
      let (holdsA, holdsB) = (a &- item.id < item.length, b &- item.id < item.length)
      if holdsA { return !holdsB || a < b }
      if holdsB { return false }
    }
    return false
  }

  // MARK: Deleting

  /// Deletes scalars that their author saw; false if some are not there.
  mutating func delete(_ operation: Operation, event: Int32, seenBy eye: Eye) -> Bool {
    let isReversed = operation.kind == .deleteBackward
    var (position, left, event) = (operation.position, operation.length, event)
    var spot = sight.find(position &+ 1, from: 0, seenBy: eye)
    while true {
      guard spot.index < items.count else { return false }
      let count = min(left, isReversed ? spot.offset : spot.seen &- spot.offset &+ 1)
      let start = isReversed ? spot.offset &- count : spot.offset &- 1
      if start > 0 {
        split(spot.index, at: start)
        spot.index &+= 1
      }
      if items[spot.index].length > count { split(spot.index, at: count) }
      remove(spot.index, event: event, isReversed: isReversed, by: eye.lane)
      left &-= count
      if left == 0 { return true }
      event &+= Int32(truncatingIfNeeded: count)
      if isReversed { position &-= count }
      spot = sight.find(
        isReversed ? position &+ 1 : 1, from: isReversed ? 0 : spot.index &+ 1, seenBy: eye)
    }
  }

  /// Deletes a whole item.
  private mutating func remove(_ index: Int, event: Int32, isReversed: Bool, by lane: UInt8) {
    let item = items.pointer(index)
    item.pointee.isDeleted = true
    sight.hide(index, from: lane)
    let (id, length) = (item.pointee.id, item.pointee.length)
    deletions.append(
      Deletion(
        lane: lane, event: event, id: isReversed ? id &+ length &- 1 : id, length: length,
        isReversed: isReversed))
  }
}
