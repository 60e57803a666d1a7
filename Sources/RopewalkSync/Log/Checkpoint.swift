import RopewalkCore

/// One piece of a checkpoint: a stretch of a replica's events, cut anew, or an entry as the log holds it.
public struct CheckpointPart: Hashable, Sendable {
  /// Of a part that was cut anew, the cursor of its document's first entry; of a carried one, its own.
  public let cursor: UInt64
  /// What it is.
  public let kind: Kind
  /// Of the last part of a replica id in its document, if that id is a tip of its subject at the checkpoint: the cursor
  /// of the entry that holds the id's last event. 0 in all others.
  public let tip: UInt64
  /// The events.
  public let header: EntryHeader
  /// Their canonical update; of a carried entry whatever its payload is.
  public let payload: [UInt8]

  /// What a part is.
  public enum Kind: UInt8, Hashable, Sendable, CaseIterable {
    /// Events that can be merged, cut anew.
    case plain = 0
    /// An entry as it is, since nobody who has read the log up to the checkpoint can merge it.
    case carried = 1
    /// An entry as it is that nobody ever merges: its subject writes on too many branches at once.
    case inExcess = 2
  }

  /// Whether it is an entry as the log holds it.
  public var isCarried: Bool { kind != .plain }

  /// Makes a part. A carried one has no `tip`.
  public init(cursor: UInt64, kind: Kind = .plain, tip: UInt64 = 0, header: EntryHeader, payload: [UInt8]) {
    self.cursor = cursor
    self.kind = kind
    self.tip = kind == .plain ? tip : 0
    self.header = header
    self.payload = payload
  }

  /// About how many bytes the part takes in a message: never less than it does.
  public var encodedSizeBound: Int { payload.count + header.document.name.utf8.count + 96 }

  func write(to writer: inout ByteWriter) {
    writer.varint(cursor)
    writer.byte(kind.rawValue)
    if kind == .plain { writer.varint(tip) }
    header.write(to: &writer)
    writer.block(payload)
  }

  /// Reads a part of a checkpoint that holds the log up to a cursor.
  init(through last: UInt64, from reader: inout ByteReader) throws(FormatError) {
    let place = reader.offset
    cursor = try reader.varint("part's cursor")
    guard cursor > 0, cursor <= last else { throw FormatError(.badValue, at: place, field: "part's cursor") }
    let kindPlace = reader.offset
    guard let kind = Kind(rawValue: try reader.byte("part's kind")) else {
      throw FormatError(.badValue, at: kindPlace, field: "part's kind")
    }
    self.kind = kind
    let tipPlace = reader.offset
    tip = kind == .plain ? try reader.varint("tip") : 0
    guard tip <= last else { throw FormatError(.badValue, at: tipPlace, field: "tip") }
    header = try EntryHeader(from: &reader)
    payload = Array(try reader.block("payload"))
  }
}

/// A part with the relay's word on who wrote it.
public struct AttributedPart: Hashable, Sendable {
  /// The part.
  public let part: CheckpointPart
  /// Whose replica id it is, by the relay's word, UTF-8; empty if that is not known.
  public let subject: [UInt8]
  /// When the relay took in the newest entry in it, milliseconds since 1970 by the relay's clock; 0 if that is not known.
  public let time: UInt64

  /// Attributes a part.
  public init(part: CheckpointPart, subject: [UInt8], time: UInt64) {
    self.part = part
    self.subject = subject
    self.time = time
  }

  /// As an entry: a carried one is just that.
  public var entry: LogEntry {
    LogEntry(cursor: part.cursor, subject: subject, time: time, header: part.header, payload: part.payload)
  }
}

/// A checkpoint: the whole history that a log holds up to a cursor, cut anew. Since a span's bytes are
/// canonical, everybody who has read the log up to there makes the same parts, and a digest tells whether
/// two have.
public enum Checkpoint {
  /// Parts end at multiples of this many events, so that they are never too large to be sent.
  public static let eventsPerPart: UInt32 = 1 << 15

  /// The digest of parts in their order.
  public static func digest(of parts: [CheckpointPart], after previous: LogDigest = .zero) -> LogDigest {
    parts.reduce(previous) { $0.extended(by: $1) }
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

/// What a relay may forget of a room's log. It never forgets what no checkpoint in use holds.
public enum Retention: Hashable, Sendable {
  /// Nothing.
  case everything
  /// What a checkpoint in use holds and is older than this many days.
  case days(UInt32)

  /// How long entries are kept at least, in milliseconds; nil for ever.
  public var milliseconds: UInt64? {
    switch self {
    case .everything: nil
    case .days(let days): UInt64(days) * 86_400_000
    }
  }

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

/// A checkpoint that members have confirmed, and that anybody who has read the log may still take back: it stands for
/// nothing yet.
public struct AnnouncedCheckpoint: Hashable, Sendable {
  /// Its cursor, and the log's digest there.
  public let head: LogHead
  /// The digest of its parts.
  public let parts: LogDigest
  /// When it was announced, milliseconds since 1970 by the relay's clock.
  public let time: UInt64

  /// Describes a checkpoint.
  public init(head: LogHead, parts: LogDigest, time: UInt64) {
    self.head = head
    self.parts = parts
    self.time = time
  }
}

/// Where a room's log stands.
public struct LogState: Hashable, Sendable {
  /// The last entry.
  public var head: LogHead
  /// The first entry that is not forgotten.
  public var oldest: UInt64
  /// The checkpoint in use, which stands for what is forgotten: its cursor, and the log's digest there.
  public var checkpoint: LogHead?
  /// A newer one that is announced.
  public var announced: AnnouncedCheckpoint?
  /// What may be forgotten.
  public var retention: Retention

  /// Describes a log.
  public init(
    head: LogHead, oldest: UInt64 = 1, checkpoint: LogHead? = nil, announced: AnnouncedCheckpoint? = nil,
    retention: Retention = .everything
  ) {
    self.head = head
    self.oldest = oldest
    self.checkpoint = checkpoint
    self.announced = announced
    self.retention = retention
  }
}

/// Something that happens to a log besides new entries, in the order in which it is asked for.
public enum LogChange: Hashable, Sendable {
  /// Parts of the checkpoint that is being uploaded, from a number on; number 0 throws away what another
  /// upload left.
  case storeParts(cursor: UInt64, first: UInt64, [CheckpointPart])
  /// The uploaded checkpoint was confirmed, and is announced from now on.
  case announceCheckpoint(AnnouncedCheckpoint)
  /// The announced checkpoint at this cursor, if it is still there, takes the place of the one in use.
  case useCheckpoint(cursor: UInt64)
  /// The checkpoint at this cursor, uploaded or announced, is of no use. One in use stays.
  case dropCheckpoint(cursor: UInt64)
  /// Another rule.
  case setRetention(Retention)
  /// Forget what the checkpoint in use holds and is older than this, milliseconds since 1970.
  case forget(before: UInt64)
}

/// Parts of the checkpoint in use, with the relay's word on who wrote them and when.
public struct CheckpointBatch: Hashable, Sendable {
  /// The checkpoint's cursor, and the log's digest there.
  public let head: LogHead
  /// The first part's number, from 0.
  public let first: UInt64
  /// The parts.
  public let parts: [AttributedPart]
  /// No part follows.
  public let isLast: Bool

  /// Describes parts.
  public init(head: LogHead, first: UInt64, parts: [AttributedPart], isLast: Bool) {
    self.head = head
    self.first = first
    self.parts = parts
    self.isLast = isLast
  }
}
