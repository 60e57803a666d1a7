/// The present text: UTF-8 in small leaves under a `SumTree` that counts scalars, bytes and UTF-16 units.
///
/// All leaves stand in one slab of bytes, `leafCapacity` each, so a copy of the buffer is one copy of the
/// slab. Every edit and every conversion of an index is O(log n). The latest edit may still be a `Draft`
/// beside the leaves.
struct TextBuffer: Sendable {
  #if DEBUG
    static let leafCapacity = 16
  #else
    static let leafCapacity = 512
  #endif

  var tree = SumTree()
  private(set) var slab = [UInt8](repeating: 0, count: leafCapacity)
  private(set) var leafSums: [SumTree.Sum] = [.zero]

  /// An edit that is not in the leaves yet.
  var draft = Draft()

  /// Where the leaves were edited last.
  var finger = Finger()

  init() {}

  /// A buffer of well-formed UTF-8. O(n).
  init(utf8: UnsafeBufferPointer<UInt8>) {
    insert(utf8, at: 0)
    liftFinger()
  }

  // MARK: Editing (of the leaves: only while there is no draft, and with `liftFinger` at the end)

  /// Puts well-formed UTF-8 before scalar `index` (0 … scalarCount).
  mutating func insert(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) {
    if bytes.count > Self.leafCapacity {
      // It is measured in pieces.
      let (leaf, offset) = place(before: index)
      insertOverflowing(bytes, into: leaf, at: offset)
    } else {
      insert(bytes, measuring: TextMetrics.measure(bytes), at: index)
    }
  }

  /// The same for text whose lengths are known.
  mutating func insert(_ bytes: UnsafeBufferPointer<UInt8>, measuring sum: SumTree.Sum, at index: Int) {
    guard !bytes.isEmpty else { return }
    let (leaf, offset) = place(before: index)
    if Int(leafSums[leaf][TextMetrics.utf8]) + bytes.count <= Self.leafCapacity {
      splice(bytes, measuring: sum, into: leaf, at: offset)
    } else {
      insertOverflowing(bytes, into: leaf, at: offset)
    }
  }

  /// Takes `count` scalars out from scalar `index` on; both in bounds.
  mutating func delete(_ count: Int, at index: Int) {
    var left = count
    while left > 0 {
      reach(index)
      let leaf = finger.leaf
      let start = index - finger.start
      let taken = min(left, Int(leafSums[leaf][TextMetrics.scalars]) - start)
      left -= taken
      let from = byteOffset(ofScalar: start, in: leaf)
      let used = Int(leafSums[leaf][TextMetrics.utf8])
      let isAscii = leafSums[leaf][TextMetrics.scalars] == leafSums[leaf][TextMetrics.utf8]
      let base = leaf * Self.leafCapacity
      let removed: SumTree.Sum = slab.withUnsafeMutableBufferPointer { slab in
        let tail = UnsafeBufferPointer(rebasing: slab[base + from..<base + used])
        let bytes = isAscii ? taken : TextMetrics.byteOffset(ofScalar: taken, in: tail)
        let sum =
          isAscii
          ? SumTree.Sum(UInt32(taken), UInt32(taken), UInt32(taken), 0)
          : TextMetrics.measure(UnsafeBufferPointer(rebasing: tail[..<bytes]))
        if let memory = slab.baseAddress {
          (memory + base + from).update(from: memory + base + from + bytes, count: used - from - bytes)
        }
        return sum
      }
      change(leaf, by: .zero &- removed)
      tidy(leaf)
    }
  }

  /// The leaf and byte offset in it where text for scalar `index` goes: at the end of the leaf that holds
  /// the scalar before.
  @inline(__always)
  private mutating func place(before index: Int) -> (leaf: Int, offset: Int) {
    reach(max(0, index - 1))
    return (finger.leaf, byteOffset(ofScalar: index - finger.start, in: finger.leaf))
  }

  @inline(__always)
  private mutating func change(_ leaf: Int, by difference: SumTree.Sum) {
    leafSums[leaf] &+= difference
    tree.addToTotal(difference)
    if leaf == finger.leaf, finger.start != Finger.nowhere {
      finger.unsummed &+= difference
    } else {
      tree.addToNodes(difference, above: leaf)
    }
  }

  /// Puts bytes into a leaf that has room for them.
  private mutating func splice(
    _ bytes: UnsafeBufferPointer<UInt8>, measuring sum: SumTree.Sum, into leaf: Int, at offset: Int
  ) {
    let used = Int(leafSums[leaf][TextMetrics.utf8])
    slab.withUnsafeMutableBufferPointer { slab in
      guard let memory = slab.baseAddress, let source = bytes.baseAddress else { return }
      let place = memory + leaf * Self.leafCapacity + offset
      (place + bytes.count).update(from: place, count: used - offset)
      place.update(from: source, count: bytes.count)
    }
    change(leaf, by: sum)
  }

