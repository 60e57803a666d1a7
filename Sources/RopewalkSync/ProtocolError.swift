import RopewalkCore

/// What went wrong, as a number that both sides know. Codes below 100 are permanent: trying again without a
/// change (another token, another version, smaller messages) fails again. Codes from 100 on are transient.
public struct ErrorCode: RawRepresentable, Hashable, Sendable {
  /// The number on the wire, below 1000.
  public let rawValue: UInt16

  /// Wraps a number; unknown ones are kept.
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// The peer broke a rule of the protocol.
  public static let protocolViolation = ErrorCode(rawValue: 1)
  /// No protocol version in common.
  public static let unsupportedVersion = ErrorCode(rawValue: 2)
  /// The token is missing or not valid.
  public static let unauthenticated = ErrorCode(rawValue: 3)
  /// The token was valid and has expired.
  public static let tokenExpired = ErrorCode(rawValue: 4)
  /// The token gives no right to this room or act.
  public static let forbidden = ErrorCode(rawValue: 5)
  /// A message or payload is larger than the limits in the welcome.
  public static let tooLarge = ErrorCode(rawValue: 6)
  /// More rooms than one connection may join.
  public static let tooManyRooms = ErrorCode(rawValue: 7)
  /// The log that arrived does not have the digest that the relay gave for it.
  public static let digestMismatch = ErrorCode(rawValue: 8)
  /// The log does not have these entries any more.
  public static let gone = ErrorCode(rawValue: 9)
  /// What the client proved who it is by was taken back.
  public static let revoked = ErrorCode(rawValue: 10)
  /// The relay is stopping and will be back.
  public static let draining = ErrorCode(rawValue: 100)
  /// The peer asks for more than the limits allow just now.
  public static let overloaded = ErrorCode(rawValue: 101)
  /// The room's log cannot be read or written just now.
  public static let unavailable = ErrorCode(rawValue: 102)
  /// The peer was silent for too long.
  public static let timedOut = ErrorCode(rawValue: 103)

  /// Whether trying again later, with nothing changed, may succeed.
  public var isTransient: Bool { rawValue >= 100 }

  /// The WebSocket close code that ends a connection for this reason: 4000 and the code.
  public var closeCode: UInt16 { 4000 + min(rawValue, 999) }

  /// The error that a WebSocket close code stands for; nil for codes that are not the protocol's own.
  public init?(closeCode: UInt16) {
    guard (4001...4999).contains(closeCode) else { return nil }
    rawValue = closeCode - 4000
  }
}

/// Whether, and when, trying again makes sense.
public enum Retry: Hashable, Sendable {
  /// Not without a change.
  case never
  /// After this many milliseconds at the earliest.
  case after(milliseconds: UInt32)

  var wireValue: UInt64 {
    switch self {
    case .never: 0
    case .after(let milliseconds): UInt64(milliseconds) + 1
    }
  }

  init(wireValue: UInt64) {
    self = wireValue == 0 ? .never : .after(milliseconds: UInt32(clamping: wireValue - 1))
  }
}

/// An error that one side tells the other: a code, whether to retry, and a sentence for people. Carries no
/// content.
public struct ProtocolError: Error, Hashable, Sendable {
  /// What went wrong.
  public let code: ErrorCode
  /// Whether, and when, trying again makes sense.
  public let retry: Retry
  /// A sentence for people, UTF-8, at most 512 bytes.
  public let sentence: [UInt8]

  /// The most bytes a sentence may have.
  public static let maximumSentenceBytes = 512

  /// Describes an error by a fixed sentence.
  public init(_ code: ErrorCode, retry: Retry = .never, _ sentence: StaticString) {
    self.init(code, retry: retry, sentence: sentence.withUTF8Buffer { Array($0) })
  }

  /// Describes an error; longer sentences are cut.
  public init(_ code: ErrorCode, retry: Retry, sentence: [UInt8]) {
    self.code = code
    self.retry = retry
    self.sentence = Array(sentence.prefix(Self.maximumSentenceBytes))
  }

  /// The sentence as a string.
  public var text: String { String(decoding: sentence, as: UTF8.self) }
}
