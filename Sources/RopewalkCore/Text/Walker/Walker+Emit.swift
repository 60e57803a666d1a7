extension Walker {
  /// Makes all changes of a walk to the text that it was opened with. O(items).
  ///
  /// - Parameter lastLogRun: the run of the log that the walk came to.
  mutating func emit(into target: inout PatchTarget, history: HistoryView, lastLogRun: Int) {
    changes.begin(logRuns: logBounds.lowerBound..<lastLogRun + 1, history: history)
    var leaf: Int? = Int(tree.firstLeaf)
    while let current = leaf {
      let first = current * Self.leafCapacity
      for slot in first..<first + Int(itemCounts[current]) {
        let item = items[slot]
        changes.take(
          id: item.id, length: item.length, isPresent: item.state[View.present] == 1, history: history,
          into: &target)
      }
      leaf = tree.next(current)
    }
    changes.make(in: &target)
  }
}
