import Dispatch
import Foundation
import NIOConcurrencyHelpers

/// Appends records to `DIR/audit/current.jsonl` on a queue of its own; bounded in memory and on disk.
///
/// Recording never waits: what cannot be written fast enough is counted and left out.
final class AuditLog: Sendable {
  /// How much is kept.
  struct Bounds: Hashable, Sendable {
    /// A file that is larger is closed and a new one begun, in bytes.
    var fileBytes = 16 << 20
    /// How many closed files are kept.
    var files = 8
    /// Closed files that were last written longer ago are removed, in milliseconds.
    var age: UInt64 = 90 * 24 * 3_600_000
  }

  private struct Waiting {
    var records: [AuditRecord] = []
    var dropped: UInt64 = 0
    var isRunning = false
    var strangers = Allowance()
  }

  /// Refusals of strangers are written so often a minute; a flood of them must not push out what matters.
  private struct Allowance {
    static let perMinute = 120
    var left = perMinute
    var minute: UInt64 = 0

    mutating func take(_ now: UInt64) -> Bool {
      if now / 60_000 != minute { (minute, left) = (now / 60_000, Self.perMinute) }
      guard left > 0 else { return false }
      left -= 1
      return true
    }
  }

  private let waiting = NIOLockedValueBox(Waiting())
  private let queue = DispatchQueue(label: "ropewalk.audit", qos: .utility)
  private let file: AuditFile

  /// So many records may wait to be written.
  private static let mostWaiting = 10_000

  init(folder: String, bounds: Bounds = Bounds()) { file = AuditFile(folder: folder, bounds: bounds) }

  /// Hands in a record.
  ///
  /// - Parameter isStranger: it is about somebody who has proved nothing.
  func record(_ record: AuditRecord, isStranger: Bool = false) {
    let mustStart = waiting.withLockedValue { waiting in
      let isAllowed = !isStranger || waiting.strangers.take(record.time)
      if isAllowed, waiting.records.count < Self.mostWaiting {
        waiting.records.append(record)
      } else {
        waiting.dropped += 1
      }
      defer { waiting.isRunning = true }
      return !waiting.isRunning
    }
    if mustStart { queue.async { self.run() } }
  }

  /// Waits until everything is written, and closes the file.
  func close() { queue.sync { file.close() } }

  /// Waits until everything that was handed in is written.
  func flush() { queue.sync {} }

  private func run() {
    while true {
      var (records, dropped) = waiting.withLockedValue { waiting in
        defer { (waiting.records, waiting.dropped) = ([], 0) }
        if waiting.records.isEmpty, waiting.dropped == 0 { waiting.isRunning = false }
        return (waiting.records, waiting.dropped)
      }
      if dropped > 0 {
        let now = records.last?.time ?? UInt64(max(0, Date().timeIntervalSince1970 * 1000))
        var record = AuditRecord(time: now, act: .dropped)
        record.count = dropped
        records.append(record)
      }
      if records.isEmpty { return }
      file.append(records)
    }
  }
}
