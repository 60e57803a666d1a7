import DamagedFiles
import Foundation
import Testing

@testable import RopewalkRelay

/// A log whose schema is not exactly a relay's is refused before anything in it could run.
@Suite(.timeLimit(.minutes(2))) struct HostileSchemaTests {
  private func withLog(_ sql: String?, _ body: (String) async throws -> Void) async throws {
    try await withDirectory { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      let file = path + "/log.sqlite"
      if let sql { try DamagedDatabase.write(sql, to: file) } else { try SQLiteLog(path: file).close() }
      try await body(file)
    }
  }

  private func isAltered(_ error: any Error) -> Bool {
    switch error {
    case let error as RelayLogError: if case .altered = error.reason { true } else { false }
    case RelayStore.Failure.altered, RelayError.logAltered: true
    default: false
    }
  }

  @Test(arguments: HostileSchema.all) func foreignCodeIsRefusedAndNeverRun(_ hostile: HostileSchema)
    async throws
  {
    for sql in [nil, logVersion1] {
      try await withLog(sql) { file in
        try DamagedDatabase.write(hostile.statements, to: file)
        #expect { try SQLiteLog(path: file) } throws: { isAltered($0) }
        let directory = (file as NSString).deletingLastPathComponent
        let store = RelayStore(directory: directory)
        #expect { try store.verify() } throws: { isAltered($0) }
        #expect { try store.backup(to: directory + "/copy") } throws: { isAltered($0) }
        #expect { try store.compact() } throws: { isAltered($0) }
        await #expect { try await startRelay(directory) } throws: { isAltered($0) }
      }
    }
  }

  @Test func anEmptyFileOfAnotherProgramIsNoLog() async throws {
    try await withLog("CREATE VIEW rooms AS SELECT 1") { file in
      #expect(throws: RelayLogError.self) { try SQLiteLog(path: file) }
    }
  }

  @Test func statisticsAndVacuumingChangeNothing() async throws {
    try await withLog(logVersion1) { file in
      try SQLiteLog(path: file).close()
      try DamagedDatabase.write("ANALYZE", to: file)
      try DamagedDatabase.write("VACUUM", to: file)
      try SQLiteLog(path: file).close()
      let store = RelayStore(directory: (file as NSString).deletingLastPathComponent)
      #expect(try store.verify().isSound)
    }
  }
}
