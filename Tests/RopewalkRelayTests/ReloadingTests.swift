import Foundation
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// What is in force while the files of a running relay are written, emptied, cut or lost.
@Suite(.timeLimit(.minutes(2))) struct ReloadingTests {
  private struct Bench {
    let folder: KeyedFolder
    let services: RelayServices
    let reloader: Reloader
    let book: LogBook
    var file: String { folder.path + "/revoked" }

    /// As an editor saves that writes in place.
    func write(_ text: String) throws {
      let handle = try #require(FileHandle(forWritingAtPath: file))
      try handle.truncate(atOffset: 0)
      try handle.write(contentsOf: Data(text.utf8))
      try handle.close()
    }

    func look() async { await reloader.reload(all: false) }

    func isRevoked(_ subject: String) -> Bool {
      let identity = Identity(access: .init(subject: Array(subject.utf8), expires: nil, grants: []))
      return services.credentials.objection(to: identity)?.code == .revoked
    }

    var isStale: Bool { services.files.isStale(.revocations) }
  }

  private func withBench(_ text: String, _ body: (Bench) async throws -> Void) async throws {
    try await withKeyedFolder { folder in
      var configuration = Relay.Configuration(dataDirectory: folder.path, port: 0)
      configuration.revocationFile = folder.path + "/revoked"
      try folder.write(text, to: folder.path + "/revoked")
      let book = LogBook()
      let limits = Limits()
      let services = RelayServices(
        log: MemoryLog(), credentials: Credentials(), audit: AuditLog(folder: folder.path + "/audit"),
        meters: Meters(loops: []), connections: ConnectionRegistry(),
        sessionConfiguration: RelaySession.Configuration(limits: limits, patience: 10_000),
        roomConfiguration: RelayRoom.Configuration(limits: limits, batchBytes: 1 << 14),
        logger: book.logger, now: { testMoment })
      let items = try await Relay.load(configuration, services.credentials, nil) {}
      try await body(
        Bench(folder: folder, services: services, reloader: Reloader(items, services: services), book: book))
      services.log.close()
      services.audit.close(now: testMoment)
    }
  }

  @Test func aListThatWasEmptiedOrLostRevokesWhatItDid() async throws {
    try await withBench("subject ann\n") { bench in
      for text in ["", "\r\n", nil] {
        if let text { try bench.write(text) } else { try FileManager.default.removeItem(atPath: bench.file) }
        await bench.look()
        await bench.look()
        #expect(bench.isRevoked("ann") && bench.isStale, "\(text.debugDescription)")
      }
      #expect(bench.book.text.contains("the old ones stay in force"), "\(bench.book.text)")
      // SIGHUP does not take it for a list either; one that revokes nothing says so.
      await bench.reloader.reload(all: true)
      #expect(bench.isRevoked("ann") && bench.isStale)
      try bench.folder.write("# Nothing is revoked.\n", to: bench.file)
      await bench.look()
      #expect(!bench.isRevoked("ann") && !bench.isStale)
    }
  }

  @Test func aListThatIsBeingWrittenIsReadWhenItIsTheSameTwice() async throws {
    try await withBench("subject ann\nsubject ben\n") { bench in
      try bench.write("subject ann\nsubject cl")
      await bench.look()
      try bench.write("subject ann\nsubject cleo\nsubject ben\n")
      await bench.look()
      #expect(bench.isRevoked("ann") && bench.isRevoked("ben") && !bench.isRevoked("cl"))
      #expect(!bench.isRevoked("cleo"))
      await bench.look()
      #expect(bench.isRevoked("cleo") && !bench.isRevoked("cl") && !bench.isStale)
    }
  }

  @Test func aListThatWasCutKeepsWhatItHadUntilSomebodySaysSo() async throws {
    try await withBench("subject ann\r\nsubject ben\r\nbefore 5 cleo") { bench in
      try bench.write("subject ann\nsubject dan\n")
      await bench.look()
      await bench.look()
      for name in ["ann", "ben", "cleo", "dan"] { #expect(bench.isRevoked(name)) }
      #expect(bench.isStale)
      #expect(
        bench.book.text.contains("SIGHUP takes it as it is") && bench.book.text.contains("\"count\": 2"))
      await bench.reloader.reload(all: true)
      #expect(bench.isRevoked("ann") && bench.isRevoked("dan") && !bench.isStale)
      #expect(!bench.isRevoked("ben") && !bench.isRevoked("cleo"))
      // A file that was replaced is whole.
      try bench.folder.write("subject ben\n", to: bench.file)
      await bench.look()
      #expect(bench.isRevoked("ben") && !bench.isRevoked("ann") && !bench.isStale)
    }
  }

  @Test func whatTheCommandTakesBackIsTakenBackAtOnce() async throws {
    try await withBench("subject ann\nsubject ben\n") { bench in
      let file = RevocationFile(path: bench.file)
      for name in ["ann", "ben"] {
        let isRemoved = try file.remove(.subject(name))
        #expect(isRemoved)
        await bench.look()
        #expect(!bench.isRevoked(name) && !bench.isStale)
      }
      #expect(bench.services.credentials.revocationCount == 0)
    }
  }
}
