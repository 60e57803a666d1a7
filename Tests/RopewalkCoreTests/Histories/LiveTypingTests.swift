import Testing

@testable import RopewalkCore

/// People who type at once, for long, and get each other's keystrokes one by one and late: then no version
/// has a single head, and documents go on with the walk of the merge before.
@Suite struct LiveTypingTests {
  @Test func documentsThatWalkOnAgreeWithOnesThatWalkAnew() throws {
    for seed in RandomSeeds(default: 60) {
      var random = SplitMix(seed: seed)
      var session = LiveSession(people: 2 + random.below(4), latency: 1 + random.below(12))
      try session.play(steps: 60 + random.below(240), checkingEach: 16, "seed \(seed)", using: &random)
    }
  }

  /// More people than the walker keeps views for.
  @Test(arguments: [8, 25, 70])
  func crowdsAgreeWithWalksThatBeginAnew(people: Int) throws {
    for seed in RandomSeeds(default: 2) {
      var random = SplitMix(seed: seed)
      var session = LiveSession(people: people, latency: 1 + random.below(2 * people))
      try session.play(
        steps: max(4000 / people, 3 * people), checkingEach: 64, "seed \(seed)", using: &random)
    }
  }

  /// More people than the walker keeps the knowledge of: first each types once, then some of them go on and
  /// others still come. Nobody hears of the first, so all of it is one walk; for one who has not heard of it
  /// either, it is many short ones.
  @Test func visitorsAgreeWithShorterWalks() throws {
    for seed in RandomSeeds(default: 2) {
      var random = SplitMix(seed: seed)
      let latency = 1 + random.below(40)
      var listener = LiveSession(people: 1, latency: 1)
      var late = listener.documents[0]
      var updates: [Update] = []
      for step in 0..<Knowledge.authorLimit + 200 {
        if step > latency { _ = try late.apply(updates[step - latency]) }
        let visitor = step < Knowledge.authorLimit || step % 50 == 0 ? step : 1 + step % 63
        var document = late
        // Ids in no order.
        document.replica = ReplicaID(rawValue: 1000 + UInt64(visitor) * 7919 % 10007)
        let at = random.chance(70) ? document.scalarCount / 2 : random.below(document.scalarCount + 1)
        document.insert(step == 0 ? "F" : "\(step % 10)", at: at)
        if step % 3 == 1 { document.delete(max(0, at - 2)..<at + 1) }
        updates.append(document.update(since: late.versionVector))
        try listener.deliver(updates[step], to: 0)
      }
      try listener.check("seed \(seed)", using: &random)
      for update in updates.suffix(latency) { _ = try late.apply(update) }
      #expect(listener.documents[0].text.filter { $0 != "F" } == late.text, "seed \(seed)")
    }
  }

  /// Two people who meet again every few keystrokes: read as a whole, each stretch is one that `PairWalker`
  /// takes.
  @Test func shortStretchesOfTwoAreTheSameAsAWhole() throws {
    for seed in RandomSeeds(default: 150) {
      var random = SplitMix(seed: seed)
      var session = LiveSession(people: 2, latency: 1 + random.below(10))
      for _ in 0..<(2 + random.below(8)) {
        for _ in 0..<(1 + random.below(24)) { try session.step(using: &random) }
        try session.finish()
      }
      try session.check("seed \(seed)", using: &random)
    }
  }

  /// The same, each at a caret of its own and mostly apart: what `ApartPair` takes, and what it must not take.
  @Test func peopleWhoTypeApartAreTheSameAsAWhole() throws {
    for seed in RandomSeeds(default: 150) {
      var random = SplitMix(seed: seed)
      var session = LiveSession(people: 2, latency: 1 + random.below(10), carets: [0, 9])
      for _ in 0..<(2 + random.below(8)) {
        for _ in 0..<(1 + random.below(40)) { try session.step(using: &random) }
        try session.finish()
      }
      try session.check("seed \(seed)", using: &random)
    }
  }

  @Test func copiesOfADocumentGoOnByThemselves() throws {
    for seed in RandomSeeds(default: 20) {
      var random = SplitMix(seed: seed)
      var session = LiveSession(people: 3, latency: 6)
      for _ in 0..<80 { try session.step(using: &random) }
      var other = session
      for _ in 0..<40 {
        try session.step(using: &random)
        try other.step(using: &random)
      }
      for var session in [session, other] {
        try session.finish()
        try session.check("seed \(seed)", using: &random)
      }
    }
  }
}

