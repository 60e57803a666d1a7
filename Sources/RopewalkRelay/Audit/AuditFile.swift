import Foundation

/// The files of the audit log: one that is written, and closed ones that are named by their last record's
/// time.
///
/// A class because it holds an open file; `@unchecked Sendable` because the audit log's serial queue is the
/// only one that touches it after it was made.
final class AuditFile: @unchecked Sendable {
  private let folder: String
  private let bounds: AuditLog.Bounds
  private var handle: FileHandle?
  private var size = 0
  /// The time of the open file's first record.
  private var begun: UInt64?

  private static let current = "current.jsonl"

  init(folder: String, bounds: AuditLog.Bounds) {
    self.folder = folder
    self.bounds = bounds
  }

  /// Writes; a disk that takes nothing loses the records, and the next call tries again.
  func append(_ records: [AuditRecord]) {
    guard let last = records.last else { return }
    if handle == nil { open() }
    guard let handle else { return }
    var bytes = Data()
    for record in records { bytes.append(contentsOf: Array((record.line + "\n").utf8)) }
    do {
      try handle.write(contentsOf: bytes)
      if records.contains(where: \.act.isAdministrative) { try handle.synchronize() }
    } catch {
      close()
      return
    }
    size += bytes.count
    let begun = begun ?? last.time
    self.begun = begun
    // A quiet relay's file is closed by its age, so that what is old can be removed.
    let isOld = last.time > begun + bounds.age / UInt64(max(1, bounds.files))
    if size >= bounds.fileBytes || isOld { rotate(last.time) }
  }

  func close() {
    try? handle?.close()
    handle = nil
  }

  private func open() {
    let path = folder + "/" + Self.current
    let manager = FileManager.default
    try? manager.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    if !manager.fileExists(atPath: path) {
      _ = manager.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
    }
    guard let handle = FileHandle(forUpdatingAtPath: path) else { return }
    size = Int((try? handle.seekToEnd()) ?? 0)
    self.handle = handle
    begun = firstTime(handle)
    // A process that was killed may have left half a line.
    guard size > 0, (try? handle.seek(toOffset: UInt64(size - 1))) != nil else {
      _ = try? handle.seekToEnd()
      return
    }
    if let last = try? handle.read(upToCount: 1), last != Data([0x0a]) {
      try? handle.write(contentsOf: Data([0x0a]))
      size += 1
    }
  }

  private func firstTime(_ handle: FileHandle) -> UInt64? {
    guard (try? handle.seek(toOffset: 0)) != nil, let data = try? handle.read(upToCount: 4096),
      let line = data.split(separator: 0x0a).first
    else { return nil }
    return AuditRecord(line: String(decoding: line, as: UTF8.self))?.time
  }

  /// Closes the file under a name of its own, and removes the oldest beyond what is kept.
  private func rotate(_ time: UInt64) {
    close()
    let digits = String(time)
    let name = String(repeating: "0", count: max(0, 14 - digits.count)) + digits
    let manager = FileManager.default
    var path = "\(folder)/\(name).jsonl"
    // Two files may be filled within one millisecond.
    var number = 1
    while manager.fileExists(atPath: path) {
      path = "\(folder)/\(name)-\(number).jsonl"
      number += 1
    }
    try? manager.moveItem(atPath: folder + "/" + Self.current, toPath: path)
    var closed = AuditReader.closedFiles(folder)
    while let oldest = closed.first {
      let ended = oldest.prefix { $0.isNumber }
      let isOld = UInt64(ended).map { $0 + bounds.age < time } ?? false
      guard closed.count > bounds.files || isOld else { break }
      try? manager.removeItem(atPath: folder + "/" + oldest)
      closed.removeFirst()
    }
  }
}
