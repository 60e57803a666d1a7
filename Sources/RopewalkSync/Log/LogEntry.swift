import RopewalkCore

/// One entry of a room's log.
public struct LogEntry: Hashable, Sendable {
  /// The place in the log, dense from 1.
  public let cursor: UInt64
  /// Who pushed it, by the relay's word (the token's subject), UTF-8.
  public let subject: [UInt8]
  /// When the relay took it in, milliseconds since 1970 by the relay's clock.
  public let time: UInt64
  /// What it carries.
  public let header: EntryHeader
  /// The update. The relay never reads it.
  public let payload: [UInt8]

  /// Makes an entry.
  public init(cursor: UInt64, subject: [UInt8], time: UInt64, header: EntryHeader, payload: [UInt8]) {
    self.cursor = cursor
    self.subject = subject
    self.time = time
    self.header = header
    self.payload = payload
  }

  /// The log's digest after this entry, given the digest before it.
  public func digest(after previous: LogDigest) -> LogDigest {
    previous.extended(by: header, payloadHash: PayloadHash(of: payload))
  }

  /// About how many bytes the entry takes in a message: never less than it does.
  public var encodedSizeBound: Int {
    payload.count + subject.count + header.document.name.utf8.count + 64
  }

  /// Writes everything but the cursor, which follows from the place in a batch.
  func write(to writer: inout ByteWriter) {
    writer.block(subject)
    writer.varint(time)
    header.write(to: &writer)
    writer.block(payload)
  }

  init(cursor: UInt64, from reader: inout ByteReader) throws(FormatError) {
    self.cursor = cursor
    subject = Array(try reader.block("subject"))
    time = try reader.varint("time")
    header = try EntryHeader(from: &reader)
    payload = Array(try reader.block("payload"))
  }
}
