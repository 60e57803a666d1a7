extension Walker {
  /// A stretch of present text that a deletion took away.
  struct Removal {
    /// Position in the present text.
    var position: UInt32
    var length: UInt32
  }

  /// Deletes up to `limit` scalars forwards from the one at `position` in `view`, or backwards down from
  /// it, all of one item. Returns how many, and what that takes from the present text; nil if nothing
  /// stands there.
  mutating func delete(
    upTo limit: UInt32, at position: UInt32, isReversed: Bool, event: UInt32, in view: Int
  ) -> (count: UInt32, removal: Removal?)? {
    guard position < tree.total[view] else { return nil }
    let (leaf, before) = tree.locate(position, lane: view)
    var left = position - before[view]
    var present = before[View.present]
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
    var spot = Spot(leaf: leaf, index: place - first)
    let length = place.pointee.length
    let count = min(limit, isReversed ? left + 1 : length - left)
    let start = isReversed ? left + 1 - count : left
    if start > 0 {
      if items[slot(spot)].state[View.present] == 1 { present += start }
      spot = split(spot, at: start)
      spot.index += 1
    }
    if items[slot(spot)].length > count { spot = split(spot, at: count) }
    let pointer = items.pointer(slot(spot))
    let wasSeen = pointer.pointee.seen
    let removal =
      pointer.pointee.state[View.present] == 1 ? Removal(position: present, length: count) : nil
    pointer.pointee.state[View.present] += 1
    pointer.pointee.state[view] += 1
    tree.add(pointer.pointee.seen &- wasSeen, to: spot.leaf)
    let id = pointer.pointee.id
    deletions.append(
      Deletion(
        start: event, id: isReversed ? id + count - 1 : id, length: count, isReversed: isReversed))
    return (count, removal)
  }
}
