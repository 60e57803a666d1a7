import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// The least that a hub can do on NIO: what a client sends is sent to all of its room, and nothing else
/// happens. With rooms of one it is an echo. No protocol, no log, no checks: the limit of what a relay
/// could reach.
public enum BareHub {
  /// Listens on a free port, says so as `ropewalk serve` does, and serves until it is killed.
  public static func run(threads: Int, announce: (String) -> Void) throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
    let hub = Hub(loops: Array(group.makeIterator()))
    let channel = try ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try prepare(channel, hub) }
      }
      .bind(host: "127.0.0.1", port: 0).wait()
    announce("listening on ws://127.0.0.1:\(channel.localAddress?.port ?? 0)/sync")
    try channel.closeFuture.wait()
  }

  private static func prepare(_ channel: any Channel, _ hub: Hub) throws {
    let upgrader = NIOWebSocketServerUpgrader(
      shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
      upgradePipelineHandler: { channel, _ in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Guest(hub, channel.eventLoop))
        }
      })
    try channel.pipeline.syncOperations.configureHTTPServerPipeline(
      withServerUpgrade: (upgraders: [upgrader], completionHandler: { _ in }))
  }

  /// Per event loop, who is in which room.
  ///
  /// `@unchecked Sendable` because each list is touched on its own loop alone.
  private final class Hub: @unchecked Sendable {
    final class Floor: @unchecked Sendable {
      let loop: any EventLoop
      var rooms: [[UInt8]: [Guest]] = [:]
      var dirty: [Guest] = []
      init(_ loop: any EventLoop) { self.loop = loop }

      func send(_ frame: ByteBuffer, to room: [UInt8]) {
        let wasClean = dirty.isEmpty
        for guest in rooms[room] ?? [] {
          guest.below?.write(NIOAny(frame), promise: nil)
          if !guest.isDirty {
            guest.isDirty = true
            dirty.append(guest)
          }
        }
        guard wasClean, !dirty.isEmpty else { return }
        loop.execute {
          let dirty = self.dirty
          self.dirty = []
          for guest in dirty {
            guest.isDirty = false
            guest.below?.flush()
          }
        }
      }
    }

    let floors: [ObjectIdentifier: Floor]

    init(loops: [any EventLoop]) {
      floors = Dictionary(uniqueKeysWithValues: loops.map { (ObjectIdentifier($0), Floor($0)) })
    }

    func send(_ frame: ByteBuffer, to room: [UInt8]) {
      for floor in floors.values {
        if floor.loop.inEventLoop {
          floor.send(frame, to: room)
        } else {
          floor.loop.execute { floor.send(frame, to: room) }
        }
      }
    }
  }

  /// `@unchecked Sendable` because it is touched on its channel's loop alone.
  private final class Guest: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = WebSocketFrame
    private let hub: Hub
    private let floor: Hub.Floor?
    private var room: [UInt8]?
    var below: ChannelHandlerContext?
    var isDirty = false

    init(_ hub: Hub, _ loop: any EventLoop) {
      self.hub = hub
      floor = hub.floors[ObjectIdentifier(loop)]
    }

    func handlerAdded(context: ChannelHandlerContext) {
      below = try? context.pipeline.syncOperations.context(handlerType: WebSocketFrameEncoder.self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
      below = nil
      if let room { floor?.rooms[room]?.removeAll { $0 === self } }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let frame = unwrapInboundIn(data)
      guard frame.opcode == .binary else { return }
      let payload = frame.unmaskedData
      guard let room else {
        let name = Array(payload.readableBytesView)
        room = name
        floor?.rooms[name, default: []].append(self)
        below?.writeAndFlush(NIOAny(Self.frame(ByteBuffer(bytes: [1]))), promise: nil)
        return
      }
      hub.send(Self.frame(payload), to: room)
    }

    private static func frame(_ payload: ByteBuffer) -> ByteBuffer {
      var buffer = ByteBufferAllocator().buffer(capacity: payload.readableBytes + 4)
      buffer.writeInteger(UInt8(0x82))
      if payload.readableBytes < 126 {
        buffer.writeInteger(UInt8(payload.readableBytes))
      } else {
        buffer.writeMultipleIntegers(UInt8(126), UInt16(payload.readableBytes))
      }
      buffer.writeImmutableBuffer(payload)
      return buffer
    }
  }
}
