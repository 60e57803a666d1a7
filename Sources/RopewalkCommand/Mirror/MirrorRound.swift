import Ropewalk

/// The rounds of a mirror: settling, saying what happened, and going on after what may pass.
struct MirrorRound {
  var mirror: Mirror
  let report: MirrorReporter
  /// Other mirrors keep away from the file while it is held.
  private var lock: FileLock
  private var pacing = MirrorPacing()
  private var problem: String?
  private var isWaiting = false

  private var file: PlainFile { mirror.file }

  init(mirror: Mirror, report: MirrorReporter, lock: FileLock) {
    (self.mirror, self.report, self.lock) = (mirror, report, lock)
  }

  /// How long the next round must be put off, if it must.
  var delay: Double? { pacing.delay(at: file.clock()) }

  /// Settles, and returns in how many seconds to do it again; nil if not before something moves.
  ///
  /// What a file, a folder or a disk does not allow now, it may allow later: it is said once and tried again.
  mutating func settle() throws -> Double? {
    do {
      let settled = try settleOnce()
      if problem != nil { report.recovered() }
      problem = nil
      let now = file.clock()
      let pause = pacing.settled(settled.standing, nextLook: file.memory.nextLook, at: now)
      tellOfWaiting(settled.standing, at: now)
      return pause
    } catch {
      guard let words = Self.passing(error) else { throw error }
      report.remarked(file.memory.takeRemarks())
      if words != problem { report.stuck(words) }
      problem = words
      return pacing.failed(at: file.clock())
    }
  }

  /// The last round: what cannot be done now is an error.
  mutating func finish() throws { _ = try settleOnce() }

  private mutating func settleOnce() throws -> Mirror.Report {
    try file.follow()
    if !lock.isInPlace(for: file) {
      guard let next = try FileLock(for: file) else { throw Self.isKeptByAnother(file) }
      lock = next
    }
    let settled = try mirror.settle(restoresMissing: pacing.restoresMissing(at: file.clock()))
    report.remarked(file.memory.takeRemarks())
    report.settled(settled)
    return settled
  }

  private mutating func tellOfWaiting(_ standing: Mirror.Standing, at now: Double) {
    guard standing == .busy else { return isWaiting = false }
    if pacing.isImpatient(at: now) && !isWaiting {
      isWaiting = true
      report.waits()
    }
  }

  static func isKeptByAnother(_ file: PlainFile) -> Failure {
    Failure(.file, "another `ropewalk mirror` is keeping \(FilePlace.shown(file.path)) already")
  }

  /// What to say of an error that may pass; nil for others.
  private static func passing(_ error: any Error) -> String? {
    if let failure = error as? Failure, failure.code == .file { return failure.message }
    switch error as? ReplicaError {
    case .storage, .busy: return "\(error)"
    default: return nil
    }
  }
}