  /// Makes room by cutting the leaf at `offset` and laying the text out in new leaves between the halves.
  private mutating func insertOverflowing(
    _ bytes: UnsafeBufferPointer<UInt8>, into leaf: Int, at offset: Int
  ) {
    dropFinger()
    let capacity = Self.leafCapacity
    if bytes.count <= capacity / 4 {
      // A short text: halve the leaf, then one of the halves has room.
      let middle = boundary(in: leaf, before: capacity / 2)
      let upper = split(leaf, at: middle)
      let sum = TextMetrics.measure(bytes)
      if offset <= middle {
        splice(bytes, measuring: sum, into: leaf, at: offset)
      } else {
        splice(bytes, measuring: sum, into: upper, at: offset - middle)
      }
      return
    }
    var last = leaf
    if offset < Int(leafSums[leaf][TextMetrics.utf8]) { _ = split(leaf, at: offset) }
    var rest = bytes
    while !rest.isEmpty {
      let used = Int(leafSums[last][TextMetrics.utf8])
      var size = min(rest.count, capacity - capacity / 8 - used)
      while size > 0, size < rest.count, rest[size] & 0xc0 == 0x80 { size -= 1 }
      if size <= 0 {
        last = appendLeaf(after: last)
        continue
      }
      let piece = UnsafeBufferPointer(rebasing: rest[..<size])
      splice(piece, measuring: TextMetrics.measure(piece), into: last, at: used)
      rest = UnsafeBufferPointer(rebasing: rest[size...])
    }
    tidy(last)
  }

  /// The last scalar boundary at or before `offset` in a leaf.
  private func boundary(in leaf: Int, before offset: Int) -> Int {
    let base = leaf * Self.leafCapacity
    var place = offset
    while place > 0, slab[base + place] & 0xc0 == 0x80 { place -= 1 }
    return place
  }

  private mutating func appendLeaf(after leaf: Int, taking sum: SumTree.Sum = .zero) -> Int {
    let new = tree.insertLeaf(after: leaf, taking: sum)
    if new == leafSums.count {
      leafSums.append(sum)
      slab.append(contentsOf: repeatElement(0, count: Self.leafCapacity))
    } else {
      leafSums[new] = sum
    }
    return new
  }

  /// Moves what stands from byte `offset` on into a new leaf, and returns that.
  private mutating func split(_ leaf: Int, at offset: Int) -> Int {
    let used = Int(leafSums[leaf][TextMetrics.utf8])
    let base = leaf * Self.leafCapacity
    let moved = slab.withUnsafeBufferPointer {
      TextMetrics.measure(UnsafeBufferPointer(rebasing: $0[base + offset..<base + used]))
    }
    let new = appendLeaf(after: leaf, taking: moved)
    leafSums[leaf] &-= moved
    slab.withUnsafeMutableBufferPointer { slab in
      guard let memory = slab.baseAddress else { return }
      (memory + new * Self.leafCapacity).update(from: memory + base + offset, count: used - offset)
    }
    return new
  }

  /// Keeps leaves from getting thin: an empty one goes, a thin one takes in the next if both fit.
  @inline(__always)
  private mutating func tidy(_ leaf: Int) {
    if Int(leafSums[leaf][TextMetrics.utf8]) < Self.leafCapacity / 4 { merge(leaf) }
  }

  private mutating func merge(_ leaf: Int) {
    dropFinger()
    let used = Int(leafSums[leaf][TextMetrics.utf8])
    if used == 0 {
      tree.removeLeaf(leaf)
    } else if let next = tree.next(leaf) {
      let sum = leafSums[next]
      let bytes = Int(sum[TextMetrics.utf8])
      guard used + bytes <= Self.leafCapacity * 3 / 4 else { return }
      slab.withUnsafeMutableBufferPointer { slab in
        guard let memory = slab.baseAddress else { return }
        (memory + leaf * Self.leafCapacity + used).update(
          from: memory + next * Self.leafCapacity, count: bytes)
      }
      change(next, by: .zero &- sum)
      change(leaf, by: sum)
      tree.removeLeaf(next)
    }
  }

  /// The byte offset of scalar `index` of a leaf; `index` may be the leaf's number of scalars.
  @inline(__always)
  func byteOffset(ofScalar index: Int, in leaf: Int) -> Int {
    let sum = leafSums[leaf]
    if sum[TextMetrics.scalars] == sum[TextMetrics.utf8] { return index }
    return withBytes(of: leaf) { TextMetrics.byteOffset(ofScalar: index, in: $0) }
  }

  @inline(__always)
  func withBytes<Result>(of leaf: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    let base = leaf * Self.leafCapacity
    return slab.withUnsafeBufferPointer {
      body(UnsafeBufferPointer(rebasing: $0[base..<base + Int(leafSums[leaf][TextMetrics.utf8])]))
    }
  }
}
