import NIOCore
import RopewalkSync
import RopewalkZstd

/// A message as WebSocket frames, made once and shared by all who get it.
struct OutgoingMessage: Sendable {
  let plain: ByteBuffer
  /// The same buffer as `plain` where compression does not pay.
  let compressed: ByteBuffer
  /// For those who take segments as they are stored; nil for other messages.
  let folded: ByteBuffer?

  /// Smaller messages are not compressed.
  static let leastCompressed = 128

  /// - Parameter compressor: nil if no recipient takes compressed messages.
  init(_ message: [UInt8], compressor: ZstdCompressor?) {
    plain = WebSocketFraming.binary(Envelope.plain(message))
    if message.count >= Self.leastCompressed, let frame = compressor?.compress(message) {
      compressed = WebSocketFraming.binary(Envelope.zstd(frame: frame, size: message.count))
    } else {
      compressed = plain
    }
    folded = nil
  }

  /// A segment of a room's log: as it is stored, and unfolded where somebody needs that.
  ///
  /// - Parameter content: the decompressed entries; nil if every recipient takes segments.
  init(_ segment: LogSegment, in room: RoomNumber, content: [UInt8]?, compressor: ZstdCompressor?) {
    let head = segment.messageHead(room: room)
    let stored = WebSocketFraming.binary(Envelope.partly(head, frame: segment.frame, size: segment.size))
    let message = content.map { OutgoingMessage(head + $0, compressor: compressor) }
    plain = message?.plain ?? stored
    compressed = message?.compressed ?? stored
    folded = stored
  }

  func frame(_ codecs: Codecs, takesSegments: Bool) -> ByteBuffer {
    guard codecs.contains(.zstd) else { return plain }
    return takesSegments ? folded ?? compressed : compressed
  }
}

/// What a server writes: frames without a mask.
package enum WebSocketFraming {
  package static func binary(_ payload: [UInt8]) -> ByteBuffer {
    var buffer = ByteBufferAllocator().buffer(capacity: payload.count + 10)
    writeHead(opcode: 0x2, count: payload.count, to: &buffer)
    buffer.writeBytes(payload)
    return buffer
  }

  static func pong(_ payload: ByteBuffer) -> ByteBuffer {
    var buffer = ByteBufferAllocator().buffer(capacity: payload.readableBytes + 2)
    writeHead(opcode: 0xa, count: payload.readableBytes, to: &buffer)
    buffer.writeImmutableBuffer(payload)
    return buffer
  }

  /// - Parameter code: nil for a close frame without a body.
  static func close(code: UInt16?, reason: [UInt8] = []) -> ByteBuffer {
    var buffer = ByteBufferAllocator().buffer(capacity: 127)
    let reason = reason.prefix(123)
    writeHead(opcode: 0x8, count: code == nil ? 0 : reason.count + 2, to: &buffer)
    if let code {
      buffer.writeInteger(code)
      buffer.writeBytes(reason)
    }
    return buffer
  }

  private static func writeHead(opcode: UInt8, count: Int, to buffer: inout ByteBuffer) {
    buffer.writeInteger(0x80 | opcode)
    switch count {
    case ..<126: buffer.writeInteger(UInt8(count))
    case ..<65_536: buffer.writeMultipleIntegers(UInt8(126), UInt16(count))
    default: buffer.writeMultipleIntegers(UInt8(127), UInt64(count))
    }
  }
}
