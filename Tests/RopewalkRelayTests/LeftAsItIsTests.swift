import DamagedFiles
import Foundation
import GRDB
import Testing

@testable import RopewalkRelay

/// A data directory that is refused is not changed by a byte, and nothing is made in it.
@Suite(.timeLimit(.minutes(2))) struct LeftAsItIsTests {
  private func withLog(_ statements: String, _ body: (String) async throws -> Void) async throws {
    try await withDirectory { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try SQLiteLog(path: path + "/log.sqlite").close()
      try DamagedDatabase.write(statements, to: path + "/log.sqlite")
      try await body(path)
    }
  }

  /// Tries all that opens a log, and expects an error and an untouched directory each time.
  private func expectLeft(
    _ path: String, without suffixes: [String] = [], at location: SourceLocation = #_sourceLocation
  ) async throws {
    let before = try FolderContent(path, without: suffixes)
    let store = RelayStore(directory: path)
    let target = path + "-copy"
    let attempts: [() async throws -> Void] = [
      { _ = try SQLiteLog(path: path + "/log.sqlite") }, { _ = try store.verify() },
      { _ = try store.backup(to: target) }, { _ = try store.compact() },
      { await (try startRelay(path)).stop() },
    ]
    for (number, attempt) in attempts.enumerated() {
      await #expect(sourceLocation: location) { try await attempt() } throws: { _ in true }
      let after = try FolderContent(path, without: suffixes)
      #expect(after == before, "attempt \(number): \(before) became \(after)", sourceLocation: location)
    }
    #expect(!FileManager.default.fileExists(atPath: target), sourceLocation: location)
  }

  @Test func aLogOfALaterFormat() async throws {
    try await withLog("PRAGMA user_version = 900") { path in
      try await expectLeft(path)
      #expect(throws: RelayStore.Failure.tooNew(path: path + "/log.sqlite")) {
        try RelayStore(directory: path).verify()
      }
    }
  }

  @Test func aLogOfALaterFormatThatIsInUse() async throws {
    try await withLog("PRAGMA user_version = 3") { path in
      let writer = try DatabaseQueue(path: path + "/log.sqlite")
      try await writer.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 900") }
      try await expectLeft(path)
      try writer.close()
    }
  }

  @Test(arguments: HostileSchema.all) func aLogWithAForeignSchema(_ hostile: HostileSchema) async throws {
    try await withLog(hostile.statements) { try await expectLeft($0) }
  }

  @Test func anotherProgramsDatabase() async throws {
    for statements in ["PRAGMA application_id = 7", "PRAGMA user_version = 0"] {
      try await withLog(statements) { try await expectLeft($0) }
    }
    for content in ["", "x", String(repeating: "no database ", count: 1000)] {
      try await withDirectory { path in
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data(content.utf8).write(to: URL(filePath: path + "/log.sqlite"))
        // An empty file becomes a log when a relay starts.
        if !content.isEmpty { try await expectLeft(path) }
      }
    }
  }
}
