import NIOCore
import NIOPosix
import RopewalkSync

/// A TCP connection that speaks just enough WebSocket for the tests to say the wrong things.
final class RawSocket: Sendable {
  struct Frame: Equatable {
    var isFinal = true
    var opcode: UInt8
    var payload: [UInt8]

    var closeCode: UInt16? { payload.count < 2 ? nil : UInt16(payload[0]) << 8 | UInt16(payload[1]) }
  }

  enum Failure: Error { case ended }

  private let channel: any Channel
  private let bytes: Bytes

  /// What arrived and was not read yet.
  private actor Bytes {
    var gathered: [UInt8] = []
    var isEnded = false
    var waiter: CheckedContinuation<Void, Never>?

    func add(_ more: [UInt8]?) {
      if let more { gathered += more } else { isEnded = true }
      waiter?.resume()
      waiter = nil
    }

    func take(_ count: Int) async throws -> [UInt8] {
      while gathered.count < count {
        if isEnded { throw Failure.ended }
        await withCheckedContinuation { waiter = $0 }
      }
      defer { gathered.removeFirst(count) }
      return Array(gathered.prefix(count))
    }
  }

  private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    let stream: AsyncStream<[UInt8]?>.Continuation
    init(_ stream: AsyncStream<[UInt8]?>.Continuation) { self.stream = stream }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      stream.yield(Array(unwrapInboundIn(data).readableBytesView))
    }
    func channelInactive(context: ChannelHandlerContext) {
      stream.yield(nil)
      stream.finish()
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
  }

  /// Connects without saying anything. `autoRead` off: nothing is read from the socket until `startReading`.
  init(port: Int, autoRead: Bool = true) async throws {
    let (stream, continuation) = AsyncStream.makeStream(of: [UInt8]?.self)
    let bytes = Bytes()
    self.bytes = bytes
    channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.socketOption(.so_rcvbuf), value: 16 << 10)
      .channelOption(.autoRead, value: autoRead)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Collector(continuation))
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    Task { for await more in stream { await bytes.add(more) } }
  }

  func setReading(_ isReading: Bool) async throws {
    try await channel.setOption(.autoRead, value: isReading).get()
  }

  func send(raw: [UInt8]) async throws {
    try await channel.writeAndFlush(ByteBuffer(bytes: raw)).get()
  }

  func drop() async { try? await channel.close() }

  /// Asks for the upgrade and returns the status line.
  @discardableResult
  func upgrade(path: String = "/sync", headers: [String] = []) async throws -> String {
    let lines = [
      "GET \(path) HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket",
      "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    try await send(raw: Array(((lines + headers).joined(separator: "\r\n") + "\r\n\r\n").utf8))
    return try await readHead()
  }

  /// The lines of an HTTP response up to the empty one; returns the first.
  func readHead() async throws -> String {
    var head: [UInt8] = []
    while !head.suffix(4).elementsEqual([13, 10, 13, 10]) { head += try await bytes.take(1) }
    return String(decoding: head, as: UTF8.self).split(separator: "\r\n").first.map(String.init) ?? ""
  }

  func send(
    opcode: UInt8 = 2, isFinal: Bool = true, isMasked: Bool = true, reserved: UInt8 = 0, _ payload: [UInt8]
  ) async throws {
    try await send(
      raw: Self.frame(opcode: opcode, isFinal: isFinal, isMasked: isMasked, reserved: reserved, payload))
  }

  static func frame(
    opcode: UInt8, isFinal: Bool = true, isMasked: Bool = true, reserved: UInt8 = 0, _ payload: [UInt8]
  ) -> [UInt8] {
    var frame: [UInt8] = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode]
    let mask: UInt8 = isMasked ? 0x80 : 0
    switch payload.count {
    case ..<126: frame.append(mask | UInt8(payload.count))
    case ..<65_536: frame += [mask | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
    default:
      frame.append(mask | 127)
      for shift in stride(from: 56, through: 0, by: -8) {
        frame.append(UInt8(truncatingIfNeeded: payload.count >> shift))
      }
    }
    guard isMasked else { return frame + payload }
    let key: [UInt8] = [0x12, 0x9a, 0x00, 0xff]
    return frame + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
  }

  func frame() async throws -> Frame {
    let head = try await bytes.take(2)
    var count = Int(head[1] & 0x7f)
    if count == 126 {
      count = try await bytes.take(2).reduce(0) { $0 << 8 | Int($1) }
    } else if count == 127 {
      count = try await bytes.take(8).reduce(0) { $0 << 8 | Int($1) }
    }
    return Frame(isFinal: head[0] & 0x80 != 0, opcode: head[0] & 0x0f, payload: try await bytes.take(count))
  }

  /// Asks for something over plain HTTP and returns the whole answer.
  func get(
    _ path: String, headers: [String] = [], host: String? = "localhost", method: String = "GET"
  ) async throws -> String {
    let lines = ["\(method) \(path) HTTP/1.1"] + (host.map { ["Host: \($0)"] } ?? []) + headers
    try await send(raw: Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8))
    return await rest()
  }

  /// All that comes until the other side closes the connection.
  func rest() async -> String {
    var answer: [UInt8] = []
    while let byte = try? await bytes.take(1) { answer += byte }
    return String(decoding: answer, as: UTF8.self)
  }

  /// Waits until the other side has closed the connection.
  func end() async {
    while (try? await bytes.take(1)) != nil {}
  }
}
