import RopewalkCore

/// One span of a checkpoint: all that the log held, up to the checkpoint's cursor, of a replica and a
/// document between two holes or multiples of `Checkpoint.eventsPerPart`.
public struct CheckpointPart: Hashable, Sendable {
  /// The events.
  public let header: EntryHeader
  /// Their canonical update.
  public let payload: [UInt8]

  /// Makes a part.
  public init(header: EntryHeader, payload: [UInt8]) {
    self.header = header
    self.payload = payload
  }
}

/// A checkpoint: the whole history that a log holds up to a cursor, cut anew. Since a span's bytes are
/// canonical, everybody who has read the log up to there makes the same parts, and a digest tells whether
/// two have.
public enum Checkpoint {
  /// Parts end at multiples of this many events, so that they are never too large to be sent.
  public static let eventsPerPart: UInt32 = 1 << 15

  /// The digest of parts in their order: that of a log which holds just them.
  public static func digest(of parts: [CheckpointPart], after previous: LogDigest = .zero) -> LogDigest {
    parts.reduce(previous) { digest, part in
      digest.extended(by: part.header, payloadHash: PayloadHash(of: part.payload))
    }
  }

  /// Cuts a range of sequence numbers as parts are cut.
  public static func cuts(of seqs: Range<UInt32>) -> [Range<UInt32>] {
    var cuts: [Range<UInt32>] = []
    var start = seqs.lowerBound
    while start < seqs.upperBound {
      let end = min(seqs.upperBound, (start / eventsPerPart + 1) * eventsPerPart)
      cuts.append(start..<end)
      start = end
    }
    return cuts
  }
}

/// What a relay may forget of a room's log. It never forgets what no confirmed checkpoint holds.
public enum Retention: Hashable, Sendable {
  /// Nothing.
  case everything
  /// What a confirmed checkpoint holds and is older than this many days.
  case days(UInt32)

  /// How it is written: 0 for everything, else the days and one.
  public var wireValue: UInt64 {
    switch self {
    case .everything: 0
    case .days(let days): UInt64(days) + 1
    }
  }

  /// Reads what was written; nil if it is too large.
  public init?(wireValue: UInt64) {
    guard wireValue <= 1 << 20 else { return nil }
    self = wireValue == 0 ? .everything : .days(UInt32(wireValue - 1))
  }
}

/// Where a room's log stands.
public struct LogState: Hashable, Sendable {
  /// The last entry.
  public var head: LogHead
  /// The first entry that is not forgotten.
  public var oldest: UInt64
  /// The newest confirmed checkpoint: its cursor, and the log's digest there.
  public var checkpoint: LogHead?
  /// What may be forgotten.
  public var retention: Retention

  /// Describes a log.
  public init(
    head: LogHead, oldest: UInt64 = 1, checkpoint: LogHead? = nil, retention: Retention = .everything
  ) {
    self.head = head
    self.oldest = oldest
    self.checkpoint = checkpoint
    self.retention = retention
  }
}

/// Something that happens to a log besides new entries, in the order in which it is asked for.
public enum LogChange: Hashable, Sendable {
  /// Parts of the checkpoint that is being uploaded, from a number on; number 0 throws away what another
  /// upload left.
  case storeParts(cursor: UInt64, first: UInt64, [CheckpointPart])
  /// The uploaded checkpoint is confirmed: it replaces the one before.
  case confirmCheckpoint(LogHead)
  /// The uploaded checkpoint is of no use.
  case dropCheckpoint
  /// Another rule.
  case setRetention(Retention)
  /// Forget what the confirmed checkpoint holds and is older than this, milliseconds since 1970.
  case forget(before: UInt64)
}

/// Parts of a confirmed checkpoint, with the relay's word on who pushed their last events and when.
public struct CheckpointBatch: Hashable, Sendable {
  /// The checkpoint's cursor, and the log's digest there.
  public let head: LogHead
  /// The first part's number, from 0.
  public let first: UInt64
  /// The parts; their cursor is the checkpoint's.
  public let parts: [LogEntry]
  /// No part follows.
  public let isLast: Bool

  /// Describes parts.
  public init(head: LogHead, first: UInt64, parts: [LogEntry], isLast: Bool) {
    self.head = head
    self.first = first
    self.parts = parts
    self.isLast = isLast
  }
}
