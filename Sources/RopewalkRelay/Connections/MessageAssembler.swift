import NIOCore
import NIOWebSocket

/// Puts WebSocket frames together to messages and checks them against RFC 6455. Pure: frames in, events out.
struct MessageAssembler {
  enum Event {
    case message(ByteBuffer)
    case ping(ByteBuffer)
    case pong
    /// The peer closes; the code is nil if it gave none.
    case close(code: UInt16?)
  }

  /// A frame that breaks the rules, by the close code that says how.
  enum Fault: UInt16, Error {
    case protocolError = 1002
    /// A text message: the protocol is binary.
    case unsupportedData = 1003
    case tooLarge = 1009
  }

  private let largestMessage: Int
  private var fragments: ByteBuffer?

  /// - Parameter largestMessage: in bytes, all fragments together.
  init(largestMessage: Int) { self.largestMessage = largestMessage }

  /// Takes in a frame from a client. Nil while a message is not complete.
  mutating func receive(_ frame: WebSocketFrame) throws(Fault) -> Event? {
    guard frame.maskKey != nil, !frame.rsv1, !frame.rsv2, !frame.rsv3 else { throw .protocolError }
    let data = frame.unmaskedData
    switch frame.opcode {
    case .binary:
      guard fragments == nil else { throw .protocolError }
      guard data.readableBytes <= largestMessage else { throw .tooLarge }
      if frame.fin { return .message(data) }
      fragments = data
      return nil
    case .continuation:
      guard var whole = fragments else { throw .protocolError }
      guard whole.readableBytes + data.readableBytes <= largestMessage else { throw .tooLarge }
      fragments = nil  // so that the buffer is not copied
      whole.writeImmutableBuffer(data)
      if frame.fin { return .message(whole) }
      fragments = whole
      return nil
    case .text: throw .unsupportedData
    case .ping: return .ping(data)
    case .pong: return .pong
    case .connectionClose: return .close(code: try Self.closeCode(data))
    default: throw .protocolError
    }
  }

  private static func closeCode(_ body: ByteBuffer) throws(Fault) -> UInt16? {
    if body.readableBytes == 0 { return nil }
    guard let code = body.getInteger(at: body.readerIndex, as: UInt16.self) else { throw .protocolError }
    switch code {
    case 1000...1003, 1007...1014, 3000...4999: break
    default: throw .protocolError
    }
    var reason = body
    reason.moveReaderIndex(forwardBy: 2)
    guard String(validating: Array(reason.readableBytesView), as: UTF8.self) != nil else {
      throw .protocolError
    }
    return code
  }
}
