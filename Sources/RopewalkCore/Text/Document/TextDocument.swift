/// A text that many replicas edit, each on its own, and merge.
///
/// The text is a function of the set of events that the document knows: replicas that know the same events
/// show the same text, in whatever order and pieces the events came. A document is a value: a copy is
/// independent, and is made when one of the two changes.
///
/// All positions and lengths count Unicode scalars unless a name says otherwise. A document holds fewer
/// than 2³¹ events and less than 1 GiB of text ever inserted.
public struct TextDocument: Sendable {
  var history = TextHistory()
  var buffer = TextBuffer()
  var pending = PendingUpdates()
  var author: UInt32?
  var warmWalker = WarmWalker()

  /// What the document began as.
  public let lineage: Lineage

  /// Who authors the edits made from now on. Must be set before the first edit, to an id that was never
  /// used before (draw a fresh one for each writing session).
  public var replica: ReplicaID? {
    didSet { author = nil }
  }

  /// An empty document that knows no event. For a lineage other than blank, the seed arrives as an update.
  public init(lineage: Lineage = .blank) { self.lineage = lineage }

  // MARK: Reading

  /// Length in Unicode scalars. O(1).
  public var scalarCount: Int { buffer.scalarCount }
  /// Length in bytes of UTF-8. O(log n).
  public var utf8Count: Int { buffer.count(in: TextMetrics.utf8) }
  /// Length in UTF-16 units. O(log n).
  public var utf16Count: Int { buffer.count(in: TextMetrics.utf16) }
  /// Number of events known and merged. O(1).
  public var eventCount: Int { Int(history.graph.count) }

  /// The present text. O(n).
  public var text: String { String(decoding: utf8, as: UTF8.self) }
  /// The present text in UTF-8. O(n).
  public var utf8: [UInt8] { buffer.utf8 }
  /// A part of the present text, by scalar indices in bounds. O(log n + length).
  public func text(in range: Range<Int>) -> String {
    precondition(range.lowerBound >= 0 && range.upperBound <= scalarCount, "range out of bounds")
    return String(decoding: buffer.utf8(in: range), as: UTF8.self)
  }

  /// The UTF-16 offset of a scalar index (0 … scalarCount). O(log n).
  public func utf16Offset(ofScalar index: Int) -> Int {
    buffer.offset(of: index, in: TextMetrics.scalars, as: TextMetrics.utf16)
  }
  /// The UTF-8 offset of a scalar index (0 … scalarCount). O(log n).
  public func utf8Offset(ofScalar index: Int) -> Int {
    buffer.offset(of: index, in: TextMetrics.scalars, as: TextMetrics.utf8)
  }
  /// The scalar index of a UTF-16 offset; one inside a surrogate pair gives that scalar. O(log n).
  public func scalarIndex(ofUTF16 offset: Int) -> Int {
    buffer.offset(of: offset, in: TextMetrics.utf16, as: TextMetrics.scalars)
  }
  /// The scalar index of a UTF-8 offset; one inside a scalar gives that scalar. O(log n).
  public func scalarIndex(ofUTF8 offset: Int) -> Int {
    buffer.offset(of: offset, in: TextMetrics.utf8, as: TextMetrics.scalars)
  }
}
