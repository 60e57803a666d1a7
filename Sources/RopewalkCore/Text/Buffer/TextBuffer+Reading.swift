extension TextBuffer {
  /// The whole text in UTF-8. O(n).
  var utf8: [UInt8] { utf8(in: 0..<scalarCount) }

  /// The UTF-8 of a range of scalars, in bounds. O(log n + length).
  func utf8(in range: Range<Int>) -> [UInt8] {
    guard !range.isEmpty else { return [] }
    let start = offset(of: range.lowerBound, in: TextMetrics.scalars, as: TextMetrics.utf8)
    let end = offset(of: range.upperBound, in: TextMetrics.scalars, as: TextMetrics.utf8)
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

  /// Converts an offset from one unit into another (lanes of `TextMetrics`). An offset inside a scalar
  /// gives the start of that scalar; one at or past the end, the total. O(log n).
  func offset(of offset: Int, in lane: Int, as other: Int) -> Int {
    guard offset > 0 else { return 0 }
    guard offset < Int(total[lane]) else { return Int(total[other]) }
    let (leaf, before) = tree.locate(UInt32(offset), lane: lane)
    let left = offset - Int(before[lane])
    let sum = leafSums[leaf]
    if sum[TextMetrics.scalars] == sum[TextMetrics.utf8] { return Int(before[other]) + left }
    return Int(before[other])
      + withBytes(of: leaf) { bytes in
        var position = SumTree.Sum.zero
        while true {
          let width = TextMetrics.width(bytes[Int(position[TextMetrics.utf8])])
          let next = position &+ SumTree.Sum(1, UInt32(width), width == 4 ? 2 : 1, 0)
          if Int(next[lane]) > left { return Int(position[other]) }
          position = next
        }
      }
  }
}
