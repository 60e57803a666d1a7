import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import RopewalkSync

/// Accepts connections and leads them from HTTP to a `Connection`.
struct Listener: Sendable {
  let services: RelayServices
  let directory: RoomDirectory
  /// One per event loop.
  let flushers: [ObjectIdentifier: Flusher]
  /// Without a key, pages of other sites must not reach a relay on this machine.
  let checksOrigin: Bool

  /// What may come before the token was verified, in bytes.
  private static let greetingBytes = 64 << 10

  func bind(_ group: MultiThreadedEventLoopGroup, host: String, port: Int) async throws -> any Channel {
    try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.writeBufferWaterMark, value: .init(low: 32 << 10, high: 128 << 10))
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try prepare(channel) }
      }
      .bind(host: host, port: port).get()
  }

  /// Lays the pipeline of a connection that was accepted.
  func prepare(_ channel: any Channel) throws {
    let limits = services.sessionConfiguration.limits
    let patience = TimeAmount.milliseconds(Int64(services.sessionConfiguration.patience))
    let upgrader = NIOWebSocketServerUpgrader(
      maxFrameSize: Connection.largestFrame(limits), automaticErrorHandling: false,
      shouldUpgrade: { channel, head in
        channel.eventLoop.makeSucceededFuture(admits(head) ? HTTPHeaders() : nil)
      },
      upgradePipelineHandler: { channel, _ in
        channel.eventLoop.makeCompletedFuture { try open(channel) }
      })
    try channel.pipeline.syncOperations.configureHTTPServerPipeline(
      withServerUpgrade: (
        upgraders: [upgrader],
        completionHandler: { context in
          if let front = try? context.pipeline.syncOperations.handler(type: HTTPFront.self) {
            context.pipeline.syncOperations.removeHandler(front, promise: nil)
          }
        }
      ), withErrorHandling: true)
    try channel.pipeline.syncOperations.addHandler(HTTPFront(patience: patience))
  }

  private func open(_ channel: any Channel) throws {
    guard let flusher = flushers[ObjectIdentifier(channel.eventLoop)] else {
      throw ChannelError.operationUnsupported
    }
    let greeting = GreetingBudget(bytes: Self.greetingBytes)
    let connection = Connection(
      loop: channel.eventLoop, services: services, directory: directory, flusher: flusher, greeting: greeting)
    try channel.pipeline.syncOperations.addHandler(greeting, position: .first)
    try channel.pipeline.syncOperations.addHandler(connection)
  }

  private func admits(_ head: HTTPRequestHead) -> Bool {
    guard head.method == .GET, head.uri.prefix(while: { $0 != "?" }) == "/sync" else { return false }
    guard checksOrigin, let origin = head.headers.first(name: "origin") else { return true }
    return Self.isLoopback(origin: origin)
  }

  private static func isLoopback(origin: String) -> Bool {
    for scheme in ["http://", "https://"] where origin.hasPrefix(scheme) {
      var host = String(origin.dropFirst(scheme.count))
      if let end = host.lastIndex(of: ":"), host[host.index(after: end)...].allSatisfy({ $0.isNumber }) {
        host = String(host[..<end])
      }
      return ["localhost", "127.0.0.1", "[::1]"].contains(host)
    }
    return false
  }
}
