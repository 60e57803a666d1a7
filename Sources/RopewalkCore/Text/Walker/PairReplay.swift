/// Replays a stretch in which two people typed at once: by `ApartPair` if they were apart, else by
/// `PairWalker` if it is short.
struct PairReplay: ~Copyable {
  private var reader = PairReader()
  private var apart = ApartPair()
  private var walker = PairWalker()

  init() {}

  /// Replays graph runs `runs` from place `start` on, before which there is a text of `length` scalars that
  /// all of them know. Returns false if they are something else; nothing was changed then.
  ///
  /// - Parameters:
  ///   - authorRun: one at or before the first place; moved to the last.
  ///   - logRun: likewise.
  mutating func run(
    _ history: HistoryView, runs: Range<Int>, from start: UInt32, length: UInt32, authorRun: inout Int,
    logRun: inout Int, into target: inout PatchTarget
  ) -> Bool {
    while history.end(ofLogRun: logRun) <= start { logRun += 1 }
    var (lastAuthorRun, lastLogRun) = (authorRun, logRun)
    apart.begin(length: length)
    if reader.read(
      history, runs: runs, from: start, authorRun: &lastAuthorRun, logRun: &lastLogRun, into: &apart)
    {
      apart.apply(to: &target, history: history)
    } else {
      guard runs.count <= PairWalker.runLimit,
        history.end(ofGraphRun: runs.upperBound - 1) - start <= PairWalker.eventLimit
      else { return false }
      (lastAuthorRun, lastLogRun) = (authorRun, logRun)
      walker.begin(length: length)
      guard
        reader.read(
          history, runs: runs, from: start, authorRun: &lastAuthorRun, logRun: &lastLogRun, into: &walker)
      else { return false }
      walker.emit(into: &target, history: history, logRuns: logRun..<lastLogRun + 1)
    }
    (authorRun, logRun) = (lastAuthorRun, lastLogRun)
    return true
  }
}
