/// Makes all changes of a walk to the text that it began with, from left to right: what stands together
/// goes in at once, where a change at a time would cost each run a descent of the text.
struct WalkChanges: ~Copyable {
  private var position: UInt32 = 0
  private var deleted: UInt32 = 0
  private var inserted: UInt32 = 0
  /// What goes in at `position`.
  private var text = FlatBuffer<UInt8>(capacity: 1024)
  private var logRuns = 0..<0
  private var isAscii = false

  init() {}

  /// Begins a text's changes; all of what goes in was inserted by log runs `logRuns`.
  mutating func begin(logRuns runs: Range<Int>, history: HistoryView) {
    position = 0
    logRuns = runs.lowerBound..<min(runs.upperBound, history.logRuns.count)
    let start = Int(history.logRuns[runs.lowerBound].content)
    let end =
      logRuns.upperBound < history.logRuns.count
      ? Int(history.logRuns[logRuns.upperBound].content) : history.content.count
    // Then scalars are named by where their text stands.
    isAscii = TextMetrics.isAscii(UnsafeBufferPointer(rebasing: history.content[start..<end]))
  }

  /// The next item, in the order of the text.
  ///
  /// - Parameters:
  ///   - id: as in `Item`.
  ///   - isPresent: not deleted.
  @inline(__always)
  mutating func take(
    id: UInt32, length: UInt32, isPresent: Bool, history: HistoryView, into target: inout PatchTarget
  ) {
    if id & Item.baseFlag != 0 {
      if isPresent {
        make(in: &target)
        position &+= length
      } else {
        deleted &+= length
      }
    } else if isPresent {
      if isAscii {
        let start = Int(id)
        text.append(UnsafeBufferPointer(rebasing: history.content[start..<start &+ Int(length)]))
      } else {
        history.appendText(ofScalars: id, length: length, in: logRuns, to: &text)
      }
      inserted &+= length
    }
  }

  /// Makes the change at hand, if there is one, and goes on behind it. The last thing to do, too.
  @inline(__always)
  mutating func make(in target: inout PatchTarget) {
    if deleted == 0, inserted == 0 { return }
    target.replace(deleted, with: text.all, scalars: inserted, at: position)
    position &+= inserted
    (deleted, inserted) = (0, 0)
    text.removeAll()
  }
}
