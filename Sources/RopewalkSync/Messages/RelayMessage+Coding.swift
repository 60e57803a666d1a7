import RopewalkCore

extension RelayMessage {
  private enum Kind {
    static let welcome: UInt8 = 65
    static let tokenAccepted: UInt8 = 66
    static let joined: UInt8 = 67
    static let entries: UInt8 = 68
    static let caughtUp: UInt8 = 69
    static let acknowledged: UInt8 = 70
    static let refused: UInt8 = 71
    static let presence: UInt8 = 72
    static let role: UInt8 = 73
    static let error: UInt8 = 74
    static let pong: UInt8 = 75
    static let checkpointWanted: UInt8 = 76
    static let checkpoint: UInt8 = 77
    static let retention: UInt8 = 78
    static let checkpointAnnounced: UInt8 = 79
  }

  /// The kind of an `entries` message.
  static var entriesKind: UInt8 { Kind.entries }

  /// The message as bytes: one of kind, then the body.
  ///
  /// Entries must be of dense, ascending cursors and at least one.
  public var encoded: [UInt8] {
    var writer = ByteWriter()
    switch self {
    case .welcome(let welcome):
      writer.byte(Kind.welcome)
      welcome.write(to: &writer)
    case .tokenAccepted(let expires):
      writer.byte(Kind.tokenAccepted)
      writer.varint(expires ?? 0)
    case .joined(let joined):
      writer.byte(Kind.joined)
      writer.block(joined.room.utf8)
      writer.varint32(joined.number.rawValue)
      writer.byte(joined.role.rawValue)
      writer.varint(joined.head)
      writer.byte(joined.isRestart ? 1 : 0)
    case .entries(let room, let entries):
      precondition(!entries.isEmpty, "an entries message has entries")
      writer.reserve(entries.reduce(16) { $0 + $1.encodedSizeBound })
      writer.byte(Kind.entries)
      writer.varint32(room.rawValue)
      writer.varint(entries[0].cursor)
      writer.varint(UInt64(entries.count))
      for entry in entries { entry.write(to: &writer) }
    case .caughtUp(let room, let cursor, let digest):
      writer.byte(Kind.caughtUp)
      writer.varint32(room.rawValue)
      writer.varint(cursor)
      writer.append(digest.bytes)
    case .acknowledged(let room, let acknowledgements):
      writer.byte(Kind.acknowledged)
      writer.varint32(room.rawValue)
      writer.varint(UInt64(acknowledgements.count))
      for acknowledgement in acknowledgements {
        writer.varint(acknowledgement.push)
        writer.varint(acknowledgement.cursor)
      }
    case .refused(let room, let push, let refusal):
      writer.byte(Kind.refused)
      writer.varint32(room.rawValue)
      writer.varint(push)
      refusal.write(to: &writer)
    case .presence(let room, let isComplete, let values):
      writer.byte(Kind.presence)
      writer.varint32(room.rawValue)
      writer.byte(isComplete ? 1 : 0)
      writer.varint(UInt64(values.count))
      for value in values {
        writer.fixed64(value.session)
        writer.block(value.subject)
        writer.optionalBlock(value.value)
      }
    case .role(let room, let role):
      writer.byte(Kind.role)
      writer.varint32(room.rawValue)
      writer.byte(role.rawValue)
    case .error(let room, let error):
      writer.byte(Kind.error)
      writer.optionalBlock(room?.utf8)
      writer.varint32(UInt32(error.code.rawValue))
      writer.varint(error.retry.wireValue)
      writer.block(error.sentence)
    case .pong(let number):
      writer.byte(Kind.pong)
      writer.varint(number)
    case .checkpointWanted(let room, let cursor, let isWhole):
      writer.byte(Kind.checkpointWanted)
      writer.varint32(room.rawValue)
      writer.varint(cursor)
      writer.byte(isWhole ? 1 : 0)
    case .checkpoint(let room, let batch):
      writer.reserve(batch.parts.reduce(64) { $0 + $1.part.encodedSizeBound + $1.subject.count + 16 })
      writer.byte(Kind.checkpoint)
      writer.varint32(room.rawValue)
      writer.varint(batch.head.cursor)
      writer.append(batch.head.digest.bytes)
      writer.varint(batch.first)
      writer.byte(batch.isLast ? 1 : 0)
      writer.varint(UInt64(batch.parts.count))
      for part in batch.parts {
        writer.block(part.subject)
        writer.varint(part.time)
        part.part.write(to: &writer)
      }
    case .checkpointAnnounced(let room, let cursor, let digest):
      writer.byte(Kind.checkpointAnnounced)
      writer.varint32(room.rawValue)
      writer.varint(cursor)
      writer.append(digest.bytes)
    case .retention(let retention):
      writer.byte(Kind.retention)
      writer.varint32(retention.room.rawValue)
      writer.varint(retention.retention.wireValue)
      writer.varint(retention.oldest)
      writer.varint(retention.checkpoint)
      writer.varint(retention.announced)
      writer.varint(retention.usable)
    }
    return writer.bytes
  }
}

