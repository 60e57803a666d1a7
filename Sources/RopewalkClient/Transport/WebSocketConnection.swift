import NIOCore
import NIOWebSocket

/// An open WebSocket.
final class WebSocketConnection: TransportConnection {
  let incoming: AsyncStream<TransportEvent>
  private let events: AsyncStream<TransportEvent>.Continuation
  private let channel: any Channel
  private let reading: NIOLoopBound<Reading>

  /// How much has arrived and is not worked off. Touched on the channel's event loop only.
  private final class Reading {
    var waiting = 0
    var isPaused = false
  }

  /// Reading from the socket pauses while this many bytes wait.
  private static let highWater = 8 << 20

  /// Must be made on the channel's event loop.
  init(_ channel: any Channel) {
    (incoming, events) = AsyncStream.makeStream(of: TransportEvent.self)
    self.channel = channel
    reading = NIOLoopBound(Reading(), eventLoop: channel.eventLoop)
  }

  func send(_ message: [UInt8]) {
    let buffer = channel.allocator.buffer(bytes: message)
    channel.writeAndFlush(
      WebSocketFrame(fin: true, opcode: .binary, maskKey: .random(), data: buffer), promise: nil)
  }

  func consumed(bytes: Int) {
    channel.eventLoop.execute { [channel, reading] in
      let reading = reading.value
      reading.waiting -= bytes
      guard reading.isPaused, reading.waiting < Self.highWater / 2 else { return }
      reading.isPaused = false
      channel.setOption(.autoRead, value: true).whenComplete { _ in }
    }
  }

  func close(code: UInt16) {
    let data = channel.allocator.buffer(integer: code)
    let frame = WebSocketFrame(fin: true, opcode: .connectionClose, maskKey: .random(), data: data)
    // Does not wait for a peer that does not read.
    channel.writeAndFlush(frame, promise: nil)
    channel.close(promise: nil)
  }

  // MARK: On the event loop

  func received(_ message: [UInt8]) {
    let reading = reading.value
    reading.waiting += message.count
    if !reading.isPaused, reading.waiting > Self.highWater {
      reading.isPaused = true
      channel.setOption(.autoRead, value: false).whenComplete { _ in }
    }
    events.yield(.message(message))
  }

  func ended(code: UInt16?) {
    events.yield(.closed(code: code))
    events.finish()
  }
}
