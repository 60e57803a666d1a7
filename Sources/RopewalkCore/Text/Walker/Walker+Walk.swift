extension Walker {
  /// Walks events of one graph run, all of one author, the first of which follows `parents`. Their changes
  /// to the present text go to `target`, unless it is silent.
  mutating func walk(
    _ start: UInt32, _ end: UInt32, run: Int, parents: UnsafeBufferPointer<EventGraph.Parent>, author: UInt32,
    history: HistoryView,
    logRun: inout Int, target: inout PatchTarget, isSilent: Bool
  ) {
    graphBounds = graphBounds.lowerBound..<run &+ 1
    logBounds = logBounds.lowerBound..<logRun &+ 1
    let index = chooseView(parents: parents, author: author, history: history)
    move(view: index, to: parents, history: history)
    let view = View.first &+ index
    note(author: author, events: start..<end, run: run, in: index, history: history)
    while history.end(ofLogRun: logRun) <= start { logRun &+= 1 }
    var at = start
    while at < end {
      #if DEBUG
        steps &+= 1
      #endif
      let stop = min(end, history.end(ofLogRun: logRun))
      let operation = history.operation(ofLogRun: logRun, from: at, to: stop)
      if operation.kind == .insert {
        let run = history.logRuns[logRun]
        let id = run.content &+ (at &- run.start)
        let position = insert(
          id: id, length: operation.length, at: operation.position, in: view, history: history)
        if !isSilent {
          target.insert(
            history.text(ofLogRun: logRun, from: at, to: stop), scalars: operation.length, at: position)
        }
      } else {
        walkDeletion(operation, event: at, in: view, target: &target, isSilent: isSilent)
      }
      at = stop
      if stop == history.end(ofLogRun: logRun) { logRun &+= 1 }
    }
    #if DEBUG
      checkInvariants()
    #endif
    views.pointer(index).pointee.head = end &- 1
  }

  private mutating func walkDeletion(
    _ operation: Operation, event: UInt32, in view: Int, target: inout PatchTarget, isSilent: Bool
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
      #if DEBUG
        steps &+= 1
      #endif
      guard
        let (count, removal) = delete(upTo: left, at: position, isReversed: isReversed, event: at, in: view)
      else {
        isIrregular = true
        return
      }
      if let removal, !isSilent { target.delete(removal.length, at: removal.position) }
      left -= count
      at += count
      if isReversed, left > 0 { position -= count }
    }
  }
}
