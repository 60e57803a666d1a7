import RopewalkCore

/// A document inside `ReplicaDocument.edit`: what an edit reads and changes.
///
/// Nothing here ends the process: an index or range outside the text throws `ReplicaError.outOfBounds`, and
/// that call has changed nothing. Positions and lengths count Unicode scalars unless a name says otherwise.
public struct TextEdit: ~Copyable {
  /// The document as it is by now. Its own functions require indices in bounds.
  package private(set) var document = TextDocument()
  /// What was done so far; left empty if nobody watches.
  private(set) var patches: [TextPatch] = []
  private let isWatched: Bool
  /// The transaction that this belongs to.
  private let transaction: ObjectIdentifier

  /// Takes a document out of its place, where an empty one is left, so that it is not copied.
  init(of source: inout TextDocument, in transaction: Transaction, isWatched: Bool) {
    self.isWatched = isWatched
    self.transaction = ObjectIdentifier(transaction)
    swap(&document, &source)
  }

  /// Puts the document back. Throws `invalidEdit` if this is the edit of another call: two that are open at
  /// once, of two replicas, can be swapped.
  consuming func finish(
    into target: inout TextDocument, in transaction: Transaction
  ) throws(ReplicaError) -> [TextPatch] {
    guard self.transaction == ObjectIdentifier(transaction) else { throw .invalidEdit }
    swap(&document, &target)
    return patches
  }

  // MARK: Reading

  /// Length in Unicode scalars. O(1).
  public var scalarCount: Int { document.scalarCount }
  /// Length in bytes of UTF-8. O(log n).
  public var utf8Count: Int { document.utf8Count }
  /// Length in UTF-16 units. O(log n).
  public var utf16Count: Int { document.utf16Count }
  /// The text. O(n).
  public var text: String { document.text }
  /// What is known of the document's history. O(number of replicas).
  public var versionVector: VersionVector { document.versionVector }

  /// A part of the text. O(log n + length). Throws `outOfBounds`.
  public func text(in range: Range<Int>) throws(ReplicaError) -> String {
    try check(range)
    return document.text(in: range)
  }

  /// The UTF-16 offset of a scalar index (0 … scalarCount). O(log n). Throws `outOfBounds`.
  public func utf16Offset(ofScalar index: Int) throws(ReplicaError) -> Int {
    try check(index..<index)
    return document.utf16Offset(ofScalar: index)
  }

  /// The scalar index of a UTF-16 offset (0 … utf16Count); one inside a surrogate pair gives that scalar.
  /// O(log n). Throws `outOfBounds`.
  public func scalarIndex(ofUTF16 offset: Int) throws(ReplicaError) -> Int {
    guard offset >= 0, offset <= utf16Count else { throw .outOfBounds(scalarCount: scalarCount) }
    return document.scalarIndex(ofUTF16: offset)
  }

  // MARK: Editing

  /// Inserts before scalar `index` (0 … scalarCount). O(log n + length).
  ///
  /// Throws `outOfBounds`, or `tooLarge` if the document would exceed its limits.
  public mutating func insert(_ text: String, at index: Int) throws(ReplicaError) {
    try replace(index..<index, with: text)
  }

  /// Inserts at the end. O(log n + length). Throws `tooLarge`.
  public mutating func append(_ text: String) throws(ReplicaError) { try insert(text, at: scalarCount) }

  /// Deletes scalars. O(log n + length). Throws `outOfBounds`, or `tooLarge`: deletions are events too.
  public mutating func delete(_ range: Range<Int>) throws(ReplicaError) { try replace(range, with: "") }

  /// Deletes scalars and inserts in their place. O(log n + length). Throws `outOfBounds` or `tooLarge`.
  public mutating func replace(_ range: Range<Int>, with text: String) throws(ReplicaError) {
    try check(range)
    let bytes = text.utf8.count
    guard document.hasRoom(forEvents: bytes + range.count, utf8Bytes: bytes) else { throw .tooLarge }
    if range.isEmpty && bytes == 0 { return }
    document.replace(range, with: text)
    guard isWatched else { return }
    patches.append(
      TextPatch(position: range.lowerBound, deleted: range.count, inserted: Array(text.utf8)))
  }

  /// Merges an update that was made elsewhere, and returns what it does to the text. Its events are pushed to
  /// the relay as own ones are. If it throws, the document is as it was.
  @discardableResult
  public mutating func apply(_ update: Update) throws(ApplyError) -> [TextPatch] {
    let new = try document.apply(update)
    if isWatched { patches += new }
    return new
  }

  private func check(_ range: Range<Int>) throws(ReplicaError) {
    guard range.lowerBound >= 0, range.upperBound <= document.scalarCount else {
      throw .outOfBounds(scalarCount: document.scalarCount)
    }
  }
}
