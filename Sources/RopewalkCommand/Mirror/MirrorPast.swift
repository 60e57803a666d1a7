import Ropewalk

/// What a file held a moment ago.
///
/// A program that reads a file, changes the text and saves it does not notice if others' changes were written into the file
/// in between; its save would take them back. So a save that was made within a blink of such a write, and in which
/// every line that the write brought is absent and every line that it took away is there, is taken as made from what the
/// file held before.
struct MirrorPast {
  private struct Moment {
    let base: MirrorBase
    let end: Double
  }

  /// How many seconds a program may take between reading and saving. People take longer, but their editors warn them;
  /// and whoever has seen what others wrote may change it.
  static let blink = 0.1
  private static let limit = 8

  private var moments: [Moment] = []

  /// The file held this until `end`, in seconds since 1970.
  mutating func remember(_ base: MirrorBase, until end: Double) {
    moments.append(Moment(base: base, end: end))
    if moments.count > Self.limit { moments.removeFirst() }
  }

  /// Takes a save, made at `time`, as made from the present base, or from a past one if it takes back what came between.
  mutating func saving(
    _ text: [UInt8], _ base: MirrorBase, at time: Double, into whole: TextDocument
  ) -> MirrorBase.Saving {
    moments.removeAll { time - $0.end > Self.blink }
    let (saved, present) = (LineCounts(text), LineCounts(base.text))
    var stale: MirrorBase.Saving?
    for moment in moments.reversed() where saved.takesBack(LineCounts(moment.base.text), present) {
      let other = moment.base.saving(text, into: whole)
      if other.cost < stale?.cost ?? .max { stale = other }
    }
    return stale ?? base.saving(text, into: whole)
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

  private subscript(line: ArraySlice<UInt8>) -> Int { counts[line] ?? 0 }
}
