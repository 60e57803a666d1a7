extension TextDocument {
  /// A document that begins as `seed`. The same text gives the same events everywhere, so that two people
  /// who import the same file offline get one text; the empty text gives a blank document.
  ///
  /// The seed must be shorter than 1 GiB in UTF-8.
  public init(seed: String) {
    let lineage = Self.lineage(ofSeed: seed)
    self.init(lineage: lineage)
    guard lineage != .blank else { return }
    replica = ReplicaID(rawValue: lineage.rawValue)
    insert(seed, at: 0)
    replica = nil
  }

  /// The lineage that `init(seed:)` gives a text: the first eight bytes of its SHA-256 in UTF-8,
  /// little-endian; blank for the empty text.
  public static func lineage(ofSeed seed: String) -> Lineage {
    var seed = seed
    return seed.withUTF8 { bytes in
      guard !bytes.isEmpty else { return .blank }
      var hash = SHA256()
      hash.update(bytes)
      var value: UInt64 = 0
      for (place, byte) in hash.finalize()[..<8].enumerated() { value |= UInt64(byte) << (8 * UInt64(place)) }
      return Lineage(rawValue: value == 0 ? 1 : value)
    }
  }
}
