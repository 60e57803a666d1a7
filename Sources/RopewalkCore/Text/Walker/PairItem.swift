/// A run of neighbouring scalars that were inserted and deleted alike, in the `PairWalker`'s sequence.
/// Scalars are named as in `Item`.
struct PairItem {
  /// The lane of what was there before.
  static let baseLane: UInt8 = 2

  var id: UInt32
  var length: UInt32
  /// As in `Item`.
  var originLeft = Item.none
  var rightParent = Item.none
  /// The event that inserted the first scalar, counted from the first of the walk; the others follow.
  var event: Int32
  /// Who inserted it, and whether somebody deleted it; in one number, so that items are moved in few steps.
  private var state: UInt32
  private static let deletedFlag: UInt32 = 1 << 8

  init(id: UInt32, length: UInt32, event: Int32, by lane: UInt8) {
    (self.id, self.length, self.event, state) = (id, length, event, UInt32(lane))
  }

  @inline(__always) var lane: UInt8 { UInt8(truncatingIfNeeded: state) }

  @inline(__always) var isDeleted: Bool {
    get { state & Self.deletedFlag != 0 }
    set { state = newValue ? state | Self.deletedFlag : state & ~Self.deletedFlag }
  }

  /// The text that was there before.
  init(baseOfLength length: UInt32) {
    self.init(id: Item.baseFlag, length: length, event: 0, by: Self.baseLane)
  }

  /// Takes the scalars from `offset` on off, as an item of their own.
  @inline(__always)
  mutating func cut(at offset: UInt32) -> PairItem {
    var rest = self
    rest.id &+= offset
    rest.length &-= offset
    rest.originLeft = rest.id &- 1
    rest.rightParent = Item.none
    rest.event &+= Int32(truncatingIfNeeded: offset)
    length = offset
    return rest
  }

  /// Whether an author knows the first scalar, deleted or not.
  @inline(__always)
  func exists(for eye: Eye) -> Bool { lane != 1 &- eye.lane || event < eye.known }
}
