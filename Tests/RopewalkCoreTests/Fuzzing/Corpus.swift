import RopewalkCore

/// Well-formed inputs to damage.
struct Corpus {
  var documents: [TextDocument] = []
  var updates: [[UInt8]] = []
  var snapshots: [[UInt8]] = []
  var versions: [[UInt8]] = []
  var vectors: [[UInt8]] = []

  init(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    for number in 0..<12 {
      let seedText = number % 4 == 3 ? "seeded 🌱" : ""
      let peers = try Self.peers(seed: seedText, using: &random)
      for (place, document) in peers.enumerated() {
        let other = peers[(place + 1) % peers.count]
        documents.append(document)
        updates.append(document.update(since: other.versionVector).bytes)
        updates += try Delivery.pieces(of: document, using: &random).map { $0.bytes }
        snapshots.append(document.snapshot())
        versions.append(document.version.encoded)
        vectors.append(document.versionVector.encoded)
      }
      // One that waits.
      var waiting = TextDocument(lineage: peers[0].lineage)
      for piece in try Delivery.pieces(of: peers[0], using: &random).dropFirst() {
        _ = try waiting.apply(piece)
      }
      documents.append(waiting)
      snapshots.append(waiting.snapshot())
    }
    for _ in 0..<6 {
      let strange = StrangeHistory.random(seed: random.next())
      updates += try strange.updates(using: &random).map { $0.bytes }
    }
  }

  /// Three documents that edit, and now and then merge.
  private static func peers(seed: String, using random: inout SplitMix) throws -> [TextDocument] {
    var peers = Array(repeating: TextDocument(seed: seed), count: 3)
    for index in peers.indices { peers[index].replica = ReplicaID(rawValue: random.next()) }
    for _ in 0..<random.below(40) {
      let peer = random.below(3)
      let length = peers[peer].scalarCount
      let at = random.below(length + 1)
      switch random.below(5) {
      case 0, 1: peers[peer].insert(.random(1 + random.below(8), using: &random), at: at)
      case 2: peers[peer].delete(at..<min(length, at + 3))
      case 3: for back in 0..<min(3, at) { peers[peer].delete(at - 1 - back..<at - back) }
      default: _ = try peers[peer].apply(peers[random.below(3)].update(since: peers[peer].versionVector))
      }
    }
    return peers
  }
}
