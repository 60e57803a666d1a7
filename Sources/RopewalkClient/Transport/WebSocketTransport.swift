import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import RopewalkSync

/// WebSocket over TCP or TLS, by SwiftNIO.
struct WebSocketTransport: Transport {
  /// PEM certificates that are trusted beside the system's, for `wss`.
  var trustFile: String?

  /// The largest message that is taken in, as it is on the wire.
  static let largestMessage = 16 << 20

  private enum Opening {
    case open(WebSocketConnection)
    case refused(EventLoopFuture<HTTPRefusal?>)
  }

  func connect(to address: RelayAddress, timeout: UInt64) async throws(ClientError) -> any TransportConnection
  {
    let encryption = address.isSecure ? try Encryption(host: address.host, trustFile: trustFile) : nil
    let opening: EventLoopFuture<Opening>
    do {
      opening = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connectTimeout(.milliseconds(Int64(clamping: timeout)))
        .channelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
        .connect(host: address.host, port: address.port) { channel in
          channel.eventLoop.makeCompletedFuture { try Self.open(channel, address, encryption) }
        }
    } catch {
      throw .unreachable(Self.sentence(error))
    }
    let limit = opening.eventLoop.makePromise(of: Opening.self)
    let timer = opening.eventLoop.scheduleTask(in: .milliseconds(Int64(clamping: timeout))) {
      limit.fail(ChannelError.connectTimeout(.milliseconds(Int64(clamping: timeout))))
    }
    opening.cascade(to: limit)
    do {
      let result = try await limit.futureResult.get()
      timer.cancel()
      switch result {
      case .open(let connection): return connection
      case .refused(let refusal): throw Self.refused(try await refusal.get(), address)
      }
    } catch let error as ClientError {
      throw error
    } catch {
      timer.cancel()
      throw encryption?.failure ?? .notARelay(Self.sentence(error))
    }
  }

  /// Lays the pipeline: HTTP for the opening handshake, then WebSocket.
  private static func open(
    _ channel: any Channel, _ address: RelayAddress, _ encryption: Encryption?
  ) throws -> EventLoopFuture<Opening> {
    let upgrader = NIOTypedWebSocketClientUpgrader<Opening>(
      maxFrameSize: largestMessage, enableAutomaticErrorHandling: true
    ) { channel, _ in
      channel.eventLoop.makeCompletedFuture { .open(try Self.addHandlers(to: channel)) }
    }
    var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: address.path)
    head.headers.add(name: "Host", value: address.authority)
    head.headers.add(name: "Content-Length", value: "0")
    let upgrade = NIOTypedHTTPClientUpgradeConfiguration<Opening>(
      upgradeRequestHead: head, upgraders: [upgrader]
    ) { channel in
      channel.eventLoop.makeCompletedFuture {
        let promise = channel.eventLoop.makePromise(of: HTTPRefusal?.self)
        do { try channel.pipeline.syncOperations.addHandler(HTTPRefusalReader(promise)) } catch {
          promise.succeed(nil)
        }
        return .refused(promise.futureResult)
      }
    }
    let opening = try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
      configuration: NIOUpgradableHTTPClientPipelineConfiguration(upgradeConfiguration: upgrade))
    try encryption?.install(in: channel)
    return opening
  }

  private static func refused(_ refusal: HTTPRefusal?, _ address: RelayAddress) -> ClientError {
    guard let refusal, refusal.status == 503 else {
      return .notARelay("the server speaks HTTP, and not WebSocket at \(address.path)")
    }
    let wait = 1000 * (refusal.retryAfter ?? 2)
    return .refused(
      room: nil,
      ProtocolError(
        .overloaded, retry: .after(milliseconds: wait), "The relay takes no more connections just now."))
  }

  /// What stands behind the frame decoder. On the channel's event loop.
  static func addHandlers(to channel: any Channel) throws -> WebSocketConnection {
    let connection = WebSocketConnection(channel)
    try channel.pipeline.syncOperations.addHandlers([
      NIOWebSocketFrameAggregator(
        minNonFinalFragmentSize: 1, maxAccumulatedFrameCount: 4096, maxAccumulatedFrameSize: largestMessage),
      WebSocketHandler(connection),
    ])
    return connection
  }

  private static func sentence(_ error: any Error) -> String {
    switch error {
    case let error as IOError: "\(error)"
    case let error as NIOConnectionError:
      error.connectionErrors.first.map { "\($0.error)" } ?? "the host has no address"
    case let error as ChannelError: "\(error)"
    default: "\(type(of: error))"
    }
  }
}
