// The public surface of the core, as signatures; being filled in.

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
