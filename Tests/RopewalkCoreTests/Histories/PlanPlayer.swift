import RopewalkCore

/// Plays a plan through the engine's public face and compares with the reference after every step.
struct PlanPlayer {
  private var reference = ReferenceHistory()
  private var peers: [Peer]
  private var random: SplitMix
  private var usedReplicas = Set<UInt64>()

  /// Throws what differs first. `seed` draws replica ids and deliveries.
  static func play(_ plan: Plan, seed: UInt64) throws {
    var player = PlanPlayer(plan, seed: seed)
    for (number, step) in plan.steps.enumerated() {
      do {
        let peer = try player.play(step)
        try player.peers[peer].check(in: player.reference)
        for other in player.peers {
          try Mismatch.check("a bystander", other.document.utf8, other.utf8OfShadow)
        }
      } catch { throw Mismatch("after step \(number), \(step): \(error)") }
    }
    do { try player.finish() } catch { throw Mismatch("at the end: \(error)") }
  }

  private init(_ plan: Plan, seed: UInt64) {
    random = SplitMix(seed: seed)
    peers = Array(repeating: Peer(), count: plan.peers)
    for index in peers.indices { beginSession(index) }
  }

  private mutating func beginSession(_ peer: Int) {
    // Small, huge, and neighbouring ids, so that an order by signed or truncated numbers shows.
    var id: UInt64
    repeat {
      id = [random.next() & 0xff, random.next(), UInt64.max - (random.next() & 0xf)][random.below(3)]
    } while !usedReplicas.insert(id).inserted
    peers[peer].document.replica = ReplicaID(rawValue: id)
  }

  /// Returns the peer whose document may have changed.
  private mutating func play(_ step: Plan.Step) throws -> Int {
    switch step {
    case .insert(let peer, let at, let text): insert(peer, at, text)
    case .insertBackwards(let peer, let at, let text):
      for scalar in text.unicodeScalars { insert(peer, at, String(scalar)) }
    case .delete(let peer, let at, let count): delete(peer, at, count)
    case .deleteBackwards(let peer, let at, let count):
      for back in 0..<count where at >= back && at - back < peers[peer].shadow.count {
        delete(peer, at - back, 1)
      }
    case .replace(let peer, let at, let count, let text): replace(peer, at, count, text)
    case .merge(let peer, let other):
      let update = peers[other].document.update(since: peers[peer].document.versionVector)
      try peers[peer].apply(update, in: reference)
    case .mergePieces(let peer, let other, let seed): try mergePieces(peer, other, seed)
    case .reopen(let peer):
      let snapshot = peers[peer].document.snapshot()
      let unread = try UnreadDocument(snapshot: snapshot)
      try Mismatch.check("text of the unread snapshot", unread.utf8, peers[peer].document.utf8)
      peers[peer].document = random.chance(50) ? try unread.read() : try TextDocument(snapshot: snapshot)
      beginSession(peer)
    case .newSession(let peer): beginSession(peer)
    case .fork(let peer, let from):
      peers[peer] = peers[from]
      beginSession(peer)
      if peer != from { beginSession(from) }
    case .lookBack(let peer, let seed):
      let moments = peers[peer].moments
      try peers[peer].checkText(at: moments[Int(seed % UInt64(moments.count))], in: reference)
    }
    let peer = step.peer
    peers[peer].moments.append(peers[peer].document.version)
    return peer
  }

  private mutating func mergePieces(_ peer: Int, _ other: Int, _ seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let pieces = try Delivery.pieces(of: peers[other].document, using: &random)
    for piece in pieces where random.chance(60) {
      try peers[peer].apply(piece, in: reference)
      try peers[peer].check(in: reference)
    }
  }

  // MARK: Edits

  private mutating func insert(_ peer: Int, _ at: Int, _ text: String) {
    let at = at % (peers[peer].shadow.count + 1)
    peers[peer].document.insert(text, at: at)
    record(peer, inserting: text, at: at)
  }

  private mutating func delete(_ peer: Int, _ at: Int, _ count: Int) {
    let range = range(peer, at, count)
    peers[peer].document.delete(range)
    record(peer, deleting: range)
  }

  private mutating func replace(_ peer: Int, _ at: Int, _ count: Int, _ text: String) {
    let range = range(peer, at, count)
    peers[peer].document.replace(range, with: text)
    record(peer, deleting: range)
    record(peer, inserting: text, at: range.lowerBound)
  }

