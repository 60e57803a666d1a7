/// A change for an editor to make: at `position` delete `deleted` scalars, then insert. Patches apply in
/// order, each to the text that the one before it left.
public struct TextPatch: Hashable, Sendable {
  /// Where, in scalars of the text before this patch.
  public var position: Int
  /// How many scalars go.
  public var deleted: Int
  /// What comes, in UTF-8.
  public var inserted: [UInt8]

  /// Describes a change.
  public init(position: Int, deleted: Int, inserted: [UInt8]) {
    self.position = position
    self.deleted = deleted
    self.inserted = inserted
  }

  /// What comes.
  public var insertedText: String { String(decoding: inserted, as: UTF8.self) }
}
