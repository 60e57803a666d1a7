import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import RopewalkSync

/// Accepts connections and leads them from TLS and HTTP to a `Connection`.
struct Listener: Sendable {
  let services: RelayServices
  let directory: RoomDirectory
  /// One per event loop.
  let flushers: [ObjectIdentifier: Flusher]
  let origins: Origins
  let admission: Admission
  let routes: HTTPRoutes
  /// Nil for no encryption.
  let certificate: ServerCertificate?

  /// What may come before the token was verified, HTTP included, in bytes.
  private static let greetingBytes = 64 << 10

  private var patience: TimeAmount {
    .milliseconds(Int64(clamping: services.sessionConfiguration.patience))
  }

  /// Listens for clients.
  func bind(_ group: MultiThreadedEventLoopGroup, host: String, port: Int) async throws -> any Channel {
    try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(AcceptGate(admission))
        }
      }
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.writeBufferWaterMark, value: .init(low: 32 << 10, high: 128 << 10))
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try prepare(channel) }
      }
      .bind(host: host, port: port).get()
  }

  /// Listens for those who watch the relay: no WebSocket, no TLS.
  func bindForMetrics(
    _ group: MultiThreadedEventLoopGroup, host: String, port: Int
  ) async throws -> any Channel {
    var routes = routes
    routes.hasSync = false
    if routes.metricsAccess == .nobody { routes.metricsAccess = .everybody }
    let (own, patience) = (routes, patience)
    return try await ServerBootstrap(group: group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(GreetingBudget(bytes: Self.greetingBytes))
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
          try channel.pipeline.syncOperations.addHandler(HTTPFront(own, patience: patience))
        }
      }
      .bind(host: host, port: port).get()
  }

  /// Lays the pipeline of a connection that was accepted.
  func prepare(_ channel: any Channel) throws {
    let visit = Visit(admission)
    let verdict = admission.enter()
    channel.closeFuture.whenComplete { _ in visit.ended() }
    services.meters[channel.eventLoop].accepted.add(1)
    if verdict == .drop {
      services.meters[channel.eventLoop].refused(.tooManyConnections)
      throw ChannelError.operationUnsupported
    }
    let pipeline = channel.pipeline.syncOperations
    if let certificate { try pipeline.addHandler(certificate.handler()) }
    if verdict == .refuse {
      try pipeline.addHandler(GreetingBudget(bytes: Self.greetingBytes))
      try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
      return try pipeline.addHandler(HTTPFront(routes, patience: .seconds(2), isFull: true))
    }
    let limits = services.sessionConfiguration.limits
    try WebSocketUpgrade.prepare(
      channel, strangerBytes: Self.greetingBytes, largestFrame: Connection.largestFrame(limits),
      admits: { admits($0) }, open: { try open($0, visit) })
    try pipeline.addHandler(HTTPFront(routes, patience: patience))
  }

  private func open(_ channel: any Channel, _ visit: Visit) throws -> MessageSocket {
    guard let flusher = flushers[ObjectIdentifier(channel.eventLoop)] else {
      throw ChannelError.operationUnsupported
    }
    let connection = Connection(
      loop: channel.eventLoop, address: channel.remoteAddress?.ipAddress, services: services,
      directory: directory, visit: visit)
    return MessageSocket(
      loop: channel.eventLoop, flusher: flusher,
      largestMessage: Connection.largestFrame(services.sessionConfiguration.limits), user: connection)
  }

  private func admits(_ head: HTTPRequestHead) -> Bool {
    guard head.method == .GET, head.uri == "/sync", !head.mayHaveBody else { return false }
    return !routes.readiness.isDraining && origins.admit(head.headers.first(name: "origin"))
  }
}

/// One socket, as the admission counts it: a stranger until its token held.
///
/// `@unchecked Sendable` because it is touched on its channel's event loop alone: by the connection, and
/// when the channel is closed.
final class Visit: @unchecked Sendable {
  private let admission: Admission
  private var isStranger = true

  init(_ admission: Admission) { self.admission = admission }

  func greeted() {
    guard isStranger else { return }
    isStranger = false
    admission.greeted()
  }

  func ended() {
    admission.leave(wasStranger: isStranger)
    isStranger = false
  }
}
