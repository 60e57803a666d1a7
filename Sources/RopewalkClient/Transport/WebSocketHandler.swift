import NIOCore
import NIOWebSocket

/// Turns frames into messages, answers pings, and follows the closing handshake.
final class WebSocketHandler: ChannelInboundHandler {
  typealias InboundIn = WebSocketFrame
  typealias OutboundOut = WebSocketFrame

  private let connection: WebSocketConnection
  private var closeCode: UInt16?

  init(_ connection: WebSocketConnection) { self.connection = connection }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    switch frame.opcode {
    case .binary:
      connection.received(Array(frame.unmaskedData.readableBytesView))
    case .ping:
      reply(.pong, frame.unmaskedData, context)
    case .connectionClose:
      var data = frame.unmaskedData
      closeCode = data.readInteger()
      reply(.connectionClose, frame.unmaskedData, context)
      context.close(promise: nil)
    case .pong:
      break
    default:
      context.close(promise: nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    connection.ended(code: closeCode)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func reply(_ opcode: WebSocketOpcode, _ data: ByteBuffer, _ context: ChannelHandlerContext) {
    let frame = WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: data)
    context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
  }
}
