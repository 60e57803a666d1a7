extension Walker {
  /// What decides where an item goes among those that its author did not know.
  struct NewItem {
    var id: UInt32
    var originLeft: UInt32
    var rightParent: UInt32
  }

  #if DEBUG
    private static let shortReading = 2
    private static let readingPerInsert = 0
  #else
    /// Items that are read before the tree of inserts is asked.
    private static let shortReading = 16
    /// To link an insert costs as much as to read several items. So many are read for each that is not linked yet,
    /// over all, before it is worth it.
    private static let readingPerInsert = 2
  #endif

  /// Where FugueMax places a new item among those from `first` on that its author did not know; `last` is the next
  /// that it knew, nil for the end. O(log² n), however many others typed there.
  mutating func place(_ new: NewItem, from first: Spot, to last: Spot?, history: HistoryView) -> Spot {
    let limit =
      Self.shortReading + max(0, inserts.unlinkedCount * Self.readingPerInsert - itemsRead)
    let near =
      new.rightParent == Item.none
      ? read(new, forwardsFrom: first, to: last, atMost: limit, history: history)
      : last.flatMap {
        read(new, backwardsFrom: $0, to: first, atMost: limit, history: history)
      }
    let spot = near ?? search(new, from: first, to: last, history: history)
    #if DEBUG
      let itemsReadBefore = itemsRead
      let whole = read(new, forwardsFrom: first, to: last, atMost: Int.max, history: history)
      itemsRead = itemsReadBefore
      precondition(whole.map { settled($0) } == .some(settled(spot)), "an item's place")
    #endif
    return spot
  }

  /// Reads backwards from the right parent, for the new item is a left child of that, and stands among the
  /// others that end at it. Nil if that is too much to read.
  private mutating func read(
    _ new: NewItem, backwardsFrom right: Spot, to first: Spot, atMost limit: Int, history: HistoryView
  ) -> Spot? {
    var current = right
    // Where the new item goes if what is read next is found to stand before it.
    var tail = right
    var count = 0
    defer { itemsRead &+= count }
    while current != first, let previous = before(current) {
      if count == limit { return nil }
      count &+= 1
      let other = items[slot(previous)]
      if other.originLeft == new.originLeft {
        if other.rightParent == new.rightParent {
          if history.isOrdered(other.id, before: new.id) { break }
        } else if other.rightParent == Item.none || other.rightParent == baseEnd
          || !isOrdered(other.rightParent, before: new.rightParent)
        {
          break
        }
      }
      current = previous
      if other.originLeft == new.originLeft { tail = current }
    }
    return tail
  }

  /// The item left of a spot; nil at the beginning.
  private func before(_ spot: Spot) -> Spot? {
    if spot.index > 0 { return Spot(leaf: spot.leaf, index: spot.index - 1) }
    guard let leaf = tree.previous(spot.leaf) else { return nil }
    return Spot(leaf: leaf, index: Int(itemCounts[leaf]) - 1)
  }

  /// The walk of `Spec/merge-order.md`, word for word. Nil if that is too much to read.
  private mutating func read(
    _ new: NewItem, forwardsFrom first: Spot, to last: Spot?, atMost limit: Int, history: HistoryView
  ) -> Spot? {
    var isScanning = false
    var place = first
    var at: Spot? = first
    var count = 0
    defer { itemsRead &+= count }
    while let current = at, current != last {
      if count == limit { return nil }
      count &+= 1
      let other = items[slot(current)]
      if other.originLeft == new.originLeft {
        let otherRight = other.rightParent == baseEnd ? Item.none : other.rightParent
        if otherRight == new.rightParent {
          if history.isOrdered(new.id, before: other.id) { break }
          isScanning = false
        } else {
          // The end stands after everything.
          isScanning =
            otherRight != Item.none
            && (new.rightParent == Item.none || isOrdered(otherRight, before: new.rightParent))
        }
      } else if isOrdered(other.originLeft, before: new.originLeft) {
        break
      }
      let after = Spot(leaf: current.leaf, index: current.index + 1)
      if !isScanning { place = after }
      at = settled(after)
    }
    return place
  }

  /// The same by the tree of inserts: the first item there that does not stand before the new one.
  private mutating func search(
    _ new: NewItem, from first: Spot, to last: Spot?, history: HistoryView
  ) -> Spot {
    linkInserts()
    let place = inserts.place(of: new, baseEnd: baseEnd)
    var end = last?.leaf
    if let last, last.index == 0 { end = tree.previous(last.leaf) }
    let leaf = tree.lastLeaf(from: first.leaf, to: end) { leaf in
      isBefore(Spot(leaf: leaf, index: 0), place, history: history)
    }
    var low = leaf == first.leaf ? first.index : 0
    var high = leaf == last?.leaf ? last?.index ?? 0 : Int(itemCounts[leaf])
    while low < high {
      let middle = (low + high) / 2
      if isBefore(Spot(leaf: leaf, index: middle), place, history: history) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return Spot(leaf: leaf, index: low)
  }

  private mutating func isBefore(_ spot: Spot, _ place: InsertTree.Place, history: HistoryView) -> Bool {
    #if DEBUG
      steps &+= 1
    #endif
    return inserts.isBefore(items[slot(spot)].id, place, history: history)
  }

  /// Takes the inserts into their tree that came since this was done last. O(log n) each.
  private mutating func linkInserts() {
    while let id = inserts.nextUnlinked {
      let item = items[slot(find(id))]
      inserts.link(originLeft: item.originLeft, rightParent: item.rightParent)
    }
    #if DEBUG
      steps &+= UInt64(itemsRead)
    #endif
    itemsRead = 0
  }
}
