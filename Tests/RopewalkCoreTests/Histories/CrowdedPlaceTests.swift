import RopewalkCore
import Testing

/// Random histories of many who know little of each other and write at one place, or take turns far apart: all that
/// is merged as it comes, an edit at a time, is compared with the reference.
@Suite struct CrowdedPlaceTests {
  @Test(arguments: CrowdShape.allCases) func everyOrderShowsWhatTheReferenceSays(shape: CrowdShape) throws {
    for seed in RandomSeeds(default: 40) {
      do { try Self.play(shape, seed: seed) } catch {
        Issue.record("ROPEWALK_SEED=\(seed), \(shape): \(error)")
        return
      }
    }
  }

  private static func play(_ shape: CrowdShape, seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let crowd = try Crowd(shape, using: &random)
    var reference = ReferenceHistory()
    var turns = TextDocument()
    // Each as soon as it is there, compared on the way.
    for (number, edit) in crowd.edits.enumerated() {
      for event in edit.events { reference.add(event) }
      _ = try turns.apply(edit.update)
      guard number % 5 == 0 || number == crowd.edits.count - 1 else { continue }
      let all = Array(repeating: true, count: reference.events.count)
      try Mismatch.check(
        "text after \(number) edits", turns.utf8, Array(String(reference.scalars(in: all)).utf8))
    }
    for order in [crowd.edits.shuffled(using: &random), crowd.edits.sorted { $0.author < $1.author }] {
      var document = TextDocument()
      let size = 1 + random.below(9)
      for start in stride(from: 0, to: order.count, by: size) {
        let updates = order[start..<min(order.count, start + size)].map { $0.update }
        try Mismatch.check("updates that failed", document.apply(updates).failures.count, 0)
      }
      try Mismatch.check("events that wait", document.pendingEventCount, 0)
      try Mismatch.check("the text in another order", document.utf8, turns.utf8)
    }
  }
}

/// How the edits of a crowd lie to each other.
enum CrowdShape: CaseIterable {
  /// All type at one place, leftwards, and delete what is there.
  case backwards
  /// All type at one place, rightwards, from old letters on.
  case forwards
  /// All delete one range and write into it.
  case deleting
  /// All write anywhere and hardly ever see each other.
  case apart
}

/// A crowd's edits, in an order in which they can be merged.
struct Crowd {
  struct Edit {
    var author: Int
    var update: Update
    var events: [ReferenceEvent]
  }
  private(set) var edits: [Edit] = []

  init(_ shape: CrowdShape, using random: inout SplitMix) throws {
    var base = Author(random.next())
    let length = random.below(3) == 0 ? 0 : 1 + random.below(12)
    if length > 0 { base.insert(.random(length, using: &random), at: 0) }
    note(base, 0, since: VersionVector(), events: 0)
    var authors = (0..<3 + random.below(5)).map { _ in Author(random.next(), of: base.document) }
    let place = random.below(length + 1)
    for _ in 0..<(shape == .apart ? 90 : 36) {
      let author = random.below(authors.count)
      if random.chance(shape == .apart ? 2 : 8) {
        try authors[author].merge(authors[random.below(authors.count)].document)
      }
      let (known, events) = (authors[author].document.versionVector, authors[author].events.count)
      Self.edit(&authors[author], shape, at: place, using: &random)
      note(authors[author], author + 1, since: known, events: events)
    }
  }

  private mutating func note(_ author: Author, _ number: Int, since known: VersionVector, events: Int) {
    guard author.events.count > events else { return }
    let update = author.document.update(since: known)
    edits.append(Edit(author: number, update: update, events: Array(author.events[events...])))
  }

  private static func edit(
    _ author: inout Author, _ shape: CrowdShape, at place: Int, using random: inout SplitMix
  ) {
    let length = author.document.scalarCount
    let at = min(place, length)
    switch shape {
    case .backwards:
      if random.chance(15), at < length { return author.delete(at..<at + 1) }
      author.insert(.random(1, using: &random), at: at)
    case .forwards:
      if random.chance(15), at < length { return author.delete(at..<at + 1) }
      author.insert(.random(1, using: &random), at: min(length, at + random.below(4)))
    case .deleting:
      if random.chance(40), length > 2 { return author.delete(length / 4..<length - length / 4) }
      author.insert(.random(1, using: &random), at: random.below(length + 1))
    case .apart: author.edit(1, using: &random)
    }
  }
}
