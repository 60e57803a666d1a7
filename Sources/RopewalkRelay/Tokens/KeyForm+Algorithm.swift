extension KeyForm {
  /// Why tokens cannot be checked by a key that can be read otherwise.
  enum Obstacle: Hashable, Sendable {
    /// It is of another algorithm than P-256 and Ed25519.
    case algorithm(String)
    case passphrase
  }

  /// A key or certificate with what keeps it from being used, where its bytes tell.
  func withObstacle(in content: [UInt8]) -> KeyForm {
    let obstacle: Obstacle?
    switch self {
    case .pem: obstacle = Self.obstacle(inPEM: content)
    case .der(.publicKey), .der(.privateKey):
      obstacle = Self.obstacle(inDER: content) ?? Self.obstacleWithoutName(content)
    case .der: obstacle = Self.obstacle(inDER: content)
    default: return self
    }
    return obstacle.map { .unusable(self, $0) } ?? self
  }

  private static func obstacle(inPEM text: [UInt8]) -> Obstacle? {
    var blocks: [[UInt8]] = []
    var isInside = false
    for line in text.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
      let upper = line.map { (0x61...0x7a).contains($0) ? $0 - 0x20 : $0 }
      if contains(Array("BEGIN ".utf8), in: upper[...]) {
        if contains(Array("BEGIN RSA ".utf8), in: upper[...]) { return .algorithm("RSA") }
        isInside = true
        blocks.append([])
      } else if contains(Array("END ".utf8), in: upper[...]) {
        isInside = false
      } else if isInside, line.starts(with: "Proc-Type".utf8), contains(Array("ENCRYPTED".utf8), in: line) {
        // So OpenSSL writes what it has encrypted in its older form.
        return .passphrase
      } else if isInside, !line.contains(0x3a) {
        blocks[blocks.count - 1] += line.filter { $0 > 0x20 && $0 != 0x3d }
      }
    }
    for block in blocks {
      let urlSafe = block.map { $0 == 0x2b ? 0x2d : $0 == 0x2f ? 0x5f : $0 } as [UInt8]
      if let bytes = Base64URL.decode(urlSafe), let obstacle = obstacle(inDER: bytes) { return obstacle }
    }
    return nil
  }

  /// By the identifiers of algorithms and curves, each with its tag and length.
  private static func obstacle(inDER bytes: [UInt8]) -> Obstacle? {
    let found = identifiers.first { contains([0x06, UInt8($0.bytes.count)] + $0.bytes, in: bytes[...]) }
    return found?.obstacle
  }

  /// PKCS #1 names no algorithm, and is not short.
  private static func obstacleWithoutName(_ bytes: [UInt8]) -> Obstacle? {
    bytes.count < 128
      || identifiers.contains { contains([0x06, UInt8($0.bytes.count)] + $0.bytes, in: bytes[...]) }
      ? nil : .algorithm("RSA")
  }

  /// The first that is found counts: a certificate of a usable key may be signed by another one.
  private static let identifiers: [(bytes: [UInt8], obstacle: Obstacle?)] = [
    ([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d], .passphrase),
    ([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], nil),
    ([0x2b, 0x65, 0x70], nil),
    ([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01], .algorithm("RSA")),
    ([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a], .algorithm("RSA")),
    ([0x2b, 0x81, 0x04, 0x00, 0x22], .algorithm("P-384")),
    ([0x2b, 0x81, 0x04, 0x00, 0x23], .algorithm("P-521")),
    ([0x2b, 0x81, 0x04, 0x00, 0x0a], .algorithm("secp256k1")),
    ([0x2b, 0x65, 0x71], .algorithm("Ed448")),
    ([0x2b, 0x65, 0x6e], .algorithm("X25519")),
    ([0x2b, 0x65, 0x6f], .algorithm("X448")),
    ([0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01], .algorithm("DSA")),
  ]

  private static func contains(_ part: [UInt8], in bytes: ArraySlice<UInt8>) -> Bool {
    bytes.indices.contains { bytes[$0] == part[0] && bytes[$0...].starts(with: part) }
  }
}
