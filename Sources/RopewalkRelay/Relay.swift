import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import RopewalkSync

/// A running relay: a WebSocket server at `/sync` that stores and forwards what clients push, and never reads it.
///
/// ```swift
/// let relay = try await Relay.start(Relay.Configuration(dataDirectory: "data", port: 0))
/// print(relay.url)
/// await relay.stop()
/// ```
public final class Relay: Sendable {
  /// The address that is listened on.
  public let host: String
  /// The port that is listened on.
  public let port: Int
  /// Where clients connect, `ws://HOST:PORT/sync`.
  public var url: String { "ws://\(host.contains(":") ? "[\(host)]" : host):\(port)/sync" }

  private let configuration: Configuration
  private let channel: any Channel
  private let group: MultiThreadedEventLoopGroup
  private let services: RelayServices
  private let dataDirectory: DataDirectory
  private let isStopped = NIOLockedValueBox(false)

  private init(
    _ configuration: Configuration, _ channel: any Channel, _ group: MultiThreadedEventLoopGroup,
    _ services: RelayServices, _ dataDirectory: DataDirectory
  ) {
    self.configuration = configuration
    self.channel = channel
    self.group = group
    self.services = services
    self.dataDirectory = dataDirectory
    host = channel.localAddress?.ipAddress ?? configuration.host
    port = channel.localAddress?.port ?? configuration.port
  }

  /// Opens the log and listens.
  ///
  /// - Parameter logger: told what happens, without content, tokens or keys.
  /// - Throws: `RelayError`, which says what to do.
  public static func start(
    _ configuration: Configuration, logger: Logger = Logger(label: "ropewalk.relay")
  ) async throws(RelayError) -> Relay {
    try await start(configuration, logger: logger, now: RelayClock.system())
  }

  static func start(
    _ configuration: Configuration, logger: Logger, now: @escaping @Sendable () -> UInt64
  ) async throws(RelayError) -> Relay {
    try configuration.validate()
    let directory = try DataDirectory(path: configuration.dataDirectory)
    let log: SQLiteLog
    do { log = try SQLiteLog(path: directory.logPath) } catch {
      directory.unlock()
      switch error.reason {
      case .sqlite(let code): throw .logUnusable(path: directory.logPath, code: code)
      case .later(let version): throw .logTooNew(path: directory.logPath, version: version)
      default: throw .logUnusable(path: directory.logPath, code: nil)
      }
    }
    let services = RelayServices(
      log: log, verifier: await TokenVerifier(key: configuration.key), connections: ConnectionRegistry(),
      sessionConfiguration: RelaySession.Configuration(
        limits: configuration.limits, patience: configuration.patience),
      roomConfiguration: RelayRoom.Configuration(
        limits: configuration.limits, batchBytes: min(256 << 10, Int(configuration.limits.largestMessage) / 2)
      ),
      logger: logger, now: now)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads ?? System.coreCount)
    let loops = Array(group.makeIterator())
    let listener = Listener(
      services: services, directory: RoomDirectory(loops: loops, services: services),
      flushers: Dictionary(uniqueKeysWithValues: loops.map { (ObjectIdentifier($0), Flusher(loop: $0)) }),
      checksOrigin: configuration.key == nil)
    do {
      let channel = try await listener.bind(group, host: configuration.host, port: configuration.port)
      let relay = Relay(configuration, channel, group, services, directory)
      logger.info("The relay listens.", metadata: ["url": "\(relay.url)"])
      if configuration.key == nil { logger.notice("There is no key: everybody on this machine may edit.") }
      return relay
    } catch {
      log.close()
      directory.unlock()
      try? await group.shutdownGracefully()
      let reason = (error as? IOError).map { "error \($0.errnoCode)" } ?? "\(type(of: error))"
      throw .cannotListen(host: configuration.host, port: configuration.port, reason: reason)
    }
  }

  /// Stops: takes nobody in any more, makes durable and acknowledges what was pushed, tells every client when to come
  /// back, and closes. May be called more than once.
  public func stop() async {
    let isFirst = isStopped.withLockedValue { isStopped in
      defer { isStopped = true }
      return !isStopped
    }
    guard isFirst else { return }
    try? await channel.close()
    await flush()
    for connection in services.connections.all {
      // Spread, so that not all of them come back at once.
      let wait = UInt32.random(in: 200...2000)
      let error = ProtocolError(.draining, retry: .after(milliseconds: wait), "The relay is stopping.")
      connection.onLoop { connection.perform(connection.session.close(error)) }
    }
    await waitUntilEmpty()
    for connection in services.connections.all { connection.onLoop { connection.drop() } }
    await flush()
    try? await group.shutdownGracefully()
    services.log.close()
    dataDirectory.unlock()
    services.logger.info("The relay has stopped.")
  }

  /// How many connections are open.
  public var connectionCount: Int { services.connections.count }

  private func flush() async {
    await withCheckedContinuation { continuation in services.log.flush { continuation.resume() } }
  }

  /// Waits for the peers' closes, at most as long as the grace.
  private func waitUntilEmpty() async {
    let end = ContinuousClock.now + .milliseconds(configuration.grace)
    while services.connections.count > 0, ContinuousClock.now < end {
      try? await Task.sleep(for: .milliseconds(10))
    }
  }
}
