import Foundation

/// Reads the audit log of a data directory, oldest record first, while a relay may be writing it.
public struct AuditReader: Sendable {
  private let folder: String

  /// Names a relay's data directory.
  public init(dataDirectory: String) { folder = Self.folder(of: dataDirectory) }

  static func folder(of dataDirectory: String) -> String { dataDirectory + "/audit" }

  /// Hands every record to `body`, file by file.
  ///
  /// - Returns: how many lines were no records, as a process that was killed may leave one.
  /// - Throws: `RelayError.auditUnreadable`, or what `body` throws.
  @discardableResult
  public func read(_ body: (AuditRecord) throws -> Void) throws -> Int {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory), isDirectory.boolValue
    else { throw RelayError.auditUnreadable(path: folder) }
    var damaged = 0
    for name in Self.closedFiles(folder) + ["current.jsonl"] {
      // One that was removed meanwhile.
      guard let data = FileManager.default.contents(atPath: folder + "/" + name) else { continue }
      for line in data.split(separator: 0x0a) {
        guard let record = AuditRecord(line: String(decoding: line, as: UTF8.self)) else {
          damaged += 1
          continue
        }
        try body(record)
      }
    }
    return damaged
  }

  /// Names of closed files, oldest first.
  static func closedFiles(_ folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(".jsonl") && $0.first?.isNumber == true }.sorted()
  }
}
