extension TextBuffer {
  /// The length in scalars. O(1).
  @inline(__always) var scalarCount: Int {
    Int(tree.total[TextMetrics.scalars]) - draft.deleted + draft.insertedScalars
  }

  /// The length in a unit, a lane of `TextMetrics`. O(log n).
  func count(in lane: Int) -> Int {
    if draft.isEmpty { return Int(tree.total[lane]) }
    return Int(tree.total[lane]) - Int(draftBounds().removed[lane]) + Int(draft.insertedSum[lane])
  }

  /// The whole text in UTF-8. O(n).
  var utf8: [UInt8] { utf8(in: 0..<scalarCount) }

  /// The UTF-8 of a range of scalars, in bounds. O(log n + length).
  func utf8(in range: Range<Int>) -> [UInt8] {
    if draft.isEmpty { return settledUTF8(in: range) }
    let end = draft.position + draft.insertedScalars
    let shift = draft.deleted - draft.insertedScalars
    var bytes = settledUTF8(in: range.clamped(to: 0..<draft.position))
    let typed = range.clamped(to: draft.position..<end)
    draft.inserted.withUnsafeBufferPointer { inserted in
      let from = TextMetrics.byteOffset(ofScalar: typed.lowerBound - draft.position, in: inserted)
      let rest = UnsafeBufferPointer(rebasing: inserted[from...])
      bytes.append(contentsOf: rest[..<TextMetrics.byteOffset(ofScalar: typed.count, in: rest)])
    }
    let after = range.clamped(to: end..<max(end, range.upperBound))
    bytes.append(contentsOf: settledUTF8(in: after.lowerBound + shift..<after.upperBound + shift))
    return bytes
  }

  /// Converts an offset from one unit into another (lanes of `TextMetrics`). An offset inside a scalar
  /// gives the start of that scalar; one at or past the end, the total. O(log n).
  func offset(of offset: Int, in lane: Int, as other: Int) -> Int {
    if draft.isEmpty { return settledOffset(of: offset, in: lane, as: other) }
    let (before, removed) = draftBounds()
    let start = Int(before[lane])
    if offset < start { return settledOffset(of: offset, in: lane, as: other) }
    let inserted = Int(draft.insertedSum[lane])
    if offset < start + inserted {
      return Int(before[other])
        + draft.inserted.withUnsafeBufferPointer { Self.scan($0, to: offset - start, in: lane, as: other) }
    }
    let settled = settledOffset(of: offset - inserted + Int(removed[lane]), in: lane, as: other)
    return settled - Int(removed[other]) + Int(draft.insertedSum[other])
  }

  // MARK: Without the draft

  /// Scalars, bytes and UTF-16 units before a scalar of the settled text.
  func settledSums(beforeScalar index: Int) -> SumTree.Sum {
    SumTree.Sum(
      UInt32(index),
      UInt32(settledOffset(of: index, in: TextMetrics.scalars, as: TextMetrics.utf8)),
      UInt32(settledOffset(of: index, in: TextMetrics.scalars, as: TextMetrics.utf16)), 0)
  }

  private func settledUTF8(in range: Range<Int>) -> [UInt8] {
    guard !range.isEmpty else { return [] }
    let start = settledOffset(of: range.lowerBound, in: TextMetrics.scalars, as: TextMetrics.utf8)
    let end = settledOffset(of: range.upperBound, in: TextMetrics.scalars, as: TextMetrics.utf8)
    return [UInt8](unsafeUninitializedCapacity: end - start) { target, count in
      var (leaf, before) = tree.locate(UInt32(start), lane: TextMetrics.utf8)
      var skipped = start - Int(before[TextMetrics.utf8])
      while count < end - start {
        count += withBytes(of: leaf) { source in
          let size = min(source.count - skipped, end - start - count)
          if let memory = target.baseAddress, let origin = source.baseAddress {
            (memory + count).initialize(from: origin + skipped, count: size)
          }
          return size
        }
        skipped = 0
        guard let next = tree.next(leaf) else { break }
        leaf = next
      }
    }
  }

  private func settledOffset(of offset: Int, in lane: Int, as other: Int) -> Int {
    guard offset > 0 else { return 0 }
    guard offset < Int(tree.total[lane]) else { return Int(tree.total[other]) }
    let (leaf, before) = tree.locate(UInt32(offset), lane: lane)
    let left = offset - Int(before[lane])
    let sum = leafSums[leaf]
    if sum[TextMetrics.scalars] == sum[TextMetrics.utf8] { return Int(before[other]) + left }
    return Int(before[other]) + withBytes(of: leaf) { Self.scan($0, to: left, in: lane, as: other) }
  }

  /// Converts an offset that lies inside some well-formed UTF-8.
  private static func scan(
    _ bytes: UnsafeBufferPointer<UInt8>, to offset: Int, in lane: Int, as other: Int
  ) -> Int {
    var position = SumTree.Sum.zero
    while true {
      let width = TextMetrics.width(bytes[Int(position[TextMetrics.utf8])])
      let next = position &+ SumTree.Sum(1, UInt32(width), width == 4 ? 2 : 1, 0)
      if Int(next[lane]) > offset { return Int(position[other]) }
      position = next
    }
  }
}
