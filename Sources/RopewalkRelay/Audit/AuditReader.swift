import Foundation

/// Reads the audit log of a data directory, oldest record first, while a relay may be writing it.
public struct AuditReader: Sendable {
  private let folder: String

  /// Names a relay's data directory.
  public init(dataDirectory: String) { folder = Self.folder(of: dataDirectory) }

  static func folder(of dataDirectory: String) -> String { dataDirectory + "/audit" }

  /// Where the records of rare acts are.
  static func rareFolder(in folder: String) -> String { folder + "/rare" }

  /// Hands every record to `body`, those of both sets of files in the order of their times.
  ///
  /// - Returns: how many lines were no records, as a process that was killed may leave one.
  /// - Throws: `RelayError.auditUnreadable`, or what `body` throws.
  @discardableResult
  public func read(_ body: (AuditRecord) throws -> Void) throws -> Int {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory), isDirectory.boolValue
    else { throw RelayError.auditUnreadable(path: folder) }
    var frequent = AuditFiles(folder)
    var rare = AuditFiles(Self.rareFolder(in: folder))
    var (next, other) = (frequent.next(), rare.next())
    while true {
      if let record = next, other.map({ !$0.isBefore(record) }) ?? true {
        try body(record)
        next = frequent.next()
      } else if let record = other {
        try body(record)
        other = rare.next()
      } else {
        return frequent.damaged + rare.damaged
      }
    }
  }

  /// Names of closed files, oldest first.
  static func closedFiles(_ folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(".jsonl") && $0.first?.isNumber == true }.sorted()
  }
}

extension AuditRecord {
  /// Whether it was handed in earlier.
  fileprivate func isBefore(_ other: AuditRecord) -> Bool {
    time == other.time ? number ?? 0 < other.number ?? 0 : time < other.time
  }
}

/// The records of one set of files.
private struct AuditFiles {
  private(set) var damaged = 0
  private let folder: String
  private var names: ArraySlice<String>
  private var lines: ArraySlice<Data> = []

  init(_ folder: String) {
    self.folder = folder
    names = (AuditReader.closedFiles(folder) + [AuditFile.current])[...]
  }

  mutating func next() -> AuditRecord? {
    while true {
      while let line = lines.popFirst() {
        if let record = AuditRecord(line: String(decoding: line, as: UTF8.self)) { return record }
        damaged += 1
      }
      guard let name = names.popFirst() else { return nil }
      // Nil for one that was removed meanwhile.
      lines = (FileManager.default.contents(atPath: folder + "/" + name)?.split(separator: 0x0a) ?? [])[...]
    }
  }
}
