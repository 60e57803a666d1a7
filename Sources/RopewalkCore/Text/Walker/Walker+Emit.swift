extension Walker {
  /// Makes all changes of a walk to the text that it was opened with, from left to right: what stands
  /// together goes in at once. O(items), where a change at a time would cost each run a descent of the
  /// text.
  ///
  /// - Parameter lastLogRun: the run of the log that the walk came to.
  mutating func emit(into target: inout PatchTarget, history: HistoryView, lastLogRun: Int) {
    let runs = logBounds.lowerBound..<min(lastLogRun + 1, history.logRuns.count)
    var change = Change()
    let end =
      runs.upperBound < history.logRuns.count
      ? Int(history.logRuns[runs.upperBound].content) : history.content.count
    // Then scalars are named by where their text stands.
    let isAscii = TextMetrics.isAscii(UnsafeBufferPointer(rebasing: history.content[Int(contentBase)..<end]))
    var leaf: Int? = Int(tree.firstLeaf)
    while let current = leaf {
      let first = current * Self.leafCapacity
      for slot in first..<first + Int(itemCounts[current]) {
        let item = items[slot]
        let isVisible = item.state[View.present] == 1
        if item.id & Item.baseFlag != 0 {
          if isVisible {
            change.make(in: &target, text: text)
            text.removeAll()
            change.position += item.length
          } else {
            change.deleted += item.length
          }
        } else if isVisible {
          if isAscii {
            let start = Int(item.id)
            text.append(UnsafeBufferPointer(rebasing: history.content[start..<start + Int(item.length)]))
          } else {
            history.appendText(ofScalars: item.id, length: item.length, in: runs, to: &text)
          }
          change.inserted += item.length
        }
      }
      leaf = tree.next(current)
    }
    change.make(in: &target, text: text)
    text.removeAll()
  }

  /// What changes at one place of the present text.
  private struct Change {
    var position: UInt32 = 0
    var deleted: UInt32 = 0
    var inserted: UInt32 = 0

    /// Makes the change and goes on behind it.
    @inline(__always)
    mutating func make(in target: inout PatchTarget, text: borrowing FlatBuffer<UInt8>) {
      if deleted == 0, inserted == 0 { return }
      target.replace(deleted, with: text.all, scalars: inserted, at: position)
      position += inserted
      (deleted, inserted) = (0, 0)
    }
  }
}
