import Foundation

extension PlainFile {
  /// The largest file that is mirrored: 256 MiB.
  static let maximumBytes = 1 << 28

  /// What the file holds now.
  func read() throws -> Content {
    try follow()
    let place = place
    let last = memory.with { $0.reading.lastSignature }
    guard var look = try FileLook.take(at: place, leases: system.leases, last: last) else {
      memory.with { $0.reading.miss() }
      return .missing
    }
    let isKnownToBeWritten = memory.with { $0.isBeingWritten }
    if look.writer == .unknown && isKnownToBeWritten { look.writer = .some }
    noteOtherNames(look)
    let before = memory.with { $0.reading }
    let verdict = memory.with { [look, now = clock()] in $0.reading.judge(look, at: now) }
    if case .emptied(let accident) = verdict {
      memory.with { parts in
        if parts.remarks.last != .emptied(accident) { parts.remarks.append(.emptied(accident)) }
      }
    }
    do { return try content(look, verdict, was: before.known) } catch {
      memory.with { $0.reading = before }
      throw error
    }
  }

  /// What the temporary file holds: after an exchange, the file that was replaced.
  func readTemporary() throws -> Content {
    let place = place.beside(".ropewalk-new")
    bringBackPrevious()
    guard let look = try FileLook.take(at: place, leases: system.leases) else { return .missing }
    let before = memory.with { $0.replaced }
    let verdict = memory.with { [now = clock()] in $0.replaced.judge(look, at: now) }
    do { return try content(look, verdict, was: before.known) } catch {
      memory.with { $0.replaced = before }
      throw error
    }
  }

  /// Whether the file, or the temporary file, holds just these bytes at this moment, whoever writes it.
  func holds(_ bytes: [UInt8], temporary: Bool = false) throws -> Bool {
    let place = temporary ? place.beside(".ropewalk-new") : place
    return try FileLook.take(at: place, leases: false)?.bytes == bytes
  }

  private func content(_ look: FileLook, _ verdict: FileReading.Verdict, was known: [UInt8]?) throws
    -> Content
  {
    switch verdict {
    case .unfinished(let seconds):
      memory.with { $0.nextLook = seconds }
      return .busy
    case .emptied: return .emptied
    case .text(let isOpen, let loses):
      guard String(validating: look.bytes, as: UTF8.self) != nil else {
        return .notText(line: Self.firstBadLine(look.bytes))
      }
      if loses, let known {
        // Before anybody takes the save: it may be all that is left of the text on this device.
        let kept = try keepBeside(known, as: "before")
        memory.with { $0.remarks.append(.lost(keptAs: kept)) }
      }
      return isOpen ? .openText(look.bytes) : .text(look.bytes)
    }
  }

  /// Finds out which file the name means now.
  ///
  /// What was replaced and not looked at yet is beside the old one, so that comes first.
  func follow() throws {
    if memory.with({ $0.isReplacing }) { return }
    let places = try given.followed()
    memory.with { [given] parts in
      guard places != parts.places else { return }
      let (old, new) = (parts.places[parts.places.count - 1], places[places.count - 1])
      parts.places = places
      guard old != new else { return }
      parts.isBeingWritten = false
      parts.remarks.append(new == given ? .linkReplaced(was: old.path) : .moved(to: new.path))
    }
  }

  private func noteOtherNames(_ look: FileLook) {
    memory.with { [look] parts in
      guard look.names > 1 else { return parts.manyNamed = nil }
      if parts.manyNamed?.isSameFile(as: look.signature) != true {
        parts.remarks.append(.otherNames(count: look.names - 1))
      }
      parts.manyNamed = look.signature
    }
  }

  private static func firstBadLine(_ bytes: [UInt8]) -> Int {
    let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
    return 1 + (lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0)
  }
}

extension PlainFile {
  /// When the file was last written, in seconds since 1970.
  var modified: Double? { Self.modified(path) }

  /// When the temporary file was last written.
  var temporaryModified: Double? { Self.modified(temporaryPath) }

  private static func modified(_ path: String) -> Double? {
    FileLook.Signature(of: path).map { Double($0.modified) / 1e9 }
  }
}
