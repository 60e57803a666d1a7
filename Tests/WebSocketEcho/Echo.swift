import NIOCore
import RopewalkRelay

/// Sends every message back as it came.
final class Echo: MessageSocketUser {
  private let texts: TextAsBinary

  private init(_ texts: TextAsBinary) { self.texts = texts }

  /// Lays the pipeline of a connection that was accepted.
  static func prepare(_ channel: any Channel, largest: Int) throws {
    try WebSocketUpgrade.prepare(
      channel, strangerBytes: 64 << 10, largestFrame: largest, admits: { _ in true },
      open: { channel in
        let texts = TextAsBinary()
        try channel.pipeline.syncOperations.addHandler(texts)
        let socket = MessageSocket(
          loop: channel.eventLoop, flusher: Flusher(loop: channel.eventLoop), largestMessage: largest,
          user: Echo(texts))
        texts.socket = socket
        return socket
      })
  }

  func opened(_ socket: MessageSocket) { socket.trust() }

  func received(_ message: ByteBuffer, on socket: MessageSocket) {
    guard !texts.isPartial else { return socket.close(code: TextAsBinary.invalidText) }
    var frame = WebSocketFraming.binary(Array(message.readableBytesView))
    if texts.isText { frame.setInteger(UInt8(0x81), at: frame.readerIndex) }
    socket.write(frame)
  }

  func heard(isSign: Bool, on socket: MessageSocket) {}
  func sentTooMuch(on socket: MessageSocket) { socket.close(code: 1008) }
  func changed(isWritable: Bool, on socket: MessageSocket) {}
  func ended(_ socket: MessageSocket) {}
  func gone(_ socket: MessageSocket) { texts.socket = nil }
}
