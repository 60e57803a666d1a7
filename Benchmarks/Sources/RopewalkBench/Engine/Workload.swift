import RopewalkCore

/// Fixed work drawn from a seed, needing no recorded data, to count instructions over.
enum Workload: String, CaseIterable {
  /// One author types and deletes, 300,000 characters.
  case keys
  /// The same with 20,000, each edit encoded as it is made.
  case typing
  /// A sequential history of 100,000 events, from bytes to text.
  case sequentialReplay = "sequential-replay"
  /// Two people typing at once, some 8,000 events each and few characters between two exchanges, from bytes to text.
  case liveReplay = "live-replay"
  /// Two branches of 10,000 edits at random places, merged.
  case offlineMerge = "offline-merge"
  /// A snapshot of 100,000 events opened, edited and written again.
  case open
  /// What is made to hurt (`HurtfulShape`), with sizes that take a moment.
  case interleavedIDs = "interleaved-ids"
  case staleIDs = "stale-ids"
  case farApart = "far-apart"
  case backwardsAtOnePlace = "backwards-at-one-place"
  case waiting = "waiting"
  case everybodyDeletes = "everybody-deletes"

  /// Prepares, then works unless told not to; the difference in instructions is the work's. Returns the length of
  /// the final text in bytes.
  func run(onlyPreparing: Bool) throws -> Int {
    switch self {
    case .keys:
      let branch = Branch(.runs, count: 300_000, onLength: 0, seed: 6)
      guard !onlyPreparing else { return branch.steps.count }
      var document = Self.document(1)
      document.perform(branch)
      return document.utf8Count
    case .typing:
      let branch = Branch(.runs, count: 20_000, onLength: 0, seed: 1)
      return onlyPreparing ? branch.steps.count : Self.typed(branch)
    case .sequentialReplay:
      var document = Self.document(1)
      document.perform(Branch(.runs, count: 100_000, onLength: 0, seed: 2))
      let bytes = document.update(since: VersionVector()).bytes
      return onlyPreparing ? bytes.count : try Self.replayed(bytes)
    case .liveReplay:
      let bytes = try Self.liveHistory(rounds: 2_000)
      return onlyPreparing ? bytes.count : try Self.replayed(bytes)
    case .offlineMerge:
      var (one, other) = (Self.document(1), Self.document(2))
      one.perform(Branch(.random, count: 10_000, onLength: 0, seed: 3))
      other.perform(Branch(.random, count: 10_000, onLength: 0, seed: 4))
      let bytes = other.update(since: VersionVector()).bytes
      if !onlyPreparing { _ = try one.apply(Update(bytes: bytes)) }
      return one.utf8Count
    case .open:
      var document = Self.document(1)
      document.perform(Branch(.runs, count: 100_000, onLength: 0, seed: 5))
      let bytes = document.snapshot()
      guard !onlyPreparing else { return bytes.count }
      var opened = try TextDocument(snapshot: bytes)
      opened.replica = ReplicaID(rawValue: 2)
      opened.insert("x", at: opened.scalarCount / 2)
      return opened.snapshot().count
    case .interleavedIDs: return try Self.hurt(.interleavedIDs, 3_000, onlyPreparing)
    case .staleIDs: return try Self.hurt(.staleIDs, 1_000, onlyPreparing)
    case .farApart: return try Self.hurt(.farApart, 600, onlyPreparing)
    case .backwardsAtOnePlace: return try Self.hurt(.backwardsAtOnePlace, 3_000, onlyPreparing)
    case .waiting: return try Self.hurt(.waiting, 2_000, onlyPreparing)
    case .everybodyDeletes: return try Self.hurt(.everybodyDeletes, 200, onlyPreparing)
    }
  }

  private static func hurt(_ shape: HurtfulShape, _ count: Int, _ onlyPreparing: Bool) throws -> Int {
    let history = try shape.history(of: count)
    return onlyPreparing ? history.updates.count : try history.merged().utf8Count
  }

  private static func document(_ replica: UInt64) -> TextDocument {
    var document = TextDocument()
    document.replica = ReplicaID(rawValue: replica)
    return document
  }

  private static func typed(_ branch: Branch) -> Int {
    var document = document(1)
    for (seq, step) in branch.steps.enumerated() {
      if let text = step.inserted {
        document.insert(text, at: step.position)
      } else {
        document.delete(step.position..<step.position + 1)
      }
      let span = EventSpan(replica: ReplicaID(rawValue: 1), seqs: UInt32(seq)..<UInt32(seq) + 1)
      keep(document.update(of: span))
    }
    return document.utf8Count
  }

  private static func replayed(_ bytes: [UInt8]) throws -> Int {
    let update = try Update(bytes: bytes)
    var document = TextDocument(lineage: update.lineage)
    _ = try document.apply(update)
    return document.utf8.count
  }

  /// Two people who each type one to seven characters between two exchanges; now and then one of them pauses.
  private static func liveHistory(rounds: Int) throws -> [UInt8] {
    var random = SplitMix(seed: 6)
    var documents = [document(1), document(2)]
    for round in 0..<rounds {
      let before = documents.map(\.versionVector)
      for author in 0..<(round % 10 == 9 ? 1 : 2) {
        let place = random.below(documents[author].scalarCount + 1)
        documents[author].insert(random.words(1 + random.below(7)), at: place)
      }
      let updates = (0..<2).map { documents[$0].update(since: before[$0]) }
      for author in 0..<2 { _ = try documents[author].apply(updates[1 - author]) }
    }
    return documents[0].update(since: VersionVector()).bytes
  }
}
