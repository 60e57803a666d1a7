import Testing

@testable import RopewalkCore

/// Edits of one author as they come from a keyboard: keys that go on where the last one was, erasing both ways, jumps,
/// and pastes that are too long for a draft; with what a merge or a new session puts between them.
@Suite struct TypingTests {
  @Test func whatIsTypedIsTheTextAndTheHistory() throws {
    for seed in RandomSeeds(default: 500) {
      var typist = Typist(seed: seed)
      for _ in 0..<120 { try typist.act() }
      try typist.tell()
      #expect(typist.document.text == typist.text, "ROPEWALK_SEED=\(seed)")
      var newcomer = TextDocument()
      _ = try newcomer.apply(typist.document.update(since: VersionVector()))
      #expect(newcomer.text == typist.text, "ROPEWALK_SEED=\(seed)")
      #expect(typist.follower.text == typist.text, "ROPEWALK_SEED=\(seed)")
      // How the edits were grouped shows in the bytes.
      for (replica, count) in typist.document.versionVector.entries {
        let span = EventSpan(replica: replica, seqs: 0..<count)
        let bytes = typist.document.update(of: span)?.bytes
        #expect(typist.follower.update(of: span)?.bytes == bytes, "ROPEWALK_SEED=\(seed)")
        #expect(newcomer.update(of: span)?.bytes == bytes, "ROPEWALK_SEED=\(seed)")
      }
    }
  }
}

private struct Typist {
  var document = TextDocument()
  /// Gets each edit, or a few together, as an update.
  var follower = TextDocument()
  private var model: [Unicode.Scalar] = []
  private var caret = 0
  private var random: SplitMix
  private var sessions: UInt64 = 0

  var text: String {
    var scalars = String.UnicodeScalarView()
    scalars.append(contentsOf: model)
    return String(scalars)
  }

  init(seed: UInt64) {
    random = SplitMix(seed: seed)
    beginSession()
  }

  private mutating func beginSession() {
    sessions += 1
    document.replica = ReplicaID(rawValue: sessions)
  }

  mutating func act() throws {
    switch random.below(20) {
    case 0: caret = random.below(model.count + 1)
    case 1: caret = max(0, caret - 1 - random.below(3))
    case 2: paste()
    case 3: try tell()
    case 4: try hear()
    case 5 where random.chance(30): beginSession()
    case 6...8: erase(forward: true)
    case 9...12: erase(forward: false)
    default: for _ in 0...random.below(4) { insert(random.chance(85) ? "k" : "é") }
    }
    if random.chance(10) { try tell() }
  }

  private mutating func paste() {
    // At the caret, or where an earlier edit began.
    if random.chance(50) { caret = random.below(min(model.count, 3) + 1) }
    insert(String(repeating: "p", count: TextBuffer.Draft.limit * random.below(3) / 2 + random.below(3)))
    if random.chance(30) { caret = random.below(min(model.count, 3) + 1) }
  }

  private mutating func insert(_ text: String) {
    document.insert(text, at: caret)
    model.insert(contentsOf: text.unicodeScalars, at: caret)
    caret += text.unicodeScalars.count
  }

  private mutating func erase(forward: Bool) {
    for _ in 0...random.below(3) {
      let count = random.chance(80) ? 1 : 2
      let start = forward ? caret : caret - count
      guard start >= 0, start + count <= model.count else { return }
      document.delete(start..<start + count)
      model.removeSubrange(start..<start + count)
      caret = start
    }
  }

  mutating func tell() throws {
    _ = try follower.apply(document.update(since: follower.versionVector))
  }

  /// What another wrote meanwhile arrives.
  private mutating func hear() throws {
    try tell()
    follower.replica = ReplicaID(rawValue: 1 << 40 + sessions * 1000 + UInt64(follower.eventCount))
    let index = random.below(model.count + 1)
    follower.insert("o", at: index)
    if random.chance(50) { insert("x") }
    _ = try document.apply(follower.update(since: document.versionVector))
    try tell()
    model = Array(document.text.unicodeScalars)
    caret = min(caret, model.count)
  }
}
