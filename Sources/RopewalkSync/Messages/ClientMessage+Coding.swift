import RopewalkCore

extension ClientMessage {
  private enum Kind {
    static let hello: UInt8 = 1
    static let token: UInt8 = 2
    static let join: UInt8 = 3
    static let leave: UInt8 = 4
    static let push: UInt8 = 5
    static let presence: UInt8 = 6
    static let ping: UInt8 = 7
    static let checkpoint: UInt8 = 8
    static let checkpointDigest: UInt8 = 9
    static let retention: UInt8 = 10
    static let objection: UInt8 = 11
  }

  /// The most bytes of a client's name.
  static let maximumAgentBytes = 64
  /// How many bytes a client's identity has, if there is one.
  static let identityBytes = 16...32

  /// The message as bytes: one of kind, then the body.
  public var encoded: [UInt8] {
    var writer = ByteWriter()
    switch self {
    case .hello(let hello):
      writer.byte(Kind.hello)
      writer.append(Self.magic)
      writer.varint32(hello.versions.lowerBound)
      writer.varint32(hello.versions.upperBound)
      writer.varint(hello.features.rawValue)
      writer.byte(hello.codecs.rawValue)
      writer.block(hello.token)
      writer.block(hello.agent.prefix(Self.maximumAgentBytes))
      if !hello.identity.isEmpty { writer.block(hello.identity) }
    case .token(let token):
      writer.byte(Kind.token)
      writer.block(token)
    case .join(let join):
      writer.byte(Kind.join)
      writer.block(join.room.utf8)
      writer.varint(join.cursor)
      writer.append(join.digest.bytes)
    case .leave(let room):
      writer.byte(Kind.leave)
      writer.varint32(room.rawValue)
    case .push(let push):
      writer.reserve(push.payload.count + push.header.document.name.utf8.count + 48)
      writer.byte(Kind.push)
      writer.varint32(push.room.rawValue)
      writer.varint(push.number)
      writer.varint(push.refusalsSeen)
      push.header.write(to: &writer)
      writer.block(push.payload)
    case .presence(let room, let value):
      writer.byte(Kind.presence)
      writer.varint32(room.rawValue)
      writer.optionalBlock(value)
    case .ping(let number):
      writer.byte(Kind.ping)
      writer.varint(number)
    case .checkpoint(let checkpoint):
      writer.byte(Kind.checkpoint)
      writer.varint32(checkpoint.room.rawValue)
      writer.varint(checkpoint.cursor)
      writer.varint(checkpoint.first)
      writer.byte(checkpoint.isLast ? 1 : 0)
      writer.varint(UInt64(checkpoint.parts.count))
      for part in checkpoint.parts { part.write(to: &writer) }
    case .checkpointDigest(let room, let cursor, let digest):
      writer.byte(Kind.checkpointDigest)
      writer.varint32(room.rawValue)
      writer.varint(cursor)
      writer.append(digest.bytes)
    case .objection(let room, let cursor):
      writer.byte(Kind.objection)
      writer.varint32(room.rawValue)
      writer.varint(cursor)
    case .retention(let room, let retention):
      writer.byte(Kind.retention)
      writer.varint32(room.rawValue)
      writer.byte(retention == nil ? 0 : 1)
      if let retention { writer.varint(retention.wireValue) }
    }
    return writer.bytes
  }

  /// Reads one message. A hello may be followed by fields of later versions, which are ignored.
  public init(decoding bytes: [UInt8]) throws(FormatError) {
    var reader = ByteReader(bytes)
    let kind = try reader.byte("kind")
    switch kind {
    case Kind.hello:
      self = .hello(try Hello(from: &reader))
      return
    case Kind.token: self = .token(try reader.shortBlock(WireProtocol.maximumTokenBytes, "token"))
    case Kind.join:
      self = .join(
        Join(
          room: try reader.roomName(), cursor: try reader.varint("cursor"), digest: try reader.digest()))
    case Kind.leave: self = .leave(try reader.roomNumber())
    case Kind.push:
      self = .push(
        Push(
          room: try reader.roomNumber(), number: try reader.varint("push number"),
          refusalsSeen: try reader.varint("refusals seen"), header: try EntryHeader(from: &reader),
          payload: Array(try reader.block("payload"))))
    case Kind.presence:
      self = .presence(room: try reader.roomNumber(), value: try reader.optionalBlock("presence"))
    case Kind.ping: self = .ping(try reader.varint("ping"))
    case Kind.checkpoint: self = .checkpoint(try Checkpoint(from: &reader))
    case Kind.checkpointDigest:
      self = .checkpointDigest(
        room: try reader.roomNumber(), cursor: try reader.varint("cursor"), digest: try reader.digest())
    case Kind.objection:
      self = .objection(room: try reader.roomNumber(), cursor: try reader.varint("cursor"))
    case Kind.retention:
      let room = try reader.roomNumber()
      self = .retention(room: room, try reader.boolean("retention") ? try reader.retention() : nil)
    default: throw FormatError(.badValue, at: 0, field: "kind")
    }
    try reader.expectEnd()
  }

