import NIOCore
import NIOWebSocket

/// Whom a `MessageSocket` tells what comes in. Called on the socket's event loop.
package protocol MessageSocketUser: AnyObject {
  /// The upgrade is done: the socket may be written to.
  func opened(_ socket: MessageSocket)
  /// A message came. Nothing more comes once the socket is closing.
  func received(_ message: ByteBuffer, on socket: MessageSocket)
  /// Part of a message came; or, with `isSign`, a ping or a pong.
  func heard(isSign: Bool, on socket: MessageSocket)
  /// What the peer sent before it was trusted is too much.
  func sentTooMuch(on socket: MessageSocket)
  /// The peer's side takes more, or nothing more for now.
  func changed(isWritable: Bool, on socket: MessageSocket)
  /// The socket is closing, or is gone: nothing can be written any more. May come twice.
  func ended(_ socket: MessageSocket)
  /// The channel is gone. The last call, after `ended`; it may come twice.
  func gone(_ socket: MessageSocket)
}

/// One client's WebSocket, from the upgrade on: the last handler of its channel. Puts messages together,
/// answers pings and closes as RFC 6455 asks, and writes frames that were made before.
///
/// `@unchecked Sendable` because everything that changes is touched on `loop` alone.
package final class MessageSocket: ChannelInboundHandler, @unchecked Sendable {
  package typealias InboundIn = WebSocketFrame

  package let loop: any EventLoop
  private var user: (any MessageSocketUser)?
  private var assembler: MessageAssembler
  private let flusher: Flusher
  private var context: ChannelHandlerContext?
  /// Frames are written from here: made once and shared, they must not be made again by the encoder.
  private var belowEncoder: ChannelHandlerContext?
  private var greeting: GreetingBudget?
  private var latePong: ByteBuffer?
  private var isClosing = false
  /// The peer has closed first.
  private var isAnswering = false
  private var needsFlush = false

  /// How long a peer may take to answer a close frame.
  private static let closingTime = TimeAmount.seconds(2)

  /// - Parameter largestMessage: in bytes, all fragments together.
  package init(loop: any EventLoop, flusher: Flusher, largestMessage: Int, user: any MessageSocketUser) {
    self.loop = loop
    self.flusher = flusher
    self.user = user
    assembler = MessageAssembler(largestMessage: largestMessage)
  }

  /// Whether the peer takes more for now.
  var isWritable: Bool { context?.channel.isWritable ?? false }

  /// Whether something may still be written.
  var isOpen: Bool { belowEncoder != nil && !isClosing }

  package func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    let pipeline = context.pipeline.syncOperations
    belowEncoder = try? pipeline.context(handlerType: WebSocketFrameEncoder.self)
    greeting = try? pipeline.handler(type: GreetingBudget.self)
    user?.opened(self)
  }

  package func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  package func handlerRemoved(context: ChannelHandlerContext) {
    end()
    self.context = nil
    belowEncoder = nil
    greeting = nil
    user = nil
  }

  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    do throws(MessageAssembler.Fault) {
      switch try assembler.receive(frame) {
      case nil: user?.heard(isSign: false, on: self)
      case .message(let buffer): if !isClosing { user?.received(buffer, on: self) }
      case .ping(let payload):
        user?.heard(isSign: true, on: self)
        let pong = WebSocketFraming.pong(payload)
        // Of pings that cannot be answered yet, the newest alone is.
        if isWritable { write(pong) } else { latePong = pong }
      case .pong: user?.heard(isSign: true, on: self)
      case .close(let code): receivedClose(code)
      }
    } catch {
      if frame.opcode == .connectionClose { receivedClose(error.rawValue) } else { fail(error) }
    }
  }

  package func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable, let pong = latePong {
      latePong = nil
      write(pong)
    }
    user?.changed(isWritable: context.channel.isWritable, on: self)
    context.fireChannelWritabilityChanged()
  }

  package func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error {
    case NIOWebSocketError.invalidFrameLength: fail(.tooLarge)
    case is NIOWebSocketError: fail(.protocolError)
    case is GreetingBudget.Exhausted: user?.sentTooMuch(on: self)
    // What follows a frame that could not be read is reported like this, and thrown away.
    case is ByteToMessageDecoderError: fail(.protocolError)
    default: context.close(promise: nil)
    }
  }

  /// The peer has shown that it may send more than a stranger.
  package func trust() {
    if let greeting { context?.pipeline.syncOperations.removeHandler(greeting, promise: nil) }
    greeting = nil
  }

  // MARK: Writing

  /// Writes a frame at the end of the tick; nothing follows a close frame.
  package func write(_ frame: ByteBuffer, _ promise: EventLoopPromise<Void>? = nil) {
    guard let belowEncoder, !isClosing else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    belowEncoder.write(NIOAny(frame), promise: promise)
    guard !needsFlush else { return }
    needsFlush = true
    flusher.add(self)
  }

  /// Writes a frame and calls back when the system has taken it and the socket takes more.
  func write(_ frame: ByteBuffer, whenReady: @escaping @Sendable () -> Void) {
    guard let channel = context?.channel, isOpen else { return }
    let promise = loop.makePromise(of: Void.self)
    write(frame, promise)
    promise.futureResult.whenSuccess { if channel.isWritable { whenReady() } }
  }

  /// Called by the flusher at the end of a tick.
  func flush() {
    needsFlush = false
    belowEncoder?.flush()
  }

  // MARK: Closing

  /// Sends a close frame; the channel is closed when the peer has answered, or has had its time.
  package func close(code: UInt16?, reason: [UInt8] = []) {
    sendClose(WebSocketFraming.close(code: code, reason: reason), nil)
  }

  /// Closes without waiting for the peer.
  func drop() { context?.close(promise: nil) }

  /// The peer has closed, or has answered a close.
  ///
  /// - Parameter code: what it is answered.
  private func receivedClose(_ code: UInt16?) {
    guard !isClosing else {
      // An answer is on its way and then the channel closes.
      if !isAnswering { drop() }
      return
    }
    isAnswering = true
    let promise = loop.makePromise(of: Void.self)
    promise.futureResult.whenComplete { _ in self.drop() }
    sendClose(WebSocketFraming.close(code: code), promise)
  }

  /// The peer has broken the rules. It may not be understood any more, so nothing is waited for; but what it
  /// sends is read on for a while, since it would otherwise not learn why it was closed.
  private func fail(_ fault: MessageAssembler.Fault) {
    let promise = loop.makePromise(of: Void.self)
    promise.futureResult.whenSuccess { self.context?.close(mode: .output, promise: nil) }
    sendClose(WebSocketFraming.close(code: fault.rawValue), promise)
  }

  private func sendClose(_ frame: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
    guard !isClosing else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    write(frame, promise)
    isClosing = true
    user?.ended(self)
    loop.scheduleTask(in: Self.closingTime) { self.drop() }
  }

  private func end() {
    isClosing = true
    user?.ended(self)
    user?.gone(self)
  }
}