private struct LiveSession {
  private(set) var documents: [TextDocument] = []
  /// What patches make of each document's text.
  private var shown: [[Unicode.Scalar]]
  /// Per receiver: updates on their way, oldest first of each sender, with the step at which they are due.
  private var mail: [[(due: Int, sender: Int, update: Update)]]
  private let latency: Int
  private var clock = 0
  /// Where each types on; empty: all at a few places.
  private var carets: [Int]

  init(people: Int, latency: Int, carets: [Int] = []) {
    self.latency = latency
    self.carets = carets
    shown = Array(repeating: Array("base text".unicodeScalars), count: people)
    mail = Array(repeating: [], count: people)
    for person in 0..<people {
      var document = TextDocument(seed: "base text")
      document.replica = ReplicaID(rawValue: UInt64(100 - person))
      documents.append(document)
    }
  }

  /// So many steps, and then everybody gets everything.
  mutating func play(
    steps: Int, checkingEach interval: Int, _ name: String, using random: inout SplitMix
  ) throws {
    for step in 1...steps {
      try self.step(using: &random)
      if step % interval == 0 { try check("\(name) step \(step)", using: &random) }
    }
    try finish()
    try check("\(name) end", using: &random)
    for document in documents { #expect(document.text == documents[0].text, "\(name)") }
  }

  /// One person edits, and everybody gets what is due.
  mutating func step(using random: inout SplitMix) throws {
    clock += 1
    edit(random.below(documents.count), using: &random)
    for receiver in documents.indices {
      while let at = mail[receiver].firstIndex(where: { $0.due <= clock }) {
        let sender = mail[receiver][at].sender
        // A sender's updates come in order.
        let first = mail[receiver].firstIndex { $0.sender == sender } ?? at
        try deliver(mail[receiver].remove(at: first).update, to: receiver)
      }
    }
  }

  mutating func finish() throws {
    for receiver in documents.indices {
      for letter in mail[receiver] { try deliver(letter.update, to: receiver) }
      mail[receiver] = []
    }
  }

  private mutating func edit(_ person: Int, using random: inout SplitMix) {
    let known = documents[person].versionVector
    let length = documents[person].scalarCount
    let at = place(of: person, length, using: &random)
    if random.chance(75) || length == 0 {
      let text = String.random(1 + random.below(2), using: &random)
      documents[person].insert(text, at: at)
      shown[person].insert(contentsOf: text.unicodeScalars, at: at)
      if !carets.isEmpty { carets[person] = at + text.unicodeScalars.count }
    } else {
      let range = max(0, at - 1)..<min(length, max(0, at - 1) + 1 + random.below(2))
      documents[person].delete(range)
      shown[person].removeSubrange(range)
      if !carets.isEmpty { carets[person] = range.lowerBound }
    }
    let update = documents[person].update(since: known)
    for receiver in documents.indices where receiver != person {
      mail[receiver].append((clock + random.below(latency), person, update))
    }
  }

  private func place(of person: Int, _ length: Int, using random: inout SplitMix) -> Int {
    if !carets.isEmpty { return random.chance(96) ? min(length, carets[person]) : random.below(length + 1) }
    // Mostly at one of a few places, so that people meet.
    return random.chance(70) ? min(length, 3 * person) : random.below(length + 1)
  }

  mutating func deliver(_ update: Update, to receiver: Int) throws {
    for patch in try documents[receiver].apply(update) {
      shown[receiver].replaceSubrange(
        patch.position..<patch.position + patch.deleted, with: patch.insertedText.unicodeScalars)
    }
  }

  /// Compares one document with a new one of the same events, and with its patches.
  func check(_ name: String, using random: inout SplitMix) throws {
    let person = random.below(documents.count)
    var anew = TextDocument(lineage: documents[person].lineage)
    _ = try anew.apply(documents[person].update(since: VersionVector()))
    #expect(anew.text == documents[person].text, "\(name)")
    #expect(String(String.UnicodeScalarView(shown[person])) == documents[person].text, "\(name)")
  }
}