  /// "RW", so that something else on the port is told apart at once.
  static let magic: [UInt8] = [0x52, 0x57]
}

extension ClientMessage.Hello {
  init(from reader: inout ByteReader) throws(FormatError) {
    let start = reader.offset
    guard Array(try reader.bytes(2, "magic")) == ClientMessage.magic else {
      throw FormatError(.badMagic, at: start, field: "magic")
    }
    let place = reader.offset
    let oldest = try reader.varint32("oldest version")
    let newest = try reader.varint32("newest version")
    guard oldest <= newest else { throw FormatError(.badValue, at: place, field: "versions") }
    versions = oldest...newest
    features = Features(rawValue: try reader.varint("features"))
    codecs = Codecs(rawValue: try reader.byte("codecs"))
    token = try reader.shortBlock(WireProtocol.maximumTokenBytes, "token")
    agent = try reader.shortBlock(ClientMessage.maximumAgentBytes, "agent")
    let end = reader.offset
    identity = reader.remaining > 0 ? Array(try reader.block("identity")) : []
    guard identity.isEmpty || ClientMessage.identityBytes.contains(identity.count) else {
      throw FormatError(.badValue, at: end, field: "identity")
    }
  }
}

extension ClientMessage.Checkpoint {
  init(from reader: inout ByteReader) throws(FormatError) {
    room = try reader.roomNumber()
    cursor = try reader.varint("cursor")
    first = try reader.varint("first part")
    isLast = try reader.boolean("last")
    parts = []
    for _ in 0..<(try reader.count("parts", unit: 22)) {
      parts.append(try CheckpointPart(through: cursor, from: &reader))
    }
  }
}

extension ByteWriter {
  /// A byte 0, or a byte 1 and a block.
  mutating func optionalBlock(_ content: [UInt8]?) {
    byte(content == nil ? 0 : 1)
    if let content { block(content) }
  }
}

extension ByteReader {
  mutating func roomNumber() throws(FormatError) -> RoomNumber {
    RoomNumber(rawValue: try varint32("room number"))
  }

  mutating func roomName() throws(FormatError) -> RoomName {
    let start = offset
    guard let name = RoomName(utf8: Array(try block("room name"))) else {
      throw FormatError(.badValue, at: start, field: "room name")
    }
    return name
  }

  mutating func digest() throws(FormatError) -> LogDigest {
    let start = offset
    guard let digest = LogDigest(bytes: try bytes(16, "digest")) else {
      throw FormatError(.badValue, at: start, field: "digest")
    }
    return digest
  }

  mutating func optionalBlock(_ field: StaticString) throws(FormatError) -> [UInt8]? {
    let start = offset
    switch try byte(field) {
    case 0: return nil
    case 1: return Array(try block(field))
    default: throw FormatError(.badValue, at: start, field: field)
    }
  }

  mutating func shortBlock(_ limit: Int, _ field: StaticString) throws(FormatError) -> [UInt8] {
    let start = offset
    let content = try block(field)
    guard content.count <= limit else { throw FormatError(.overLimit, at: start, field: field) }
    return Array(content)
  }

  mutating func boolean(_ field: StaticString) throws(FormatError) -> Bool {
    let start = offset
    switch try byte(field) {
    case 0: return false
    case 1: return true
    default: throw FormatError(.badValue, at: start, field: field)
    }
  }

  mutating func retention() throws(FormatError) -> Retention {
    let start = offset
    guard let retention = Retention(wireValue: try varint("retention")) else {
      throw FormatError(.badValue, at: start, field: "retention")
    }
    return retention
  }

  mutating func role() throws(FormatError) -> Role {
    let start = offset
    guard let role = Role(rawValue: try byte("role")) else {
      throw FormatError(.badValue, at: start, field: "role")
    }
    return role
  }
}
