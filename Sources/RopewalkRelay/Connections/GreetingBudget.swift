import NIOCore

/// Bounds what a connection may send before its token was verified. Stands in front of the frame decoder,
/// so that a stranger cannot make it gather a large frame.
final class GreetingBudget: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  struct Exhausted: Error {}

  private var left: Int

  init(bytes: Int) { left = bytes }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let count = unwrapInboundIn(data).readableBytes
    guard count <= left else {
      left = 0
      context.fireErrorCaught(Exhausted())
      return
    }
    left -= count
    context.fireChannelRead(data)
  }
}
