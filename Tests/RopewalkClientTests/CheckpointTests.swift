import Foundation
import Logging
import RopewalkCore
import RopewalkReplica
import RopewalkSync
import Testing

@testable import RopewalkClient
@testable import RopewalkRelay

/// Real clients and a relay that forgets what its checkpoints hold.
@Suite(.timeLimit(.minutes(5))) struct CheckpointTests {
  @Test func anOldOfflineClientTakesTheCheckpointAndLosesNothing() async throws {
    try await withFolder { folder in
      let relay = try await relay(folder)
      let (ann, ben, cat) = (try Person("ann", folder), try Person("ben", folder), try Person("cat", folder))
      for person in [ann, ben, cat] {
        try await person.meet(relay, key)
        try await person.client.join("team")
        try await person.client.sync()
      }
      try ann.document.insert("Once.", at: 0)
      try await ann.client.sync()
      try await cat.client.sync()
      // Cat goes away, and edits what she has.
      await cat.client.close()
      try cat.document.insert(" Far away.", at: cat.document.text.unicodeScalars.count)

      _ = try await ann.client.setRetention(.days(0), of: "team")
      await ben.client.connect()
      await ann.client.connect()
      for round in 0..<40 {
        try (round % 2 == 0 ? ann : ben).document.insert("\(round % 10)", at: 0)
        try await (round % 2 == 0 ? ann : ben).client.sync()
      }
      var state = try await ann.client.retention(of: "team")
      while state.checkpoint == 0 || state.oldest <= 2 {
        try ann.document.insert("+", at: 0)
        try await ann.client.sync()
        state = try await ann.client.retention(of: "team")
      }

      // Cat's log is gone. She takes the checkpoint, and what she wrote is pushed.
      try await cat.meet(relay, key)
      try await cat.client.join("team")
      try await cat.client.sync()
      try await ann.client.sync()
      try await settle([ann, ben, cat])
      let text = try ann.document.text
      #expect(text.contains("Once. Far away."), "\(text)")
      #expect(try cat.document.text == text)

      // A newcomer has the same text, and can go on.
      let dan = try Person("dan", folder)
      try await dan.meet(relay, key)
      try await dan.client.join("team")
      try await dan.client.sync()
      #expect(try dan.document.text == text)
      // Of what was forgotten, the relay says who pushed the last of each part.
      // What Cat pushed since may be in a checkpoint by now, or still in the log.
      let history = try dan.document.history()
      let parts = history.filter { $0.origin == .checkpoint }
      #expect(Set(parts.compactMap(\.subject)).isSuperset(of: ["ann", "ben"]), "\(parts)")
      #expect(Set(history.compactMap(\.subject)) == ["ann", "ben", "cat"], "\(history)")
      #expect(parts.allSatisfy { $0.time.lowerBound > 0 && $0.cursor ?? 0 > 1 && !$0.span.seqs.isEmpty })
      try dan.document.insert("Dan: ", at: 0)
      try await dan.client.sync()
      try await settle([ann, ben, cat, dan])
      #expect(try ann.document.text == "Dan: " + text)
      for person in [ann, ben, cat, dan] {
        await person.client.close()
        try person.replica.close()
        #expect(try Replica.verify(path: person.path).isSound)
      }
      await relay.stop()
      let report = try RelayStore(directory: folder + "/relay").verify()
      #expect(report.isSound && report.rooms[0].oldest > 1 && report.rooms[0].checkpoint > 0, "\(report)")

      // And after a restart, from the same directory.
      let again = try await self.relay(folder)
      let eve = try Person("eve", folder)
      try await eve.meet(again, key)
      try await eve.client.join("team")
      try await eve.client.sync()
      #expect(try eve.document.text == "Dan: " + text)
      await eve.client.close()
      await again.stop()
    }
  }

  private let key: RelayKey

  init() throws { key = try RelayKey([UInt8](repeating: 7, count: 32)) }

  private func relay(_ folder: String) async throws -> Relay {
    var configuration = Relay.Configuration(dataDirectory: folder + "/relay", port: 0, threads: 1)
    configuration.checkpointInterval = 10
    configuration.checkpointGrace = 0
    configuration.key = key
    return try await Relay.start(
      configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  /// Exchanges until all have the same.
  private func settle(_ people: [Person]) async throws {
    while true {
      for person in people { try await person.client.sync() }
      let texts = try Set(people.map { try $0.document.text })
      if texts.count == 1 { return }
    }
  }

  private func withFolder(_ body: (String) async throws -> Void) async throws {
    let path = FileManager.default.temporaryDirectory.path + "/ropewalk-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await body(path)
  }

  private final class Person {
    let name: String
    let path: String
    let replica: Replica
    let document: ReplicaDocument
    private(set) var client: Client!

    init(_ name: String, _ folder: String) throws {
      self.name = name
      path = folder + "/" + name
      replica = try Replica(path: path)
      document = try replica.document("notes", in: "team")
    }

    func meet(_ relay: Relay, _ key: RelayKey) async throws {
      let token = try RelayToken.mint(
        key: key, subject: name, rooms: [("*", name == "ann" ? .own : .edit)], expires: 4_000_000_000_000)
      client = try Client(replica: replica, relay: relay.url, token: token)
    }
  }
}
