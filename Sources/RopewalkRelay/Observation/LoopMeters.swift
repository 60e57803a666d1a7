import NIOConcurrencyHelpers
import RopewalkSync

/// What one event loop counts. Added to on that loop alone, read by anybody.
final class LoopMeters: Sendable {
  let accepted = Counter()
  let closed = Counter()
  let greeted = Counter()
  let messagesIn = Counter()
  let bytesIn = Counter()
  let messagesOut = Counter()
  /// As they are on the wire, without TLS.
  let bytesOut = Counter()
  /// What they would be without compression.
  let plainBytesOut = Counter()
  private let refusals = NIOLockedValueBox([UInt64](repeating: 0, count: RefusalReason.allCases.count))

  /// Almost never contended: the reader comes every few seconds.
  func refused(_ reason: RefusalReason) { refusals.withLockedValue { $0[reason.index] += 1 } }

  /// By `RefusalReason.index`.
  var refusalCounts: [UInt64] { refusals.withLockedValue { $0 } }
}

/// Why something was refused, as metrics and the audit log name it.
enum RefusalReason: String, CaseIterable, Sendable {
  case protocolViolation = "protocol-violation"
  case unsupportedVersion = "unsupported-version"
  case unauthenticated
  case tokenExpired = "token-expired"
  case forbidden
  case tooLarge = "too-large"
  case tooManyRooms = "too-many-rooms"
  case revoked
  case gone
  case draining
  case overloaded
  case unavailable
  case timedOut = "timed-out"
  /// A push that the log holds, cut otherwise.
  case covered
  /// A push whose header the log has with other bytes.
  case idClash = "id-clash"
  /// A push under a replica id of somebody else.
  case ownedByAnother = "owned-by-another"
  /// A push that followed a refused one.
  case overtaken
  /// Before the upgrade: a page of a site that is not allowed.
  case origin
  /// Before the upgrade: as many connections as the relay takes.
  case tooManyConnections = "too-many-connections"
  /// New tokens for open connections, more often than one subject may send them.
  case tooManyTokens = "too-many-tokens"
  /// Before the upgrade: not HTTP, or too much of it.
  case badRequest = "bad-request"
  case other

  init(_ code: ErrorCode) {
    self =
      switch code {
      case .protocolViolation: .protocolViolation
      case .unsupportedVersion: .unsupportedVersion
      case .unauthenticated: .unauthenticated
      case .tokenExpired: .tokenExpired
      case .forbidden: .forbidden
      case .tooLarge: .tooLarge
      case .tooManyRooms: .tooManyRooms
      case .revoked: .revoked
      case .gone: .gone
      case .draining: .draining
      case .overloaded: .overloaded
      case .unavailable: .unavailable
      case .timedOut: .timedOut
      default: .other
      }
  }

  init(_ refusal: Refusal) {
    self =
      switch refusal {
      case .covered: .covered
      case .idClash: .idClash
      case .overtaken: .overtaken
      case .ownedByAnother: .ownedByAnother
      case .forbidden: .forbidden
      case .tooLarge: .tooLarge
      case .overloaded: .overloaded
      }
  }

  fileprivate var index: Int { Self.indices[self] ?? 0 }

  private static let indices = Dictionary(
    uniqueKeysWithValues: allCases.enumerated().map { ($0.element, $0.offset) })
}
