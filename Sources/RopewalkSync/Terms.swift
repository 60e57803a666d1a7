import RopewalkCore

/// Numbers that the whole protocol shares.
public enum WireProtocol {
  /// The versions this library speaks.
  public static let versions: ClosedRange<UInt32> = 1...1
  /// The path of the WebSocket endpoint.
  public static let path: StaticString = "/sync"
  /// The port a relay listens on unless told otherwise.
  public static let defaultPort = 7717
  /// The most bytes a token may have.
  public static let maximumTokenBytes = 16_384
  /// The most bytes a subject may have.
  public static let maximumSubjectBytes = 255
}

/// Optional parts of the protocol. The welcome carries those that both sides have.
public struct Features: OptionSet, Hashable, Sendable {
  /// The bits on the wire.
  public let rawValue: UInt64

  /// Wraps bits; unknown ones are kept.
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Ephemeral values per session.
  public static let presence = Features(rawValue: 1 << 0)
  /// Folded entries as they are stored: envelopes of kind 2.
  public static let segments = Features(rawValue: 1 << 1)
  /// Checkpoints instead of the log's beginning, and making them.
  public static let checkpoints = Features(rawValue: 1 << 2)

  /// What this library can do.
  public static let all: Features = [.presence, .segments, .checkpoints]
}

/// How the messages that a relay sends may be compressed. A set of bits in the hello, one of them in the
/// welcome.
public struct Codecs: OptionSet, Hashable, Sendable {
  /// The bits on the wire.
  public let rawValue: UInt8

  /// Wraps bits; unknown ones are kept.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// zstd frames. Plain messages are always allowed.
  public static let zstd = Codecs(rawValue: 1 << 0)
}

/// What a member may do in a room. Each role includes those before it.
public enum Role: UInt8, Hashable, Comparable, Sendable {
  /// Read, and be seen.
  case view = 1
  /// Push updates.
  case edit = 2
  /// Run code.
  case run = 3
  /// Administer the room.
  case own = 4

  /// Orders by what is allowed.
  public static func < (a: Role, b: Role) -> Bool { a.rawValue < b.rawValue }
}

/// What a relay accepts from one connection. Sent in the welcome.
public struct Limits: Hashable, Sendable {
  /// The largest message, decompressed, in bytes; either direction.
  public var largestMessage: UInt32 = 4 << 20
  /// The largest payload of a push, in bytes.
  public var largestPayload: UInt32 = 1 << 20
  /// How many pushes may wait for an answer.
  public var pushWindow: UInt32 = 64
  /// How many bytes of payload may wait for an answer; one push may always be sent.
  public var pushWindowBytes: UInt32 = 4 << 20
  /// Pushes a second over a longer time; 0 for no limit.
  public var pushesPerSecond: UInt32 = 0
  /// How many rooms one connection may join.
  public var rooms: UInt32 = 1024
  /// The largest presence value, in bytes.
  public var largestPresence: UInt32 = 4096
  /// A presence value changes at most once in this many milliseconds for the others.
  public var presenceInterval: UInt32 = 50
  /// A presence value that is not sent again for this many milliseconds is withdrawn.
  public var presenceLifetime: UInt32 = 30_000
  /// A connection that sends nothing for this many milliseconds is closed.
  public var silence: UInt32 = 60_000
  /// Messages a second over a longer time, of any kind; 0 for no limit.
  public var messagesPerSecond: UInt32 = 5000
  /// Bytes of messages a second over a longer time; 0 for no limit.
  public var bytesPerSecond: UInt32 = 32 << 20

  /// The defaults.
  public init() {}

  func write(to writer: inout ByteWriter) {
    for value in [
      largestMessage, largestPayload, pushWindow, pushWindowBytes, pushesPerSecond, rooms, largestPresence,
      presenceInterval, presenceLifetime, silence,
    ] { writer.varint32(value) }
    // The first release did not know these: none is left out.
    guard messagesPerSecond > 0 || bytesPerSecond > 0 else { return }
    writer.varint32(messagesPerSecond)
    writer.varint32(bytesPerSecond)
  }

  init(from reader: inout ByteReader) throws(FormatError) {
    largestMessage = try reader.varint32("largest message")
    largestPayload = try reader.varint32("largest payload")
    pushWindow = try reader.varint32("push window")
    pushWindowBytes = try reader.varint32("push window bytes")
    pushesPerSecond = try reader.varint32("pushes per second")
    rooms = try reader.varint32("rooms")
    largestPresence = try reader.varint32("largest presence")
    presenceInterval = try reader.varint32("presence interval")
    presenceLifetime = try reader.varint32("presence lifetime")
    silence = try reader.varint32("silence")
    if reader.remaining == 0 {
      (messagesPerSecond, bytesPerSecond) = (0, 0)
      return
    }
    messagesPerSecond = try reader.varint32("messages per second")
    bytesPerSecond = try reader.varint32("bytes per second")
  }
}
