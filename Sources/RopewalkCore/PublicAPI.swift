// The public surface of the core, as signatures; being filled in.

/// Why bytes could not be read, and where.
public struct FormatError: Error, Hashable, Sendable {
  public enum Code: UInt8, Sendable {
    case truncated, badMagic, unsupportedVersion, badChecksum, badValue, overLimit, trailingBytes
  }
  public let code: Code
  /// Byte offset in the input at which the fault was seen.
  public let offset: Int
  /// What was being read: a name of a field of the format, never content.
  public let field: StaticString
  public init(_ code: Code, at offset: Int, field: StaticString) {
    self.code = code; self.offset = offset; self.field = field
  }
  public static func == (a: FormatError, b: FormatError) -> Bool { a.code == b.code && a.offset == b.offset }
  public func hash(into hasher: inout Hasher) { hasher.combine(code.rawValue); hasher.combine(offset) }
}

/// Why an update could not be applied. The document is unchanged.
public enum ApplyError: Error, Hashable, Sendable {
  case malformed(FormatError)
  /// The update is of another lineage.
  case lineageMismatch(expected: Lineage, found: Lineage)
  /// The document knows this event with other content.
  case idClash(EventID)
  /// The document would exceed 2³¹ - 1 events.
  case tooLarge
}

/// Limits for decoders.
public struct DecodingBudget: Sendable {
  public var maximumBytes: Int
  public static let standard = DecodingBudget(maximumBytes: 1 << 28)
  public init(maximumBytes: Int) { self.maximumBytes = maximumBytes }
}

/// Cursor over bytes. LEB128 varints, little-endian fixed fields. All reads throw `.truncated` at the end.
public struct ByteReader {
  public init(_ bytes: ArraySlice<UInt8>) { fatalError() }
  public init(_ bytes: [UInt8]) { fatalError() }
  public var offset: Int { fatalError() }
  public var remaining: Int { fatalError() }
  public mutating func byte(_ field: StaticString) throws(FormatError) -> UInt8 { fatalError() }
  public mutating func varint(_ field: StaticString) throws(FormatError) -> UInt64 { fatalError() }
  public mutating func varint32(_ field: StaticString) throws(FormatError) -> UInt32 { fatalError() }
  public mutating func fixed32(_ field: StaticString) throws(FormatError) -> UInt32 { fatalError() }
  public mutating func fixed64(_ field: StaticString) throws(FormatError) -> UInt64 { fatalError() }
  public mutating func bytes(_ count: Int, _ field: StaticString) throws(FormatError) -> ArraySlice<UInt8> { fatalError() }
  /// A varint count, then that many bytes.
  public mutating func block(_ field: StaticString) throws(FormatError) -> ArraySlice<UInt8> { fatalError() }
  public func expectEnd() throws(FormatError) { fatalError() }
}

/// Builds bytes in the same formats.
public struct ByteWriter {
  public init() { fatalError() }
  public private(set) var bytes: [UInt8] { get { fatalError() } set { fatalError() } }
  public mutating func byte(_ value: UInt8) { fatalError() }
  public mutating func varint(_ value: UInt64) { fatalError() }
  public mutating func varint32(_ value: UInt32) { fatalError() }
  public mutating func fixed32(_ value: UInt32) { fatalError() }
  public mutating func fixed64(_ value: UInt64) { fatalError() }
  public mutating func append(_ bytes: some Collection<UInt8>) { fatalError() }
  public mutating func block(_ bytes: some Collection<UInt8>) { fatalError() }
}

/// CRC-32C (Castagnoli).
public func crc32c(_ bytes: some Collection<UInt8>) -> UInt32 { fatalError() }

/// SHA-256, incremental.
public struct SHA256: Sendable {
  public init() { fatalError() }
  public mutating func update(_ bytes: some Collection<UInt8>) { fatalError() }
  /// 32 bytes.
  public consuming func finalize() -> [UInt8] { fatalError() }
}

/// Events as bytes: self-contained, versioned, checksummed. An update of one span is canonical: the same
/// events always give the same bytes.
public struct Update: Hashable, Sendable {
  public var bytes: [UInt8] { fatalError() }
  /// Checks magic, version, checksum and header (not the columns: `TextDocument.apply` does).
  public init(bytes: [UInt8], budget: DecodingBudget = .standard) throws(FormatError) { fatalError() }
  public var lineage: Lineage { fatalError() }
  /// The events inside, per replica merged and ascending; empty for an empty update.
  public var spans: [EventSpan] { fatalError() }
  public var isEmpty: Bool { fatalError() }
}

