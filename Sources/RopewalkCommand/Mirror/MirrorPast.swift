import Ropewalk

/// What a file held before others' changes were written into it.
///
/// A program that reads a file, changes the text and saves it does not always notice that the file was
/// written in between; its save would take others' changes back. So a save is taken as made from an earlier
/// text of the file, and merges with what came since, if
///
/// - every line that has come since is absent in it, and every line that went is there (`takesBack`), and
/// - it was made within a blink of the write, when nobody can have seen what was written; or, within some
/// minutes,
///   it is nearer to that earlier text than to the present one, has at least half of its lines, and is not just that
///   text.
///
/// The second case can be somebody who did read what others wrote, took all of it out and wrote something
/// else. Then what they took out comes back; but an earlier text serves once, so that they can take it out
/// again. A save that is just the earlier text counts as what it looks like, after the blink: somebody took
/// out what others wrote.
struct MirrorPast {
  private struct Moment {
    /// The version, as `MirrorBase` keeps it.
    let encoded: [UInt8]
    let text: [UInt8]
    let end: Double
  }

  /// How many seconds a program may take between reading and saving in any case.
  static let blink = 0.1
  /// How many seconds an earlier text is remembered.
  static let memory = 300.0
  private static let limit = 32
  /// All remembered texts together have at most so many bytes.
  private static let maximumBytes = 4 << 20

  private var moments: [Moment] = []

  /// A save, and whether it was taken as made from an earlier text.
  struct Taken {
    var saving: MirrorBase.Saving
    var isOfThePast: Bool
  }

  /// The file held this until `end`, in seconds since 1970.
  mutating func remember(_ base: MirrorBase, until end: Double) {
    moments.append(Moment(encoded: base.encoded, text: base.text, end: end))
    var bytes = moments.reduce(0) { $0 + $1.text.count }
    while moments.count > Self.limit || (moments.count > 1 && bytes > Self.maximumBytes) {
      bytes -= moments.removeFirst().text.count
    }
  }

  /// Takes a save, made at `time`, as made from the present base, or from a past one if it takes back what
  /// came between.
  mutating func saving(
    _ text: [UInt8], _ base: MirrorBase, at time: Double, into whole: TextDocument
  ) -> Taken {
    moments.removeAll { time - $0.end > Self.memory }
    let literal = Taken(saving: base.saving(text, into: whole), isOfThePast: false)
    if moments.isEmpty { return literal }
    let (saved, present) = (LineCounts(text), LineCounts(base.text))
    var best: (saving: MirrorBase.Saving, index: Int, isRecent: Bool)?
    for (index, moment) in moments.enumerated().reversed() {
      let isRecent = time - moment.end <= Self.blink
      let before = LineCounts(moment.text)
      guard isRecent || (moment.text != text && saved.hasHalf(of: before)), saved.takesBack(before, present),
        let earlier = MirrorBase(moment.encoded, of: whole)
      else { continue }
      let saving = earlier.saving(text, into: whole)
      guard isRecent || saving.cost < literal.saving.cost, saving.cost < best?.saving.cost ?? .max else {
        continue
      }
      best = (saving, index, isRecent)
    }
    guard let best else { return literal }
    if !best.isRecent { moments.removeFirst(best.index + 1) }
    return Taken(saving: best.saving, isOfThePast: true)
  }
}

/// How often each line is in a text.
private struct LineCounts {
  private var counts: [ArraySlice<UInt8>: Int] = [:]

  init(_ text: [UInt8]) {
    for line in text.split(separator: 0x0a) { counts[line, default: 0] += 1 }
  }

  /// Whether what changed from `before` to `after` is not here: nothing that came, all that went.
  func takesBack(_ before: LineCounts, _ after: LineCounts) -> Bool {
    let changed = Set(before.counts.keys).union(after.counts.keys).filter { before[$0] != after[$0] }
    return !changed.isEmpty
      && changed.allSatisfy { before[$0] < after[$0] ? self[$0] <= before[$0] : self[$0] >= before[$0] }
  }

  /// Whether at least half of the lines of a text that has some are here.
  func hasHalf(of other: LineCounts) -> Bool {
    let (all, common) = other.counts.reduce(into: (0, 0)) { sum, line in
      sum.0 += line.value
      sum.1 += min(line.value, self[line.key])
    }
    return all > 0 && 2 * common >= all
  }

  private subscript(line: ArraySlice<UInt8>) -> Int { counts[line] ?? 0 }
}
