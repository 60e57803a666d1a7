/// How far a room's log goes, and its digest there.
public struct LogHead: Hashable, Sendable {
  /// The last entry, 0 for none.
  public let cursor: UInt64
  /// The digest after it.
  public let digest: LogDigest

  /// The head of an empty log.
  public static let empty = LogHead(cursor: 0, digest: .zero)

  /// Makes a head.
  public init(cursor: UInt64, digest: LogDigest) {
    self.cursor = cursor
    self.digest = digest
  }
}
