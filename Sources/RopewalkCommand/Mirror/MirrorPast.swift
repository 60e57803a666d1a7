import Ropewalk

/// What a file held in the last moments.
///
/// A program that reads a file, changes the text and saves it does not notice if others' changes were written into the
/// file in between; its save would take them back. So a save that comes shortly after such a write is compared with what
/// the file held before as well, and is taken as made from whatever it differs least from.
struct MirrorPast {
  private struct Moment {
    let base: MirrorBase
    let end: ContinuousClock.Instant
  }

  /// How long a program may take between reading and saving. People take longer, but their editors warn them.
  static let window = Duration.seconds(2)
  private static let limit = 16

  private var moments: [Moment] = []
  /// The clock.
  var now: @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }

  /// The file held this until now.
  mutating func remember(_ base: MirrorBase) {
    moments.append(Moment(base: base, end: now()))
    if moments.count > Self.limit { moments.removeFirst() }
  }

  /// Takes a save as made from the present base, or from one that ended in the last moments if it differs less from that.
  mutating func saving(_ text: [UInt8], _ base: MirrorBase, into whole: TextDocument) -> MirrorBase.Saving {
    let present = now()
    moments.removeAll { present - $0.end > Self.window }
    var best = base.saving(text, into: whole)
    for moment in moments.reversed() {
      let other = moment.base.saving(text, into: whole)
      if other.cost < best.cost { best = other }
    }
    return best
  }
}
