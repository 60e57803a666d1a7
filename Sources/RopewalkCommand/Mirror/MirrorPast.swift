import Ropewalk

/// What a file held a moment ago.
///
/// A program that reads a file, changes the text and saves it does not notice if others' changes were written into the file
/// in between; its save would take them back. So a save that was made within a blink of such a write is compared
/// with what the file held before as well, and is taken as made from whatever it differs least from.
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

  /// Takes a save, made at `time`, as made from the present base, or from a past one that ended a moment before if it differs
  /// less from that.
  mutating func saving(
    _ text: [UInt8], _ base: MirrorBase, at time: Double, into whole: TextDocument
  ) -> MirrorBase.Saving {
    moments.removeAll { time - $0.end > Self.blink }
    var best = base.saving(text, into: whole)
    for moment in moments.reversed() {
      let other = moment.base.saving(text, into: whole)
      if other.cost < best.cost { best = other }
    }
    return best
  }
}
