extension SumTree {
  /// The last leaf of those from `first` to `last` (nil: to the end) that satisfies a condition, as all before it
  /// do and none after it; `first` is taken to satisfy it. Asks about O(log n) leaves.
  func lastLeaf(from first: Int, to last: Int?, where condition: (Int) -> Bool) -> Int {
    words.withUnsafeBytes { raw in
      let nodes = SumTreeReader(raw: raw)
      func isSatisfied(_ child: UInt32, _ level: Int) -> Bool {
        var leaf = child
        for _ in 0..<level { leaf = nodes.child(leaf, 0) }
        if let last, last != Int(leaf), isOrdered(last, before: Int(leaf)) { return false }
        return condition(Int(leaf))
      }
      /// The last slot that satisfies the condition; `slot` does.
      func lastSlot(_ node: UInt32, from slot: Int, _ level: Int) -> Int {
        var (low, high) = (slot, nodes.count(node))
        while low + 1 < high {
          let middle = (low + high) / 2
          if isSatisfied(nodes.child(node, middle), level) { low = middle } else { high = middle }
        }
        return low
      }
      // Up, as long as all further children of a node satisfy it, and down again.
      var (best, level) = (UInt32(first), 0)
      var (place, above) = (leafPlaces[first], 0)
      while place.node != Self.none {
        let slot = lastSlot(place.node, from: Int(place.slot), above)
        if slot > Int(place.slot) { (best, level) = (nodes.child(place.node, slot), above) }
        if slot + 1 < nodes.count(place.node) { break }
        place = nodes.place(place.node)
        above += 1
      }
      while level > 0 {
        best = nodes.child(best, lastSlot(best, from: 0, level - 1))
        level -= 1
      }
      return Int(best)
    }
  }
}