  private func range(_ peer: Int, _ at: Int, _ count: Int) -> Range<Int> {
    let length = peers[peer].shadow.count
    let at = at % (length + 1)
    return at..<min(length, at + count)
  }

  private mutating func record(_ peer: Int, inserting text: String, at index: Int) {
    for (offset, scalar) in text.unicodeScalars.enumerated() {
      peers[peer].shadow.insert(scalar, at: index + offset)
      record(peer, .insert(scalar, at: index + offset))
    }
  }

  private mutating func record(_ peer: Int, deleting range: Range<Int>) {
    peers[peer].shadow.removeSubrange(range)
    for _ in range { record(peer, .delete(at: range.lowerBound)) }
  }

  private mutating func record(_ peer: Int, _ operation: ReferenceEvent.Operation) {
    guard let replica = peers[peer].document.replica else { return }
    let seq = reference.events.count { $0.id.replica == replica }
    let event = ReferenceEvent(
      id: EventID(replica: replica, seq: UInt32(seq)), parents: reference.heads(of: peers[peer].known),
      operation: operation)
    reference.add(event)
    peers[peer].given.insert(event.id)
    peers[peer].settle(in: reference)
  }

  // MARK: The end

  /// Everybody meets; then the whole history goes to newcomers in many ways.
  private mutating func finish() throws {
    // More than once: what waited at one may be known there only after it met the others.
    for _ in peers {
      for peer in peers.indices.dropFirst() { try meet(0, peer) }
      for peer in peers.indices.dropFirst() { try meet(peer, 0) }
    }
    for peer in peers {
      try Mismatch.check("what all know", peer.document.version, peers[0].document.version)
    }
    try peers[0].checkConversions()
    for moment in peers[0].moments.shuffled(using: &random).prefix(4) {
      try peers[peers.count - 1].checkText(at: moment, in: reference)
    }
    try checkSpans()
    for _ in 0..<3 { try deliverToNewcomer() }
    // Without what only lost documents knew: the order must not depend on that.
    var remaining = ReferenceHistory()
    for (number, event) in reference.events.enumerated() where peers[0].known[number] { remaining.add(event) }
    try Mismatch.check("the walk's text", ReferenceWalk.scalars(of: remaining), peers[0].shadow)
  }

  private mutating func meet(_ peer: Int, _ other: Int) throws {
    let update = peers[other].document.update(since: peers[peer].document.versionVector)
    guard !update.isEmpty else { return peers[peer].settle(in: reference) }
    try peers[peer].apply(update, in: reference)
    try peers[peer].check(in: reference)
  }

  /// The same span has the same bytes at every peer.
  private mutating func checkSpans() throws {
    let pieces = try Delivery.spans(of: peers[0].document, longest: 12, using: &random)
    for piece in pieces {
      guard let other = peers.randomElement(using: &random) else { return }
      try Mismatch.check(
        "bytes of \(piece.spans[0])", other.document.update(of: piece.spans[0])?.bytes, piece.bytes)
    }
  }

  private mutating func deliverToNewcomer() throws {
    var newcomer = Peer()
    let from = random.below(peers.count)
    let pieces = try Delivery.pieces(of: peers[from].document, using: &random)
    let reopening = random.below(pieces.count + 1)
    for (number, piece) in pieces.enumerated() {
      let bytes = piece.bytes
      try newcomer.apply(try Update(bytes: bytes), in: reference)
      if number == reopening { newcomer.document = try TextDocument(snapshot: newcomer.document.snapshot()) }
      try newcomer.check(in: reference)
    }
    try Mismatch.check("events still waiting", newcomer.document.pendingEventCount, 0)
    try Mismatch.check("the newcomer's text", newcomer.shadow, peers[0].shadow)
  }
}

extension Peer {
  fileprivate var utf8OfShadow: [UInt8] { Array(String(shadow).utf8) }
}

extension Plan.Step {
  fileprivate var peer: Int {
    switch self {
    case .insert(let peer, _, _), .insertBackwards(let peer, _, _), .delete(let peer, _, _),
      .deleteBackwards(let peer, _, _), .replace(let peer, _, _, _), .merge(let peer, _),
      .mergePieces(let peer, _, _), .reopen(let peer), .newSession(let peer), .fork(let peer, _),
      .lookBack(let peer, _):
      peer
    }
  }
}
