import Foundation
import Logging
import RopewalkCore
import RopewalkReplica
import RopewalkSync
import Synchronization

@testable import RopewalkClient
@testable import RopewalkRelay

/// A folder with replicas and a relay on a port of its own, gone after the test.
final class World: Sendable {
  let folder: URL
  private let relays = Mutex<[Relay]>([])

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "ropewalk-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appending(path: name).path }

  func replica(_ name: String, ids: [UInt64] = []) throws -> Replica {
    var options = ReplicaOptions()
    options.durability = .process
    if !ids.isEmpty {
      let queue = Mutex(ids)
      options.drawReplicaID = {
        queue.withLock { ids in
          ReplicaID(rawValue: ids.isEmpty ? UInt64.random(in: 0 ... .max) : ids.removeFirst())
        }
      }
    }
    return try Replica(path: path(name), options: options)
  }

  func relay(
    port: Int = 0, data: String = "relay", key: RelayKey? = nil, largestPayload: UInt32? = nil,
    silence: UInt32? = nil, publicRooms: [Relay.Configuration.PublicRooms] = [],
    now: (@Sendable () -> UInt64)? = nil,
    adjusting adjust: (inout Limits) -> Void = { _ in }
  ) async throws -> Relay {
    var configuration = Relay.Configuration(
      dataDirectory: path(data), port: port, key: key, threads: 1, grace: 500)
    configuration.publicRooms = publicRooms
    if let silence { configuration.limits.silence = silence }
    if let largestPayload { configuration.limits.largestPayload = largestPayload }
    adjust(&configuration.limits)
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let relay =
      if let now {
        try await Relay.start(configuration, logger: logger, now: now)
      } else {
        try await Relay.start(configuration, logger: logger)
      }
    relays.withLock { $0.append(relay) }
    return relay
  }

  /// A relay whose port can be taken again: not one of those that the system gives to connections.
  func relayToComeBack() async throws -> Relay {
    for _ in 0..<20 {
      if let relay = try? await relay(port: Int.random(in: 20_000..<32_000)) { return relay }
    }
    return try await relay()
  }

  /// Stops whatever relay still runs.
  func end() async { for relay in relays.withLock({ $0 }) { await relay.stop() } }
}

/// Runs a test's body in a world of its own.
func withWorld(_ body: (World) async throws -> Void) async throws {
  let world = try World()
  do { try await body(world) } catch {
    await world.end()
    throw error
  }
  await world.end()
}

extension ClientOptions {
  /// Connects again almost at once.
  static var forTests: ClientOptions {
    var options = ClientOptions()
    options.firstPause = 1
    options.longestPause = 20
    options.watchInterval = 5
    return options
  }
}

extension Client {
  /// A client of a running relay that is a member of `team`.
  static func joined(_ replica: Replica, _ relay: Relay, token: String? = nil) async throws -> Client {
    let client = try Client(replica: replica, relay: relay.url, token: token, options: .forTests)
    try await client.join("team")
    return client
  }

  /// Waits until the connection does what is wanted.
  nonisolated func reaches(_ wanted: (ConnectionState) -> Bool) async {
    for await state in states() where wanted(state) { return }
  }
}

extension Replica {
  var notes: ReplicaDocument {
    get throws { try document("notes.md", in: "team") }
  }

  /// Waits until the text is so.
  func shows(_ wanted: (String) -> Bool) async throws {
    let (text, changes) = try notes.observe()
    if wanted(text) { return }
    for await _ in changes where wanted(try notes.text) { return }
  }
}
