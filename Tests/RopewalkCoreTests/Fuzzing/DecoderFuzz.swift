import RopewalkCore

/// Feeds damaged bytes to one decoder, and uses what it accepts.
struct DecoderFuzz {
  enum Target: CaseIterable { case update, snapshot, version, versionVector }

  let target: Target
  let corpus: Corpus
  private(set) var accepted = 0
  private(set) var refused = 0
  /// Of updates that were accepted: how many were taken in, and how many had columns that do not hold.
  private(set) var canonical = 0
  private(set) var malformed = 0

  init(_ target: Target, corpus: Corpus) {
    self.target = target
    self.corpus = corpus
  }

  /// One input: damaged, and mostly with its checksums made right again, so that it is read to the end.
  func input(using random: inout SplitMix) -> [UInt8] {
    switch target {
    case .update:
      if random.chance(50), var parts = UpdateParts(pick(corpus.updates, &random)) {
        for _ in 0..<1 + random.below(2) { parts.mutate(using: &random) }
        return parts.bytes
      }
      let bytes = Mutation.mutate(pick(corpus.updates, &random), with: corpus.updates, using: &random)
      return random.chance(85) ? Mutation.repaired(bytes) : bytes
    case .snapshot:
      if random.chance(25) {
        let bytes = Mutation.mutate(pick(corpus.snapshots, &random), with: corpus.snapshots, using: &random)
        return random.chance(70) ? Mutation.repaired(bytes) : bytes
      }
      var parts = SnapshotParts(pick(corpus.snapshots, &random))
      parts.mutate(with: corpus.updates, using: &random)
      return parts.bytes
    case .version:
      return Mutation.mutate(pick(corpus.versions, &random), with: corpus.versions, using: &random)
    case .versionVector:
      return Mutation.mutate(pick(corpus.vectors, &random), with: corpus.vectors, using: &random)
    }
  }

  /// Reads the input; throws only when the decoder contradicts itself.
  mutating func run(_ bytes: [UInt8], using random: inout SplitMix) throws {
    var document = corpus.documents[random.below(corpus.documents.count)]
    switch target {
    case .update:
      let isCanonical = ReferenceDecoder.isCanonical(bytes)
      guard let update = accept({ try Update(bytes: bytes) }) else {
        try Mismatch.check("an update is read", false, isCanonical == true && Self.isRepaired(bytes))
        return
      }
      try checkReading(of: update, isCanonical)
      if random.chance(60) { document = TextDocument(lineage: update.lineage) }
      let before = document.utf8
      do {
        var shadow = Array(document.text.unicodeScalars)
        for patch in try document.apply(update) {
          let range = patch.position..<patch.position + patch.deleted
          shadow.replaceSubrange(range, with: Array(patch.insertedText.unicodeScalars))
        }
        try Mismatch.check("text by patches", Array(document.text.unicodeScalars), shadow)
      } catch is ApplyError {
        try Mismatch.check("the text after an error", document.utf8, before)
        return
      }
      try use(&document)
    case .snapshot:
      guard var unread = accept({ try UnreadDocument(snapshot: bytes) }) else {
        do { _ = try TextDocument(snapshot: bytes) } catch { return }
        throw Mismatch("what is refused unread was read")
      }
      _ = unread.versionVector
      let id = ReplicaID(rawValue: 0x1234_5679)
      let isFresh = unread.versionVector[id] == 0
      if isFresh {
        unread.replica = id
        unread.insert("y", at: unread.scalarCount)
        unread.delete(0..<1)
        if unread.updates(maximumBytes: 60).isEmpty { throw Mismatch("an edit gave no update") }
      }
      guard var opened = accept({ try TextDocument(snapshot: bytes) }) else {
        do { _ = try unread.read() } catch { return }
        throw Mismatch("what is refused whole was read")
      }
      if opened.takeRefusedUpdates().isEmpty {
        try Mismatch.check("the snapshot again", opened.snapshot(), bytes)
      }
      if isFresh, opened.versionVector[id] == 0 {
        opened.replica = id
        opened.insert("y", at: opened.scalarCount)
        opened.delete(0..<1)
      }
      var read = try unread.read()
      if SnapshotParts(bytes).waiting.isEmpty {
        try Mismatch.check("text of what was read later", read.utf8, opened.utf8)
      }
      try use(&opened)
      try use(&read)
    case .version:
      guard let version = accept({ try Version(encoded: bytes) }) else { return }
      try Mismatch.check("version", version.encoded, bytes)
      _ = document.text(at: version)
    case .versionVector:
      guard let vector = accept({ try VersionVector(encoded: bytes) }) else { return }
      try Mismatch.check("version vector", vector.encoded, bytes)
      _ = document.update(since: vector)
      _ = document.updates(since: vector, maximumBytes: 50)
    }
  }

  /// An update is taken in just if it is what an encoder gives for its events, and is given again.
  private mutating func checkReading(of update: Update, _ isCanonical: Bool?) throws {
    var document = TextDocument(lineage: update.lineage)
    do { _ = try document.apply(update) } catch {
      if case .malformed = error {
        malformed += 1
        try Mismatch.check("an update is taken in", false, isCanonical ?? false)
      }
      return
    }
    try Mismatch.check("an update is taken in", true, isCanonical ?? true)
    canonical += 1
    guard document.pendingEventCount == 0 else { return }
    try Mismatch.check("the update again", document.update(since: VersionVector()).bytes, update.bytes)
  }

  private static func isRepaired(_ bytes: [UInt8]) -> Bool { Mutation.repaired(bytes) == bytes }

  private mutating func accept<Value>(_ decode: () throws -> Value) -> Value? {
    do {
      let value = try decode()
      accepted += 1
      return value
    } catch {
      refused += 1
      return nil
    }
  }

  /// Edits, saves, opens, sends: what a document does that took in strange bytes.
  private func use(_ document: inout TextDocument) throws {
    let copy = try TextDocument(snapshot: document.snapshot())
    try Mismatch.check("text of the snapshot", copy.utf8, document.utf8)
    _ = document.updates(since: VersionVector(), maximumBytes: 100)
    for head in document.version.heads.prefix(2) { _ = document.text(at: Version(heads: [head])) }
    _ = document.pendingEventCount + document.missingEvents.count
    document.replica = ReplicaID(rawValue: 0x1234_5678)
    guard document.versionVector[ReplicaID(rawValue: 0x1234_5678)] == 0 else { return }
    document.insert("x🙂", at: document.scalarCount / 2)
    document.delete(0..<1)
    _ = document.utf16Offset(ofScalar: document.scalarCount)
    for update in corpus.updates.prefix(4) {
      guard let update = try? Update(bytes: update), update.lineage == document.lineage else { continue }
      _ = try? document.apply(update)
    }
  }

  private func pick(_ inputs: [[UInt8]], _ random: inout SplitMix) -> [UInt8] {
    inputs[random.below(inputs.count)]
  }
}
