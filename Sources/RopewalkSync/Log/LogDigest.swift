import RopewalkCore

/// Recognises a room's log up to a cursor, 16 bytes.
///
/// `digest(0)` is zero; `digest(n)` is the first half of SHA-256 over `digest(n - 1)`, the header's bytes and the
/// SHA-256 of the payload of entry `n`. Two logs with one digest at one cursor hold the same entries up to there.
public struct LogDigest: Hashable, Sendable {
  private let high: UInt64
  private let low: UInt64

  /// The digest of an empty log.
  public static let zero = LogDigest(high: 0, low: 0)

  private init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Takes 16 bytes; nil for any other number of them.
  public init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 16 else { return nil }
    (high, low) = halves(of: bytes)
  }

  /// The 16 bytes.
  public var bytes: [UInt8] { sixteenBytes(high, low) }

  /// The digest after one more entry.
  public func extended(by header: EntryHeader, payloadHash: PayloadHash) -> LogDigest {
    var hash = SHA256()
    hash.update(bytes)
    hash.update(header.encoded)
    hash.update(payloadHash.bytes)
    let (high, low) = halves(of: hash.finalize())
    return LogDigest(high: high, low: low)
  }

  /// The digest after one more part of a checkpoint.
  public func extended(by part: CheckpointPart) -> LogDigest {
    var place = ByteWriter()
    place.fixed64(part.cursor)
    place.byte(part.kind.rawValue)
    place.fixed64(part.tip)
    var hash = SHA256()
    hash.update(bytes)
    hash.update(place.bytes)
    hash.update(part.header.encoded)
    hash.update(PayloadHash(of: part.payload).bytes)
    let (high, low) = halves(of: hash.finalize())
    return LogDigest(high: high, low: low)
  }
}

/// The SHA-256 of a payload, 32 bytes.
public struct PayloadHash: Hashable, Sendable {
  private let first: UInt64
  private let second: UInt64
  private let third: UInt64
  private let fourth: UInt64

  /// Hashes a payload.
  public init(of payload: [UInt8]) {
    var hash = SHA256()
    hash.update(payload)
    let bytes = hash.finalize()
    (first, second) = halves(of: bytes)
    (third, fourth) = halves(of: bytes[16...])
  }

  /// Takes 32 bytes; nil for any other number of them.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    (first, second) = halves(of: bytes)
    (third, fourth) = halves(of: bytes[16...])
  }

  /// The 32 bytes.
  public var bytes: [UInt8] { sixteenBytes(first, second) + sixteenBytes(third, fourth) }
}

private func halves(of bytes: some Collection<UInt8>) -> (high: UInt64, low: UInt64) {
  var high: UInt64 = 0
  var low: UInt64 = 0
  for byte in bytes.prefix(8) { high = high << 8 | UInt64(byte) }
  for byte in bytes.dropFirst(8).prefix(8) { low = low << 8 | UInt64(byte) }
  return (high, low)
}

private func sixteenBytes(_ high: UInt64, _ low: UInt64) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(16)
  for half in [high, low] {
    for place: UInt64 in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: half >> (56 - 8 * place))) }
  }
  return bytes
}
