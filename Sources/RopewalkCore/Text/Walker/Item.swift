/// A run of neighbouring scalars in the walker's sequence that share one state.
///
/// A scalar that an event of the walked part inserted is named by its offset in the log's content (run
/// start plus index in the run); one that was there before, by its index in the base text, with `baseFlag`
/// set.
struct Item {
  static let baseFlag: UInt32 = 1 << 31
  static let none = UInt32.max
  /// Where `state` stands in an item, in bytes.
  static let stateOffset = 16

  /// Name of the first scalar; the others follow it.
  var id: UInt32
  var length: UInt32
  /// The scalar left of the first when it was inserted. Each further scalar's is the one before it.
  var originLeft: UInt32
  /// The next scalar that the author knew, if it had the same left origin, else `none` (the end). Of the
  /// first scalar only: the further ones have the end.
  var rightParent: UInt32
  /// Per view: 0 not inserted yet, 1 visible, more: deleted that many times less one.
  var state: SIMD4<UInt32>

  /// What the item adds to each view's length.
  @inline(__always) var seen: SumTree.Sum {
    SumTree.Sum(repeating: length).replacing(with: 0, where: state .!= 1)
  }
}

/// The views, which are lanes of `Item.state` and of the tree's sums.
enum View {
  /// Everything walked so far: where patches go.
  static let present = 0
  /// The base text, all of it always visible: finds base scalars by index.
  static let base = 1
  /// The versions in which authors saw the text, moved through the graph.
  static let first = 2
  static let count = 2
}
