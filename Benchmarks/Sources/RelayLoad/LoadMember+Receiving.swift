import NIOCore
import RopewalkCore
import RopewalkSync
import RopewalkZstd

extension LoadMember {
  private enum Kind {
    static let entries: UInt8 = 68
  }

  /// Takes in one message.
  func received(_ buffer: ByteBuffer, _ payload: Range<Int>) {
    crew.tally.bytes += UInt64(payload.count)
    switch crew.dialect {
    case .bare: receivedBare(buffer, payload)
    case .relay:
      guard buffer.getInteger(at: payload.lowerBound, as: UInt8.self) == 1 else {
        return receivedPlain(buffer, payload.dropFirst())
      }
      let bytes = buffer.getBytes(at: payload.lowerBound, length: payload.count) ?? []
      let message = try? Envelope.open(bytes, largestMessage: 1 << 26, takesSegments: true) {
        try? Zstd.decompress(Array($0), maximumBytes: $1)
      }
      guard let message else { return crew.tally.faults += 1 }
      receivedPlain(ByteBuffer(bytes: message), 0..<message.count)
    }
  }

  private func receivedBare(_ buffer: ByteBuffer, _ payload: Range<Int>) {
    guard stage == .live else { return arrived() }
    noteDelivery(buffer, payload, count: 1)
  }

  private func receivedPlain(_ buffer: ByteBuffer, _ message: Range<Int>) {
    if !isScribe, buffer.getInteger(at: message.lowerBound, as: UInt8.self) == Kind.entries {
      return receivedEntries(buffer, message)
    }
    let bytes = buffer.getBytes(at: message.lowerBound, length: message.count) ?? []
    guard let decoded = try? RelayMessage(decoding: bytes) else { return crew.tally.faults += 1 }
    received(decoded, buffer, message)
  }

  private func received(_ decoded: RelayMessage, _ buffer: ByteBuffer, _ message: Range<Int>) {
    switch decoded {
    case .welcome:
      stage = .joining
      // The digest is known as far as the scribe has read.
      cursor = min(cursor, room.head.cursor)
      let digest = room.digest(at: cursor)
      say(.join(ClientMessage.Join(room: room.name, cursor: cursor, digest: digest)))
    case .joined(let joined):
      number = joined.number
      if joined.isRestart {
        if cursor > 0 { crew.tally.faults += 1 }
        cursor = 0
        if isScribe { room.restart() }
      }
    case .entries(_, let entries):
      for entry in entries {
        if entry.cursor != room.head.cursor + 1 { crew.tally.faults += 1 }
        room.advance(to: LogHead(cursor: entry.cursor, digest: entry.digest(after: room.head.digest)))
      }
      cursor = room.head.cursor
      noteDelivery(buffer, message, count: UInt64(entries.count))
    case .caughtUp(_, let cursor, let digest):
      if cursor != self.cursor || (isScribe && digest != room.head.digest) { crew.tally.faults += 1 }
      if stage == .joining { arrived() }
    case .acknowledged(_, let all): for one in all { answered(one.push, isAcknowledged: true) }
    case .refused(_, let push, _): answered(push, isAcknowledged: false)
    case .error:
      crew.tally.lost += 1
      channel?.close(promise: nil)
    default: break
    }
  }

  /// Only what tells that nothing is missing: 100 clients would otherwise cost 100 times what the relay does.
  private func receivedEntries(_ buffer: ByteBuffer, _ message: Range<Int>) {
    var index = message.lowerBound + 1
    guard ClientFrames.varint(buffer, &index) != nil, let first = ClientFrames.varint(buffer, &index),
      let count = ClientFrames.varint(buffer, &index), first == cursor + 1
    else { return crew.tally.faults += 1 }
    cursor += count
    noteDelivery(buffer, message, count: count)
  }

  /// The time of writing begins the last entry's payload, which ends the message.
  private func noteDelivery(_ buffer: ByteBuffer, _ message: Range<Int>, count: UInt64) {
    guard stage == .live else { return }
    crew.tally.deliveries += count
    crew.tally.messages += 1
    let now = NIODeadline.now().uptimeNanoseconds
    guard let sent: UInt64 = buffer.getInteger(at: message.upperBound - crew.filler.count), sent <= now else {
      return
    }
    if crew.isTiming { crew.tally.toDelivery.record(now - sent) }
  }
}