/// A moment: the heads of the graph, ascending.
public struct Version: Hashable, Sendable {
  public var heads: [EventID] { fatalError() }
  /// The empty document's version.
  public init() { fatalError() }
  public init(heads: [EventID]) { fatalError() }
  public var encoded: [UInt8] { fatalError() }
  public init(encoded: [UInt8]) throws(FormatError) { fatalError() }
}

/// How many events of each replica are known (always a prefix of that replica's sequence).
public struct VersionVector: Hashable, Sendable {
  public init() { fatalError() }
  /// Ascending by replica; counts are above 0.
  public var entries: [(replica: ReplicaID, count: UInt32)] { fatalError() }
  public subscript(replica: ReplicaID) -> UInt32 { get { fatalError() } set { fatalError() } }
  public var encoded: [UInt8] { fatalError() }
  public init(encoded: [UInt8]) throws(FormatError) { fatalError() }
}

/// A change for an editor: at `position` delete `deleted` scalars, then insert. Patches apply in order.
public struct TextPatch: Hashable, Sendable {
  public var position: Int
  public var deleted: Int
  /// UTF-8.
  public var inserted: [UInt8]
  public var insertedText: String { fatalError() }
  public init(position: Int, deleted: Int, inserted: [UInt8]) { fatalError() }
}

/// A text that many replicas edit. A value: a copy is an independent document (copied on write).
public struct TextDocument: Sendable {
  /// An empty document that has seen nothing. For a seeded lineage the seed arrives as updates.
  public init(lineage: Lineage = .blank) { fatalError() }
  /// A document that starts as `seed`. The same seed gives the same events everywhere.
  /// The empty seed gives a blank document.
  public init(seed: String) { fatalError() }
  /// The lineage that `TextDocument(seed:)` gives this text.
  public static func lineage(ofSeed seed: String) -> Lineage { fatalError() }
  /// Opens without replay.
  public init(snapshot: [UInt8], budget: DecodingBudget = .standard) throws(FormatError) { fatalError() }
  public func snapshot() -> [UInt8] { fatalError() }

  public var lineage: Lineage { fatalError() }
  /// Who authors the edits made from now on. Must be set before the first edit, to an id never used before.
  public var replica: ReplicaID? { get { fatalError() } set { fatalError() } }

  public var scalarCount: Int { fatalError() }
  public var utf8Count: Int { fatalError() }
  public var utf16Count: Int { fatalError() }
  public var eventCount: Int { fatalError() }
  public var text: String { fatalError() }
  public var utf8: [UInt8] { fatalError() }
  public func text(in range: Range<Int>) -> String { fatalError() }

  public func utf16Offset(ofScalar index: Int) -> Int { fatalError() }
  public func utf8Offset(ofScalar index: Int) -> Int { fatalError() }
  public func scalarIndex(ofUTF16 offset: Int) -> Int { fatalError() }
  public func scalarIndex(ofUTF8 offset: Int) -> Int { fatalError() }

  // Local edits: scalar indices into the present text; out of bounds is a caller's bug (precondition).
  public mutating func insert(_ text: String, at index: Int) { fatalError() }
  public mutating func delete(_ range: Range<Int>) { fatalError() }
  public mutating func replace(_ range: Range<Int>, with text: String) { fatalError() }

  public var version: Version { fatalError() }
  public var versionVector: VersionVector { fatalError() }
  /// Events that a holder of `known` lacks, in one update.
  public func update(since known: VersionVector) -> Update { fatalError() }
  /// The same, cut by replica and size: every update holds one span (canonical) and, unless a single event is
  /// larger, at most `maximumBytes`. This is what is pushed to a relay.
  public func updates(since known: VersionVector, maximumBytes: Int) -> [Update] { fatalError() }
  /// The canonical update of one span; nil if not all of it is known.
  public func update(of span: EventSpan) -> Update? { fatalError() }

  /// Merges. Events whose parents are missing wait inside the document (snapshots keep them).
  public mutating func apply(_ update: Update) throws(ApplyError) -> [TextPatch] { fatalError() }
  /// Number of events that wait, and what they wait for.
  public var pendingEventCount: Int { fatalError() }
  public var missingEvents: [EventID] { fatalError() }

  /// The text at a moment; nil if it names events that are not known.
  public func text(at version: Version) -> String? { fatalError() }

  /// The same document with the events of `replica` from `seq` on given to `newID` (an id clash's way out:
  /// only events that nobody else can have may be re-authored).
  public func reauthoring(_ replica: ReplicaID, from seq: UInt32, as newID: ReplicaID) -> TextDocument { fatalError() }
}
