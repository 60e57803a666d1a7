import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import RopewalkSync

/// A running relay: a WebSocket server at `/sync` that stores and forwards what clients push, and never
/// reads it.
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
  /// The port that answers `/metrics` beside the main one; nil for none.
  public let metricsPort: Int?
  /// Whether connections are encrypted.
  public let isSecure: Bool
  /// Where clients connect, `ws://HOST:PORT/sync`, or `wss://` with TLS.
  public var url: String {
    "\(isSecure ? "wss" : "ws")://\(host.contains(":") ? "[\(host)]" : host):\(port)/sync"
  }

  /// The release.
  public static let version = "0.1.0"

  private let configuration: Configuration
  private let channels: [any Channel]
  private let group: MultiThreadedEventLoopGroup
  private let services: RelayServices
  private let dataDirectory: DataDirectory
  private let readiness: Readiness
  private let reloader: Reloader
  private let watching = NIOLockedValueBox<Task<Void, Never>?>(nil)
  private let isStopped = NIOLockedValueBox(false)

  private init(_ parts: Parts, _ channels: [any Channel], _ reloader: Reloader) {
    configuration = parts.configuration
    self.channels = channels
    group = parts.group
    services = parts.services
    dataDirectory = parts.dataDirectory
    readiness = parts.listener.routes.readiness
    self.reloader = reloader
    isSecure = parts.listener.certificate != nil
    host = channels.first?.localAddress?.ipAddress ?? configuration.host
    port = channels.first?.localAddress?.port ?? configuration.port
    metricsPort = channels.count > 1 ? channels[1].localAddress?.port : nil
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
    let parts = try Parts(configuration, logger: logger, now: now)
    let channels: [any Channel]
    let reloader: Reloader
    do throws(RelayError) {
      let services = parts.services
      let items = try await load(configuration, services.credentials, parts.listener.certificate) {
        for connection in services.connections.all { connection.onLoop { connection.reexamine() } }
      }
      reloader = Reloader(items, services: services)
      channels = try await parts.bind()
    } catch {
      await parts.dismantle()
      throw error
    }
    let relay = Relay(parts, channels, reloader)
    relay.began()
    return relay
  }

  private func began() {
    let files = ProcessFigures.fileLimit
    let most = Admission.limit(configuration.maximumConnections, files: files)
    if let files, most < configuration.maximumConnections {
      services.logger.warning(
        "The system allows fewer open files than connections are to be served.",
        metadata: [
          "files": "\(files)", "connections": "\(configuration.maximumConnections)", "served": "\(most)",
        ])
    }
    for exposure in configuration.exposures { services.logger.warning("\(exposure)") }
    services.logger.info("The relay listens.", metadata: ["url": "\(url)"])
    if !configuration.hasKeys {
      services.logger.notice("There is no key: everybody on this machine may edit.")
    }
    services.audit.record(AuditRecord(time: services.now(), act: .started))
    guard configuration.reloadInterval > 0 else { return }
    let (reloader, interval) = (reloader, configuration.reloadInterval)
    watching.withLockedValue {
      $0 = Task {
        while (try? await Task.sleep(for: .milliseconds(interval))) != nil {
          await reloader.reload(all: false)
        }
      }
    }
  }

  /// Reads keys, revocations and certificate anew, whether or not they have changed. What cannot be read
  /// leaves the old in force, and is logged. Connections whose token, subject or key holds no more are cut
  /// off.
  public func reload() async { await reloader.reload(all: true) }

  /// Stops: takes nobody in any more, makes durable and acknowledges what was pushed, tells every client
  /// when to come back, puts the log in order, and closes. May be called more than once.
  ///
  /// After the drain delay that takes no longer than the grace, and what the disk takes for a commit that is
  /// under way then: what was not stored is not acknowledged, and the write-ahead log is left where it is.
  public func stop() async {
    let isFirst = isStopped.withLockedValue { isStopped in
      defer { isStopped = true }
      return !isStopped
    }
    guard isFirst else { return }
    watching.withLockedValue { $0?.cancel() }
    readiness.drain()
    if configuration.drainDelay > 0 { try? await Task.sleep(for: .milliseconds(configuration.drainDelay)) }
    let (log, grace) = (services.log, configuration.grace)
    let hurrying = Task {
      if (try? await Task.sleep(for: .milliseconds(grace))) != nil { log.hurry() }
    }
    defer { hurrying.cancel() }
    let end = ContinuousClock.now + .milliseconds(grace)
    try? await channels.first?.close()
    await flush()
    let all = services.connections.all
    // Spread, so that not all of them come back at once: a millisecond each, when there are many.
    let longest = UInt32(clamping: max(2000, all.count))
    for connection in all {
      let wait = UInt32.random(in: 200...longest)
      let error = ProtocolError(.draining, retry: .after(milliseconds: wait), "The relay is stopping.")
      connection.onLoop { connection.perform(connection.session.close(error)) }
    }
    await waitUntilEmpty(until: end)
    for connection in services.connections.all { connection.onLoop { connection.drop() } }
    await flush()
    for channel in channels.dropFirst() { try? await channel.close() }
    try? await group.shutdownGracefully()
    services.log.close()
    services.audit.record(AuditRecord(time: services.now(), act: .stopped))
    services.audit.close(now: services.now())
    dataDirectory.unlock()
    services.logger.info("The relay has stopped.")
  }

  /// How many connections are open.
  public var connectionCount: Int { services.connections.count }

  private func flush() async {
    await withCheckedContinuation { continuation in services.log.flush { continuation.resume() } }
  }

  /// Waits for the peers' closes.
  private func waitUntilEmpty(until end: ContinuousClock.Instant) async {
    while services.connections.count > 0, ContinuousClock.now < end {
      try? await Task.sleep(for: .milliseconds(10))
    }
  }
}
