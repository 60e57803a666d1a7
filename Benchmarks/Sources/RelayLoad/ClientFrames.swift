import NIOCore

/// What a client writes and reads of WebSocket, by hand: the generator must cost less than what it measures.
enum ClientFrames {
  /// The request for the upgrade.
  static func upgrade(host: String) -> ByteBuffer {
    ByteBuffer(
      string: "GET /sync HTTP/1.1\r\nHost: \(host)\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
  }

  /// A masked frame. The mask is zero, which is as good as any between these two processes.
  static func frame(opcode: UInt8, _ payload: [UInt8]) -> ByteBuffer {
    var buffer = ByteBufferAllocator().buffer(capacity: payload.count + 14)
    buffer.writeInteger(0x80 | opcode)
    switch payload.count {
    case ..<126: buffer.writeInteger(0x80 | UInt8(payload.count))
    case ..<65_536: buffer.writeMultipleIntegers(0x80 | UInt8(126), UInt16(payload.count))
    default: buffer.writeMultipleIntegers(0x80 | UInt8(127), UInt64(payload.count))
    }
    buffer.writeInteger(UInt32(0))
    buffer.writeBytes(payload)
    return buffer
  }

  /// The frame that begins at the reader index, which stays there; nil while it is not complete. Server
  /// frames have no mask.
  static func next(_ buffer: ByteBuffer) -> (opcode: UInt8, payload: Range<Int>)? {
    let start = buffer.readerIndex
    guard let first: UInt8 = buffer.getInteger(at: start),
      let second: UInt8 = buffer.getInteger(at: start + 1)
    else { return nil }
    var head = 2
    var count = Int(second & 0x7f)
    if count == 126 {
      guard let long: UInt16 = buffer.getInteger(at: start + 2) else { return nil }
      (head, count) = (4, Int(long))
    } else if count == 127 {
      guard let long: UInt64 = buffer.getInteger(at: start + 2) else { return nil }
      (head, count) = (10, Int(clamping: long))
    }
    guard count < 1 << 30, buffer.readableBytes >= head + count else { return nil }
    return (first & 0x0f, start + head..<start + head + count)
  }

  /// Reads a varint and moves `index` behind it.
  static func varint(_ buffer: ByteBuffer, _ index: inout Int) -> UInt64? {
    var value: UInt64 = 0
    for place in UInt64(0)..<10 {
      guard let byte: UInt8 = buffer.getInteger(at: index) else { return nil }
      index += 1
      value |= UInt64(byte & 0x7f) << (7 * place)
      if byte < 0x80 { return value }
    }
    return nil
  }
}
