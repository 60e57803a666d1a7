import Foundation
import Logging
import RopewalkCore
import RopewalkReplica
import RopewalkSync

@testable import RopewalkClient
@testable import RopewalkRelay

/// A relay with a key whose room `team` may be forgotten, and people in it.
final class CheckpointRoom {
  let folder: String
  let key: RelayKey
  /// How much a subject may write on branches of its own, for the people in it.
  var tipLimits = TipLimits()
  private(set) var relay: Relay

  /// - Parameters:
  ///   - interval: how many entries come before a checkpoint is asked for.
  ///   - grace: in milliseconds, as is the patience.
  init(_ folder: String, interval: UInt64 = 10, grace: UInt64 = 0, patience: UInt64 = 60_000) async throws {
    self.folder = folder
    key = try RelayKey([UInt8](repeating: 7, count: 32))
    var configuration = Relay.Configuration(dataDirectory: folder + "/relay", port: 0, threads: 1)
    (configuration.checkpointInterval, configuration.checkpointGrace) = (interval, grace)
    configuration.checkpointPatience = patience
    configuration.key = key
    relay = try await Relay.start(
      configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let owner = try person("owner")
    _ = try await owner.client.setRetention(.days(0), of: "team")
    await owner.client.close()
  }

  func token(_ name: String) throws -> String {
    try RelayToken.mint(
      key: key, subject: name, rooms: [("*", name == "owner" ? .own : .edit)], expires: 4_000_000_000_000)
  }

  func hostile(_ name: String) async throws -> HostileMember {
    try await HostileMember(relay, token: token(name))
  }

  func person(_ name: String) throws -> Person { try Person(name, self) }

  /// What the audit log says of checkpoints.
  var notes: [String] {
    get throws {
      var notes: [String] = []
      try AuditReader(dataDirectory: folder + "/relay").read {
        if $0.act == .checkpoint { notes.append("\($0.code ?? "") \($0.subject ?? "-")") }
      }
      return notes
    }
  }

  final class Person {
    let name: String
    let path: String
    let replica: Replica
    let document: ReplicaDocument
    private(set) var client: Client
    private let room: CheckpointRoom

    init(_ name: String, _ room: CheckpointRoom) throws {
      (self.name, self.room) = (name, room)
      path = room.folder + "/" + name
      var options = ReplicaOptions()
      options.tipLimits = room.tipLimits
      replica = try Replica(path: path, options: options)
      document = try replica.document("notes", in: "team")
      client = try Client(
        replica: replica, relay: room.relay.url, token: try room.token(name), options: .forTests)
    }

    func meet() async throws {
      try await client.join("team")
      await client.connect()
      try await client.sync()
    }

    func leave() async { await client.close() }

    func comeBack() async throws {
      client = try Client(
        replica: replica, relay: room.relay.url, token: try room.token(name), options: .forTests)
      try await meet()
    }

    /// Looks in for a moment, and is gone when everything is exchanged.
    func lookIn() async throws {
      client = try Client(
        replica: replica, relay: room.relay.url, token: try room.token(name), options: .forTests)
      try await client.join("team")
      try await client.sync()
      await client.close()
    }

    /// Writes at the end, letter by letter, each an entry of its own.
    func type(_ text: String) async throws {
      for letter in text {
        try document.insert(String(letter), at: document.text.unicodeScalars.count)
        try await client.sync()
      }
    }

    func state() async throws -> RoomRetention { try await client.retention(of: "team") }
  }
}

/// Runs a test's body with a folder that goes away.
func withFolder(_ body: (String) async throws -> Void) async throws {
  let path = FileManager.default.temporaryDirectory.path + "/ropewalk-\(UInt64.random(in: 0 ... .max))"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  try await body(path)
}
