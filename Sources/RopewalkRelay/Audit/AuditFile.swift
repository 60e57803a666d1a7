import Foundation

/// One set of files of the audit log: one that is written, and closed ones that are named by their last record's time.
///
/// A class because it holds an open file; `@unchecked Sendable` because the audit log's serial queue is the
/// only one that touches it after it was made.
final class AuditFile: @unchecked Sendable {
  private let folder: String
  private let fileBytes: Int
  private let files: Int
  private let age: UInt64
  private var handle: FileHandle?
  private var size = 0
  /// The time of the open file's first record.
  private var begun: UInt64?
  /// How many records the disk did not take, and that was not said yet.
  private var lost: UInt64 = 0

  static let current = "current.jsonl"

  /// - Parameters:
  ///   - fileBytes: a file that is larger is closed and a new one begun.
  ///   - files: how many closed files are kept.
  ///   - age: closed files that were last written longer ago are removed, in milliseconds.
  init(folder: String, fileBytes: Int, files: Int, age: UInt64) {
    (self.folder, self.fileBytes, self.files, self.age) = (folder, fileBytes, files, age)
  }

  /// Writes. A disk that takes nothing loses the records; the next call tries again, and first says how many were lost.
  ///
  /// - Returns: whether the disk took them.
  func append(_ new: [AuditRecord]) -> Bool {
    guard let last = new.last else { return true }
    let records = (lostRecord(before: new[0]).map { [$0] } ?? []) + new
    if handle == nil { open() }
    var bytes = Data()
    for record in records { bytes.append(contentsOf: Array((record.line + "\n").utf8)) }
    do {
      guard let handle else { throw CocoaError(.fileWriteUnknown) }
      try handle.write(contentsOf: bytes)
      if records.contains(where: \.act.isRare) { try handle.synchronize() }
    } catch {
      // What was written of them counts as lost.
      try? handle?.truncate(atOffset: UInt64(size))
      close()
      lost += new.reduce(0) { $0 + ($1.act == .dropped ? $1.count ?? 1 : 1) }
      return false
    }
    lost = 0
    size += bytes.count
    let begun = begun ?? last.time
    self.begun = begun
    // A quiet relay's file is closed by its age, so that what is old can be removed.
    let isOld = last.time > begun + age / UInt64(max(1, files))
    if size >= fileBytes || isOld { rotate(last.time) }
    return true
  }

  /// Says what was lost, if the disk takes it now, and closes the file.
  func finish(now: UInt64) {
    var nothing = AuditRecord(time: now, act: .dropped)
    nothing.count = 0
    if let record = lostRecord(before: nothing) {
      lost = 0
      _ = append([record])
    }
    close()
  }

  private func lostRecord(before next: AuditRecord) -> AuditRecord? {
    guard lost > 0 else { return nil }
    var record = AuditRecord(time: next.time, act: .dropped)
    (record.count, record.number) = (lost, next.number)
    record.detail = "the disk did not take them"
    return record
  }

  private func close() {
    try? handle?.close()
    handle = nil
  }

  private func open() {
    let path = folder + "/" + Self.current
    try? FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
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
    begun = nil
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
      let isOld = UInt64(ended).map { $0 + age < time } ?? false
      guard closed.count > files || isOld else { break }
      try? manager.removeItem(atPath: folder + "/" + oldest)
      closed.removeFirst()
    }
  }
}
