extension TextDocument {
  /// Inserts before scalar `index` (0 … scalarCount). Needs `replica`. O(log n + length).
  public mutating func insert(_ text: String, at index: Int) {
    precondition(index >= 0 && index <= scalarCount, "index out of bounds")
    // The key is read first and alone: then the text need not be retained.
    let key = text.utf8.withContiguousStorageIfAvailable { $0.count == 1 ? $0[0] : nil } ?? nil
    if let key, goOn(with: key, at: index) { return }
    insert(text, before: index)
  }

  @inline(never)
  private mutating func insert(_ text: String, before index: Int) {
    let isHandled: Void? = text.utf8.withContiguousStorageIfAvailable { insert($0, before: index) }
    if isHandled == nil { Array(text.utf8).withUnsafeBufferPointer { insert($0, before: index) } }
  }

  /// Types one more key where the last one was typed, if it is that: no run begins, and no leaf changes.
  @inline(__always)
  private mutating func goOn(with key: UInt8, at index: Int) -> Bool {
    guard history.log.goesOn(at: index), buffer.draftGoesOn(at: index),
      let author, history.graph.isExtendable(by: author), hasRoom(for: 1, bytes: 1)
    else { return false }
    history.graph.extend(author: author, length: 1)
    history.log.type(key)
    buffer.draftType(key)
    return true
  }

  @inline(__always)
  private mutating func insert(_ bytes: UnsafeBufferPointer<UInt8>, before index: Int) {
    guard !bytes.isEmpty else { return }
    let sum = bytes.count == 1 ? SumTree.Sum(1, 1, 1, 0) : TextMetrics.measure(bytes)
    let length = sum[TextMetrics.scalars]
    grow(by: length, bytes: bytes.count)
    history.log.appendInsert(bytes, length: length, at: UInt32(index))
    buffer.draftInsert(bytes, measuring: sum, at: index)
  }

  /// Deletes scalars, in bounds. Needs `replica`. O(log n + length).
  public mutating func delete(_ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= scalarCount, "range out of bounds")
    guard !range.isEmpty else { return }
    let length = UInt32(range.count)
    grow(by: length, bytes: 0)
    history.log.appendDelete(
      Operation(kind: .deleteForward, position: UInt32(range.lowerBound), length: length))
    buffer.draftDelete(range.count, at: range.lowerBound)
  }

  /// Deletes scalars, in bounds, and inserts in their place. Needs `replica`. O(log n + length).
  public mutating func replace(_ range: Range<Int>, with text: String) {
    delete(range)
    insert(text, at: range.lowerBound)
  }

  /// Adds events of this replica after all that is known.
  @inline(__always)
  private mutating func grow(by length: UInt32, bytes: Int) {
    precondition(
      hasRoom(for: length, bytes: bytes), "a document holds fewer than 2³¹ events and 1 GiB of text")
    if let author, history.graph.isExtendable(by: author) {
      history.graph.extend(author: author, length: length)
      return
    }
    // The program's own mistake; nothing that comes from outside edits.
    guard let replica else { preconditionFailure("set `replica` before editing") }
    let author = history.graph.number(of: replica)
    self.author = author
    let heads = history.graph.heads
    history.graph.append(author: author, length: length, places: heads, logRuns: history.log.runs.count)
  }

  @inline(__always)
  private func hasRoom(for length: UInt32, bytes: Int) -> Bool {
    UInt64(history.graph.count) + UInt64(length) < Self.eventLimit
      && history.log.content.count + bytes < Self.contentLimit
  }

  /// Whether an edit of so many more events, of which insertions have so many bytes of UTF-8 in all, is within
  /// the document's limits. O(1).
  public func hasRoom(forEvents events: Int, utf8Bytes bytes: Int) -> Bool {
    UInt64(history.graph.count) + UInt64(events) < Self.eventLimit
      && history.log.content.count + bytes < Self.contentLimit
  }

  static let eventLimit: UInt64 = 1 << 31
  static let contentLimit = 1 << 30

  // What comes from outside may not use up what the user's own edits need: thirty bytes can claim as many
  // deletions as there are numbers, and an edit has no way to fail.
  static let mergeEventLimit = eventLimit / 2
  static let mergeContentLimit = contentLimit / 2
  static let snapshotEventLimit = eventLimit / 4 * 3
}