extension RelayMessage {
  /// Reads one message. A welcome may be followed by fields of later versions, which are ignored.
  public init(decoding bytes: [UInt8]) throws(FormatError) {
    var reader = ByteReader(bytes)
    switch try reader.byte("kind") {
    case Kind.welcome:
      self = .welcome(try Welcome(from: &reader))
      return
    case Kind.tokenAccepted: self = .tokenAccepted(expires: Self.moment(try reader.varint("expiry")))
    case Kind.joined:
      self = .joined(
        Joined(
          room: try reader.roomName(), number: try reader.roomNumber(), role: try reader.role(),
          head: try reader.varint("head"), isRestart: try reader.boolean("restart")))
    case Kind.entries: self = .entries(room: try reader.roomNumber(), try Self.entries(from: &reader))
    case Kind.caughtUp:
      self = .caughtUp(
        room: try reader.roomNumber(), cursor: try reader.varint("cursor"), digest: try reader.digest())
    case Kind.acknowledged:
      let room = try reader.roomNumber()
      var acknowledgements: [Acknowledgement] = []
      for _ in 0..<(try reader.count("acknowledgements", unit: 2)) {
        acknowledgements.append(
          Acknowledgement(push: try reader.varint("push number"), cursor: try reader.varint("cursor")))
      }
      self = .acknowledged(room: room, acknowledgements)
    case Kind.refused:
      self = .refused(
        room: try reader.roomNumber(), push: try reader.varint("push number"), try Refusal(from: &reader))
    case Kind.presence: self = try Self.presence(from: &reader)
    case Kind.role: self = .role(room: try reader.roomNumber(), try reader.role())
    case Kind.error: self = try Self.error(from: &reader)
    case Kind.pong: self = .pong(try reader.varint("pong"))
    case Kind.checkpointWanted:
      self = .checkpointWanted(
        room: try reader.roomNumber(), cursor: try reader.varint("cursor"),
        isWhole: try reader.boolean("whole"))
    case Kind.checkpoint:
      self = .checkpoint(room: try reader.roomNumber(), try CheckpointBatch(from: &reader))
    case Kind.checkpointAnnounced:
      self = .checkpointAnnounced(
        room: try reader.roomNumber(), cursor: try reader.varint("cursor"), digest: try reader.digest())
    case Kind.retention:
      self = .retention(
        Retention(
          room: try reader.roomNumber(), retention: try reader.retention(),
          oldest: try reader.varint("oldest"), checkpoint: try reader.varint("checkpoint"),
          announced: try reader.varint("announced"), usable: try reader.varint("usable")))
    default: throw FormatError(.badValue, at: 0, field: "kind")
    }
    try reader.expectEnd()
  }

  fileprivate static func moment(_ value: UInt64) -> UInt64? { value == 0 ? nil : value }

  private static func entries(from reader: inout ByteReader) throws(FormatError) -> [LogEntry] {
    let place = reader.offset
    let first = try reader.varint("first cursor")
    let count = try reader.count("entry count", unit: 21)
    guard first > 0, count > 0, first <= UInt64.max - UInt64(count) else {
      throw FormatError(.badValue, at: place, field: "cursors")
    }
    var entries: [LogEntry] = []
    for index in 0..<count { entries.append(try LogEntry(cursor: first + UInt64(index), from: &reader)) }
    return entries
  }

  private static func presence(from reader: inout ByteReader) throws(FormatError) -> RelayMessage {
    let room = try reader.roomNumber()
    let isComplete = try reader.boolean("complete")
    var values: [PresenceValue] = []
    for _ in 0..<(try reader.count("presence count", unit: 10)) {
      values.append(
        PresenceValue(
          session: try reader.fixed64("session"), subject: Array(try reader.block("subject")),
          value: try reader.optionalBlock("presence")))
    }
    return .presence(room: room, isComplete: isComplete, values)
  }

