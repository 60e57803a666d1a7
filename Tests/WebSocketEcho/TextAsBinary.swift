import NIOCore
import NIOWebSocket
import RopewalkRelay

/// Stands before a `MessageSocket` and shows it text messages as binary ones, once their UTF-8 was looked at.
final class TextAsBinary: ChannelInboundHandler {
  typealias InboundIn = WebSocketFrame
  typealias InboundOut = WebSocketFrame

  /// The close code for text that is no UTF-8.
  static let invalidText: UInt16 = 1007

  var socket: MessageSocket?
  /// The message that is coming in, or has just come in, is text.
  private(set) var isText = false
  private var check = UTF8Check()

  /// The text that has come so far ends within a scalar.
  var isPartial: Bool { isText && check.isPartial }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var frame = unwrapInboundIn(data)
    switch frame.opcode {
    case .text:
      isText = true
      check = UTF8Check()
      frame.opcode = .binary
    case .binary: isText = false
    default: break
    }
    let isData = frame.opcode == .binary || frame.opcode == .continuation
    // What breaks the rules otherwise is the socket's to refuse.
    let isPlain = !frame.rsv1 && !frame.rsv2 && !frame.rsv3
    if isText, isData, isPlain, !check.take(frame.unmaskedData.readableBytesView) {
      socket?.close(code: Self.invalidText)
      return
    }
    context.fireChannelRead(wrapInboundOut(frame))
  }
}

/// Whether bytes that come in parts are UTF-8, told at the first byte that cannot be.
struct UTF8Check {
  private var missing = 0
  private var allowed: ClosedRange<UInt8> = 0x80...0xbf

  /// More bytes of a scalar must follow.
  var isPartial: Bool { missing > 0 }

  /// False if no continuation could make this UTF-8.
  mutating func take(_ bytes: some Sequence<UInt8>) -> Bool {
    for byte in bytes where !take(byte) { return false }
    return true
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    if missing > 0 {
      guard allowed.contains(byte) else { return false }
      allowed = 0x80...0xbf
      missing -= 1
      return true
    }
    switch byte {
    case 0...0x7f: break
    case 0xc2...0xdf: missing = 1
    case 0xe0: (missing, allowed) = (2, 0xa0...0xbf)
    case 0xed: (missing, allowed) = (2, 0x80...0x9f)
    case 0xe1...0xef: missing = 2
    case 0xf0: (missing, allowed) = (3, 0x90...0xbf)
    case 0xf1...0xf3: missing = 3
    case 0xf4: (missing, allowed) = (3, 0x80...0x8f)
    default: return false
    }
    return true
  }
}
