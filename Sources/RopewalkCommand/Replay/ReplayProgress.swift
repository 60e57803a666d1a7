/// The progress line of a replay: at most ten times a second, and only where somebody watches.
final class ReplayProgress {
  private let console: Console
  private let name: String
  private var last: ContinuousClock.Instant?

  init(name: String, console: Console) {
    self.name = name
    self.console = console
  }

  func show(_ phase: String, _ done: Int, _ total: Int) {
    guard console.isWatched else { return }
    let now = ContinuousClock.now
    if let last, now - last < .milliseconds(100) { return }
    last = now
    console.progress(
      "\(name): \(phase) \(100 * done / max(1, total)) % (\(Wording.number(done)) of \(Wording.number(total)))"
    )
  }

  func clear() { console.clearProgress() }
}
