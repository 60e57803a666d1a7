/// Where a merge's changes go: the present text and, if somebody wants them, the patches.
///
/// Changes that go on in the same place, as typing and correcting do, are gathered to one.
struct PatchTarget: ~Copyable {
  private(set) var buffer: TextBuffer
  let collects: Bool
  private(set) var patches: [TextPatch] = []

  /// The change at hand, which is not in the buffer yet: at `position` `deleted` scalars go, and `text` of
  /// `inserted` scalars comes.
  private var position: UInt32 = 0
  private var deleted: UInt32 = 0
  private var inserted: UInt32 = 0
  private var text = FlatBuffer<UInt8>(capacity: 256)

  /// Bytes that are not gathered, but go to the buffer at once.
  private static let longText = 256

  init(buffer: TextBuffer, collects: Bool) {
    self.buffer = buffer
    self.collects = collects
  }

  /// The present length. O(1).
  var scalarCount: UInt32 { UInt32(truncatingIfNeeded: buffer.scalarCount) &- deleted &+ inserted }

  /// Ends the changes: the text may be read and copied again.
  mutating func finish() {
    make()
    buffer.liftFinger()
  }

  /// Inserts a part of the log's content.
  @inline(__always)
  mutating func insert(_ bytes: UnsafeBufferPointer<UInt8>, scalars: UInt32, at place: UInt32) {
    if bytes.count > Self.longText { return replace(0, with: bytes, scalars: scalars, at: place) }
    if place != position &+ inserted { begin(at: place) }
    text.append(bytes)
    inserted &+= scalars
  }

  @inline(__always)
  mutating func delete(_ count: UInt32, at first: UInt32) {
    if first == position &+ inserted {
      deleted &+= count
    } else if first &+ count == position &+ inserted, inserted > 0 || deleted > 0 {
      let taken = min(count, inserted)
      if text.count == Int(inserted) { text.removeLast(Int(taken)) } else { shorten(by: taken) }
      inserted &-= taken
      deleted &+= count &- taken
      position &-= count &- taken
    } else {
      begin(at: first)
      deleted = count
    }
  }

  /// Takes the last scalars off what is to be inserted.
  private mutating func shorten(by count: UInt32) {
    for _ in 0..<count {
      while text.count > 0, text.removeLast() & 0xc0 == 0x80 {}
    }
  }

  private mutating func begin(at place: UInt32) {
    make()
    position = place
  }

  /// Makes the change at hand, if there is one.
  @inline(__always)
  private mutating func make() {
    if deleted == 0, inserted == 0 { return }
    let (deleted, inserted) = (deleted, inserted)
    (self.deleted, self.inserted) = (0, 0)
    put(deleted, text.all, scalars: inserted, at: position)
    text.removeAll()
  }

  /// Deletes, and inserts in the same place.
  mutating func replace(
    _ deleted: UInt32, with bytes: UnsafeBufferPointer<UInt8>, scalars: UInt32, at place: UInt32
  ) {
    begin(at: place)
    put(deleted, bytes, scalars: scalars, at: place)
  }

  private mutating func put(
    _ deleted: UInt32, _ bytes: UnsafeBufferPointer<UInt8>, scalars: UInt32, at place: UInt32
  ) {
    if deleted > 0 { buffer.delete(Int(deleted), at: Int(place)) }
    if bytes.count == Int(scalars) {
      buffer.insert(bytes, measuring: SumTree.Sum(scalars, scalars, scalars, 0), at: Int(place))
    } else {
      buffer.insert(bytes, at: Int(place))
    }
    guard collects else { return }
    patches.append(TextPatch(position: Int(place), deleted: Int(deleted), inserted: Array(bytes)))
  }

  /// Applies events that know the whole present text, in order. Returns whether an index was out of bounds.
  mutating func apply(_ start: UInt32, _ end: UInt32, of history: HistoryView, logRun: inout Int) -> Bool {
    var at = start
    var isIrregular = false
    while history.end(ofLogRun: logRun) <= at { logRun += 1 }
    while at < end {
      let stop = min(end, history.end(ofLogRun: logRun))
      let operation = history.operation(ofLogRun: logRun, from: at, to: stop)
      let length = scalarCount
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
