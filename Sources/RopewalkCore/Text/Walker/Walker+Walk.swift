extension Walker {
  /// Walks events of one graph run, all of one author, the first of which follows `parents`. Their changes
  /// to the present text go to `target`, unless they were made before (`isKnown`).
  mutating func walk(
    _ start: UInt32, _ end: UInt32, parents: some Collection<UInt32>, author: UInt32,
    history: borrowing TextHistory,
    logRun: inout Int, target: inout PatchTarget, isKnown: Bool
  ) {
    let index = chooseView(parents: parents, author: author)
    move(view: index, to: parents, history: history)
    let view = View.first + index
    while history.log.end(ofRun: logRun) <= start { logRun += 1 }
    var at = start
    while at < end {
      let stop = min(end, history.log.end(ofRun: logRun))
      let operation = history.log.operation(ofRun: logRun, from: at, to: stop)
      if operation.kind == .insert {
        let run = history.log.runs[logRun]
        let id = run.content + (at - run.start)
        let position = insert(
          id: id, length: operation.length, at: operation.position, in: view, history: history)
        if !isKnown {
          let first = Int(at - run.start)
          let range = history.log.contentRange(
            ofRun: logRun, scalars: first..<first + Int(operation.length))
          history.log.content.withUnsafeBufferPointer {
            target.insert(
              UnsafeBufferPointer(rebasing: $0[range]), scalars: operation.length, at: position)
          }
        }
      } else {
        walkDeletion(operation, event: at, in: view, target: &target, isKnown: isKnown)
      }
      at = stop
      if stop == history.log.end(ofRun: logRun) { logRun += 1 }
    }
    #if DEBUG
      checkInvariants()
    #endif
    views[index].heads.removeAll(keepingCapacity: true)
    views[index].heads.append(end - 1)
  }

  private mutating func walkDeletion(
    _ operation: Operation, event: UInt32, in view: Int, target: inout PatchTarget, isKnown: Bool
  ) {
    let isReversed = operation.kind == .deleteBackward
    var position = operation.position
    var left = operation.length
    var at = event
    if isReversed, position >= tree.total[view] {
      // The first events of the run meet nothing.
      isIrregular = true
      let void = min(left, position - tree.total[view] + 1)
      left -= void
      at += void
      guard left > 0 else { return }
      position -= void
    }
    while left > 0 {
      guard
        let (count, removal) = delete(upTo: left, at: position, isReversed: isReversed, event: at, in: view)
      else {
        isIrregular = true
        return
      }
      if let removal, !isKnown { target.delete(removal.length, at: removal.position) }
      left -= count
      at += count
      if isReversed, left > 0 { position -= count }
    }
  }
}
