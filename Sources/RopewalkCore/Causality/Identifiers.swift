/// The author of one writing session: a random 64-bit number, drawn anew whenever a replica is opened and
/// first edits.
///
/// Concurrent inserts at one place are ordered by this number (unsigned, smaller first).
public struct ReplicaID: RawRepresentable, Hashable, Comparable, Sendable {
  /// The number itself. Every value is valid.
  public let rawValue: UInt64

  /// Wraps a number. Draw it from a good source of randomness: two sessions must never share one.
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Orders as unsigned numbers.
  @inlinable public static func < (a: ReplicaID, b: ReplicaID) -> Bool { a.rawValue < b.rawValue }
}

/// The name of one event: the replica that authored it and its place (0, 1, 2 …) among that replica's events.
public struct EventID: Hashable, Comparable, Sendable {
  /// The author.
  public let replica: ReplicaID
  /// The place among the author's events, from 0; below 2³¹.
  public let seq: UInt32

  /// Names an event.
  @inlinable public init(replica: ReplicaID, seq: UInt32) {
    self.replica = replica
    self.seq = seq
  }

  /// Orders by replica, then by sequence number.
  @inlinable public static func < (a: EventID, b: EventID) -> Bool {
    a.replica == b.replica ? a.seq < b.seq : a.replica < b.replica
  }
}

/// Consecutive events of one replica.
public struct EventSpan: Hashable, Sendable {
  /// The author of every event in the span.
  public let replica: ReplicaID
  /// The sequence numbers, half open; never empty.
  public let seqs: Range<UInt32>

  /// Names a span. `seqs` must not be empty.
  @inlinable public init(replica: ReplicaID, seqs: Range<UInt32>) {
    precondition(!seqs.isEmpty)
    self.replica = replica
    self.seqs = seqs
  }
}

/// What a document began as. Documents of different lineages never merge.
public struct Lineage: Hashable, Comparable, Sendable {
  /// 0 for a blank document, else the replica id that authored the seed.
  public let rawValue: UInt64

  /// Wraps a number read from a header.
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The lineage of every document that began empty.
  public static let blank = Lineage(rawValue: 0)

  /// Orders as unsigned numbers.
  @inlinable public static func < (a: Lineage, b: Lineage) -> Bool { a.rawValue < b.rawValue }
}