  private static func error(from reader: inout ByteReader) throws(FormatError) -> RelayMessage {
    let place = reader.offset
    var room: RoomName?
    if let name = try reader.optionalBlock("room name") {
      guard let valid = RoomName(utf8: name) else {
        throw FormatError(.badValue, at: place, field: "room name")
      }
      room = valid
    }
    let start = reader.offset
    guard let code = UInt16(exactly: try reader.varint32("error code")) else {
      throw FormatError(.badValue, at: start, field: "error code")
    }
    let retry = Retry(wireValue: try reader.varint("retry"))
    let sentence = try reader.shortBlock(ProtocolError.maximumSentenceBytes, "sentence")
    return .error(room: room, ProtocolError(ErrorCode(rawValue: code), retry: retry, sentence: sentence))
  }
}

extension RelayMessage.Welcome {
  func write(to writer: inout ByteWriter) {
    writer.varint32(version)
    writer.varint(features.rawValue)
    writer.byte(codecs.rawValue)
    writer.fixed64(session)
    writer.block(subject)
    writer.varint(expires ?? 0)
    writer.varint(time)
    limits.write(to: &writer)
  }

  init(from reader: inout ByteReader) throws(FormatError) {
    version = try reader.varint32("version")
    features = Features(rawValue: try reader.varint("features"))
    codecs = Codecs(rawValue: try reader.byte("codecs"))
    session = try reader.fixed64("session")
    subject = try reader.shortBlock(WireProtocol.maximumSubjectBytes, "subject")
    expires = RelayMessage.moment(try reader.varint("expiry"))
    time = try reader.varint("time")
    limits = try Limits(from: &reader)
  }
}

extension Refusal {
  func write(to writer: inout ByteWriter) {
    switch self {
    case .covered(let missing, let through):
      writer.byte(1)
      writer.varint(through)
      writer.varint(UInt64(missing.count))
      for range in missing {
        writer.varint32(range.lowerBound)
        writer.varint32(range.upperBound - range.lowerBound)
      }
    case .idClash(let cursor):
      writer.byte(2)
      writer.varint(cursor)
    case .overtaken: writer.byte(6)
    case .ownedByAnother: writer.byte(7)
    case .forbidden: writer.byte(3)
    case .tooLarge: writer.byte(4)
    case .overloaded(let retryAfter):
      writer.byte(5)
      writer.varint32(retryAfter)
    }
  }

  init(from reader: inout ByteReader) throws(FormatError) {
    let place = reader.offset
    switch try reader.byte("refusal") {
    case 1:
      let through = try reader.varint("cursor")
      var missing: [Range<UInt32>] = []
      var least: UInt32 = 0
      for _ in 0..<(try reader.count("missing ranges", unit: 2)) {
        let start = try reader.varint32("first sequence number")
        let count = try reader.varint32("event count")
        guard start >= least, count > 0, start < 1 << 31, count <= 1 << 31 - start else {
          throw FormatError(.badValue, at: place, field: "missing ranges")
        }
        least = start + count
        missing.append(start..<least)
      }
      self = .covered(missing: missing, through: through)
    case 2: self = .idClash(at: try reader.varint("cursor"))
    case 3: self = .forbidden
    case 4: self = .tooLarge
    case 6: self = .overtaken
    case 7: self = .ownedByAnother
    case 5: self = .overloaded(retryAfter: try reader.varint32("retry"))
    default: throw FormatError(.badValue, at: place, field: "refusal")
    }
  }
}

extension CheckpointBatch {
  init(from reader: inout ByteReader) throws(FormatError) {
    let place = reader.offset
    let cursor = try reader.varint("cursor")
    guard cursor > 0 else { throw FormatError(.badValue, at: place, field: "cursor") }
    let head = LogHead(cursor: cursor, digest: try reader.digest())
    let first = try reader.varint("first part")
    let isLast = try reader.boolean("last")
    var parts: [AttributedPart] = []
    for _ in 0..<(try reader.count("parts", unit: 24)) {
      let subject = Array(try reader.block("subject"))
      let time = try reader.varint("time")
      parts.append(
        AttributedPart(part: try CheckpointPart(through: cursor, from: &reader), subject: subject, time: time)
      )
    }
    self.init(head: head, first: first, parts: parts, isLast: isLast)
  }
}
