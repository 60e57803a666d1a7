import RopewalkCore

/// Consecutive entries of a room's log, folded: stored, and sent, as one zstd frame. Who keeps the log
/// makes and opens frames; the state machines only pass them on.
public struct LogSegment: Hashable, Sendable {
  /// The first entry.
  public let first: UInt64
  /// How many entries there are, at least one.
  public let count: Int
  /// The size of the entries' bytes, decompressed.
  public let size: Int
  /// The entries' bytes as a zstd frame.
  public let frame: [UInt8]

  /// The last entry.
  public var last: UInt64 { first + UInt64(count) - 1 }

  /// Describes a segment.
  public init(first: UInt64, count: Int, size: Int, frame: [UInt8]) {
    precondition(first > 0 && count > 0, "a segment has entries")
    self.first = first
    self.count = count
    self.size = size
    self.frame = frame
  }

  /// What is compressed: the entries as they stand in an `entries` message.
  public static func content(of entries: [LogEntry]) -> [UInt8] {
    var writer = ByteWriter()
    writer.reserve(entries.reduce(0) { $0 + $1.encodedSizeBound })
    for entry in entries { entry.write(to: &writer) }
    return writer.bytes
  }

  /// Reads what was decompressed, which must be so many entries and nothing else.
  public static func entries(
    in content: [UInt8], from first: UInt64, count: Int
  ) throws(FormatError) -> [LogEntry] {
    var reader = ByteReader(content)
    guard first > 0, count > 0, count <= content.count, first <= UInt64.max - UInt64(count) else {
      throw FormatError(.badValue, at: 0, field: "cursors")
    }
    var entries: [LogEntry] = []
    for index in 0..<count { entries.append(try LogEntry(cursor: first + UInt64(index), from: &reader)) }
    try reader.expectEnd()
    return entries
  }

  /// How an `entries` message begins whose rest is the decompressed frame.
  public func messageHead(room: RoomNumber) -> [UInt8] {
    var writer = ByteWriter()
    writer.byte(RelayMessage.entriesKind)
    writer.varint32(room.rawValue)
    writer.varint(first)
    writer.varint(UInt64(count))
    return writer.bytes
  }
}

/// What a log answers when it is read.
public enum LogBatch: Hashable, Sendable {
  /// Entries, dense.
  case entries([LogEntry])
  /// Entries as they are stored.
  case segment(LogSegment)
  /// What was asked for is before the oldest entry.
  case forgotten
}
