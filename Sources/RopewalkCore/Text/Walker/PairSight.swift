/// Which scalars of the `PairWalker`'s items the two see, in columns, so that many items are passed over at
/// once.
///
/// Of an item, an author sees the first `known - from` scalars, at most all and at least none.
struct PairSight: ~Copyable {
  /// Of an item that an author always sees, or never.
  static let always: Int32 = -1 << 30
  static let never: Int32 = 1 << 30
  private typealias Block = SIMD8<Int32>

  private(set) var count = 0
  /// Longer than `count` by two blocks, there of length 0.
  private var lengths = FlatBuffer<Int32>()
  /// Per lane.
  private var first = FlatBuffer<Int32>()
  private var second = FlatBuffer<Int32>()

  init() { grow(to: 256) }

  private mutating func grow(to capacity: Int) {
    let size = capacity + 2 * Block.scalarCount
    lengths.grow(to: size, filling: 0)
    first.grow(to: size, filling: 0)
    second.grow(to: size, filling: 0)
  }

  /// Forgets all items.
  mutating func removeAll() {
    lengths.base.update(repeating: 0, count: count)
    count = 0
  }

  @inline(__always)
  private func from(_ lane: UInt8) -> UnsafeMutablePointer<Int32> { lane == 0 ? first.base : second.base }

  /// Puts in an item at `index`.
  @inline(__always)
  mutating func put(length: UInt32, from places: SIMD2<Int32>, at index: Int) {
    if count &+ 2 &* Block.scalarCount >= lengths.count { grow(to: 2 * count) }
    Self.shift(lengths.base, from: index, count: count)
    Self.shift(first.base, from: index, count: count)
    Self.shift(second.base, from: index, count: count)
    lengths[index] = Int32(truncatingIfNeeded: length)
    first[index] = places.x
    second[index] = places.y
    count &+= 1
  }

  /// Moves the elements from `index` on up by one, and a few of no meaning behind them.
  @inline(__always)
  private static func shift(_ base: UnsafeMutablePointer<Int32>, from index: Int, count: Int) {
    var block = index &+ ((count &- index) & ~(Block.scalarCount &- 1))
    while block >= index {
      let moved = UnsafeRawPointer(base + block).loadUnaligned(as: Block.self)
      UnsafeMutableRawPointer(base + block + 1).storeBytes(of: moved, as: Block.self)
      block &-= Block.scalarCount
    }
  }

  /// Cuts an item in two.
  @inline(__always)
  mutating func split(_ index: Int, at offset: UInt32) {
    let length = lengths[index]
    let left = Int32(truncatingIfNeeded: offset)
    put(length: offset, from: SIMD2(first[index], second[index]), at: index)
    lengths[index &+ 1] = length &- left
    first[index &+ 1] = Self.advanced(first[index], by: left)
    second[index &+ 1] = Self.advanced(second[index], by: left)
  }

  @inline(__always)
  private static func advanced(_ from: Int32, by offset: Int32) -> Int32 {
    from == always || from == never ? from : from &+ offset
  }

  /// Makes an item longer.
  @inline(__always)
  func lengthen(_ index: Int, by length: UInt32) { lengths[index] &+= Int32(truncatingIfNeeded: length) }

  /// Hides an item from an author.
  @inline(__always)
  func hide(_ index: Int, from lane: UInt8) { from(lane)[index] = Self.never }

  /// Where a scalar stands.
  struct Spot {
    var index: Int
    /// Of the item's visible scalars, which are its first ones, the number up to this one.
    var offset: UInt32
    /// How many of the item are visible.
    var seen: UInt32
  }

  /// Finds the `number`-th (from 1) of the scalars that an author sees from item `first` on. `index` is the
  /// number of items if there are fewer.
  @inline(__always)
  func find(_ number: UInt32, from first: Int, seenBy eye: Eye) -> Spot {
    Self.find(
      Int32(truncatingIfNeeded: number), from: first, to: count, lengths: lengths.base, from: from(eye.lane),
      known: eye.known)
  }

  @inline(never)
  private static func find(
    _ number: Int32, from first: Int, to count: Int, lengths: UnsafePointer<Int32>,
    from: UnsafePointer<Int32>, known: Int32
  ) -> Spot {
    var number = number
    var index = first
    let (allKnown, zero) = (Block(repeating: known), Block.zero)
    while index < count {
      let known = allKnown &- UnsafeRawPointer(from + index).loadUnaligned(as: Block.self)
      let length = UnsafeRawPointer(lengths + index).loadUnaligned(as: Block.self)
      let shown = length.replacing(with: known, where: known .< length)
      let sum = shown.replacing(with: zero, where: shown .< zero).wrappedSum()
      if sum >= number { break }
      number &-= sum
      index &+= Block.scalarCount
    }
    while index < count {
      let seen = max(0, min(lengths[index], known &- from[index]))
      if seen >= number {
        return Spot(
          index: index, offset: UInt32(truncatingIfNeeded: number), seen: UInt32(truncatingIfNeeded: seen))
      }
      number &-= seen
      index &+= 1
    }
    return Spot(index: count, offset: 0, seen: 0)
  }
}
