extension TextBuffer {
  /// The leaf of the latest edit. The next one is mostly in it too, and then costs no descent; and the nodes
  /// above the leaf are told of all edits together, when the finger goes elsewhere.
  struct Finger: Sendable {
    var leaf = 0
    /// Scalars before the leaf; `nowhere` if that is not known.
    var start = nowhere
    /// What edits added to the leaf and to the tree's total, but not to the nodes above the leaf. Zero
    /// whenever the buffer is read or copied, and when leaves come or go.
    var unsummed = SumTree.Sum.zero

    static let nowhere = Int.max
  }

  /// Lays the finger on the leaf that holds scalar `index`; past the end, on the last. O(log n), O(1) if it
  /// is there.
  @inline(__always)
  mutating func reach(_ index: Int) {
    let offset = UInt(bitPattern: index &- finger.start)
    if offset >= UInt(leafSums[finger.leaf][TextMetrics.scalars]) { moveFinger(to: index) }
  }

  private mutating func moveFinger(to index: Int) {
    liftFinger()
    let (leaf, before) = tree.locate(UInt32(index), lane: TextMetrics.scalars)
    finger.leaf = leaf
    finger.start = Int(before[TextMetrics.scalars])
  }

  /// Tells the nodes above the finger's leaf what was edited. Ends every edit. O(log n).
  @inline(__always)
  mutating func liftFinger() {
    guard finger.unsummed != .zero else { return }
    tree.addToNodes(finger.unsummed, above: finger.leaf)
    finger.unsummed = .zero
  }

  /// Lifts the finger, and forgets where it was: leaves come or go.
  mutating func dropFinger() {
    liftFinger()
    finger.start = Finger.nowhere
  }
}
