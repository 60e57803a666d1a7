#if DEBUG
  extension TextBuffer {
    /// Checks that every leaf's lengths are those of its bytes, that only a sole leaf is empty, and the tree.
    func checkInvariants() {
      precondition(finger.unsummed == .zero)
      precondition(
        finger.start == Finger.nowhere
          || finger.start == Int(tree.sumBefore(finger.leaf)[TextMetrics.scalars]))
      tree.checkInvariants { leafSums[$0] }
      var leaf: Int? = Int(tree.firstLeaf)
      while let current = leaf {
        withBytes(of: current) { bytes in
          precondition(TextMetrics.measure(bytes) == leafSums[current])
          precondition(TextMetrics.firstFault(bytes) == nil)
        }
        precondition(leafSums[current][TextMetrics.utf8] > 0 || tree.next(current) == nil)
        leaf = tree.next(current)
      }
    }
  }
#endif
