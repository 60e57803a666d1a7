/// Where a merge's changes go: the present text and, if somebody wants them, the patches.
struct PatchTarget {
  var buffer: TextBuffer
  let collects: Bool
  private(set) var patches: [TextPatch] = []
  /// Scalars inserted by the last patch.
  private var lastInserted = 0

  init(buffer: TextBuffer, collects: Bool) {
    self.buffer = buffer
    self.collects = collects
  }

  /// Ends the changes: the text may be read and copied again.
  mutating func finish() { buffer.liftFinger() }

  /// Inserts a part of the log's content.
  mutating func insert(_ bytes: UnsafeBufferPointer<UInt8>, scalars: UInt32, at position: UInt32) {
    if bytes.count == Int(scalars) {
      buffer.insert(bytes, measuring: SumTree.Sum(scalars, scalars, scalars, 0), at: Int(position))
    } else {
      buffer.insert(bytes, at: Int(position))
    }
    guard collects else { return }
    let position = Int(position)
    if let last = patches.last, position == last.position + lastInserted {
      patches[patches.count - 1].inserted.append(contentsOf: bytes)
      lastInserted += Int(scalars)
    } else {
      patches.append(TextPatch(position: position, deleted: 0, inserted: Array(bytes)))
      lastInserted = Int(scalars)
    }
  }

  mutating func delete(_ count: UInt32, at position: UInt32) {
    buffer.delete(Int(count), at: Int(position))
    guard collects else { return }
    let position = Int(position)
    if let last = patches.last, position == last.position, last.inserted.isEmpty {
      patches[patches.count - 1].deleted += Int(count)
    } else if let last = patches.last, last.inserted.isEmpty, position + Int(count) == last.position {
      patches[patches.count - 1].position = position
      patches[patches.count - 1].deleted += Int(count)
    } else {
      patches.append(TextPatch(position: position, deleted: Int(count), inserted: []))
      lastInserted = 0
    }
  }

  /// Deletes, and inserts in the same place.
  mutating func replace(
    _ deleted: UInt32, with bytes: UnsafeBufferPointer<UInt8>, scalars: UInt32, at position: UInt32
  ) {
    if deleted > 0 { buffer.delete(Int(deleted), at: Int(position)) }
    if bytes.count == Int(scalars) {
      buffer.insert(bytes, measuring: SumTree.Sum(scalars, scalars, scalars, 0), at: Int(position))
    } else {
      buffer.insert(bytes, at: Int(position))
    }
    guard collects else { return }
    patches.append(TextPatch(position: Int(position), deleted: Int(deleted), inserted: Array(bytes)))
    lastInserted = Int(scalars)
  }

  /// Applies events that know the whole present text, in order. Returns whether an index was out of bounds.
  mutating func apply(_ start: UInt32, _ end: UInt32, of history: HistoryView, logRun: inout Int) -> Bool {
    var at = start
    var isIrregular = false
    while history.end(ofLogRun: logRun) <= at { logRun += 1 }
    while at < end {
      let stop = min(end, history.end(ofLogRun: logRun))
      let operation = history.operation(ofLogRun: logRun, from: at, to: stop)
      let length = UInt32(buffer.scalarCount)
      if operation.kind == .insert {
        let position = min(operation.position, length)
        if position != operation.position { isIrregular = true }
        insert(
          history.text(ofLogRun: logRun, from: at, to: stop), scalars: operation.length, at: position)
      } else {
        let first =
          operation.kind == .deleteForward
          ? operation.position : operation.position + 1 - operation.length
        let count = min(operation.length, length > first ? length - first : 0)
        if count != operation.length { isIrregular = true }
        if count > 0 { delete(count, at: first) }
      }
      at = stop
      if stop == history.end(ofLogRun: logRun) { logRun += 1 }
    }
    return isIrregular
  }
}
