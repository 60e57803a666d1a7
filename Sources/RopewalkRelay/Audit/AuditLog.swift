import Dispatch
import Logging
import NIOConcurrencyHelpers

/// Appends records to two sets of files in `DIR/audit` on a queue of its own; bounded in memory and on disk. What happens often
/// (joins, leaves, refusals) is in one, what happens rarely, and is looked for longest, in the other.
///
/// Recording never waits: what cannot be written fast enough, and what one subject or network causes too much of, is counted and
/// left out.
final class AuditLog: Sendable {
  /// How much of one set is kept.
  struct Bounds: Hashable, Sendable {
    /// A file that is larger is closed and a new one begun, in bytes.
    var fileBytes = 16 << 20
    /// How many closed files are kept.
    var files = 8
    /// Closed files that were last written longer ago are removed, in milliseconds.
    var age: UInt64 = 90 * 24 * 3_600_000
    /// How many closed files of rare acts are kept.
    var rareFiles = 32
    /// How long these are kept, in milliseconds.
    var rareAge: UInt64 = 730 * 24 * 3_600_000
  }

  private struct Waiting {
    var frequent = Records()
    var rare = Records()
    var budgets = AuditBudgets()
    var number: UInt64 = 0
    var isRunning = false

    mutating func add(_ record: AuditRecord) {
      number += 1
      var record = record
      record.number = number
      if record.act.isRare || record.isCountOfRare { rare.add(record) } else { frequent.add(record) }
    }
  }

  /// What is to be written.
  private struct Records {
    private(set) var records: [AuditRecord] = []
    private var dropped: UInt64 = 0

    /// So many may wait to be written.
    private static let most = 10_000

    mutating func add(_ record: AuditRecord) {
      if records.count < Self.most { records.append(record) } else { dropped += 1 }
    }

    mutating func take() -> [AuditRecord] {
      var all = records
      if dropped > 0, let last = all.last {
        var record = AuditRecord(time: last.time, act: .dropped)
        (record.count, record.number) = (dropped, last.number)
        all.append(record)
      }
      (records, dropped) = ([], 0)
      return all
    }
  }

  private let waiting = NIOLockedValueBox(Waiting())
  private let queue = DispatchQueue(label: "ropewalk.audit", qos: .utility)
  private let frequent: AuditFile
  private let rare: AuditFile
  private let folder: String
  private let logger: Logger?
  /// Whether the disk has not taken the last records; on the queue alone.
  private let isFailing = NIOLockedValueBox(false)

  /// - Parameter logger: logs when the disk stops taking records, and when it takes them again.
  init(folder: String, bounds: Bounds = Bounds(), logger: Logger? = nil) {
    (self.folder, self.logger) = (folder, logger)
    frequent = AuditFile(folder: folder, fileBytes: bounds.fileBytes, files: bounds.files, age: bounds.age)
    rare = AuditFile(
      folder: AuditReader.rareFolder(in: folder), fileBytes: bounds.fileBytes, files: bounds.rareFiles,
      age: bounds.rareAge)
  }

  /// Hands in a record.
  ///
  /// - Parameter isStranger: it is about somebody who has proved nothing.
  func record(_ record: AuditRecord, isStranger: Bool = false) {
    let mustStart = waiting.withLockedValue { waiting in
      let written = waiting.budgets.take(record, isStranger: isStranger)
      if written.isEmpty { return false }
      for record in written { waiting.add(record) }
      defer { waiting.isRunning = true }
      return !waiting.isRunning
    }
    if mustStart { queue.async { self.run() } }
  }

  /// Writes everything, with what was left out up to now, and closes the files.
  func close(now: UInt64) {
    waiting.withLockedValue { waiting in
      for count in waiting.budgets.takeCounts(at: now) { waiting.add(count) }
    }
    queue.sync {
      run()
      frequent.finish(now: now)
      rare.finish(now: now)
    }
  }

  /// Waits until everything that was handed in is written.
  func flush() { queue.sync {} }

  private func run() {
    while true {
      let (often, seldom) = waiting.withLockedValue { waiting in
        let taken = (waiting.frequent.take(), waiting.rare.take())
        if taken.0.isEmpty, taken.1.isEmpty { waiting.isRunning = false }
        return taken
      }
      if often.isEmpty, seldom.isEmpty { return }
      let isTaken = (rare.append(seldom), frequent.append(often))
      tell(isFailing: !isTaken.0 || !isTaken.1)
    }
  }

  private func tell(isFailing now: Bool) {
    let before = isFailing.withLockedValue { isFailing in
      defer { isFailing = now }
      return isFailing
    }
    guard before != now, let logger else { return }
    if now {
      logger.error(
        "The audit log cannot be written: what happens is counted, not kept.",
        metadata: ["folder": "\(folder)"])
    } else {
      logger.notice("The audit log is written again.", metadata: ["folder": "\(folder)"])
    }
  }
}
