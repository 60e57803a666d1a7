/// A WebSocket frame as it is written, whatever the rules say.
public struct WireFrame {
  /// The first byte: FIN, three reserved bits, the opcode.
  public var head: UInt8
  /// Nil for none.
  public var mask: [UInt8]?
  /// Not masked.
  public var payload: [UInt8]

  /// A whole binary message.
  public init(_ payload: [UInt8], mask: [UInt8]?) {
    head = 0x82
    self.mask = mask
    self.payload = payload
  }

  /// The bytes on the wire.
  public var bytes: [UInt8] {
    let flag: UInt8 = mask == nil ? 0 : 0x80
    var bytes = [head]
    switch payload.count {
    case ..<126: bytes.append(flag | UInt8(payload.count))
    case ..<65_536: bytes += [flag | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
    default:
      bytes.append(flag | 127)
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: payload.count >> shift))
      }
    }
    guard let mask else { return bytes + payload }
    return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
  }
}

/// A conversation that went wrong.
public enum FrameDamage {
  /// Writes messages as frames, with damage to messages, to frames, to their order, or to the bytes on the
  /// wire.
  ///
  /// - Parameter isMasked: as those of a client are.
  public static func conversation(
    _ messages: [[UInt8]], isMasked: Bool, using random: inout DamageRandom
  ) -> [UInt8] {
    var messages = messages
    let kind = random.below(4)
    if kind == 0 { damageMessages(&messages, &random) }
    var frames: [WireFrame] = []
    for message in messages {
      let mask = isMasked ? random.bytes(4) : nil
      var rest = message[...]
      // Now and then in pieces, with control frames between them.
      while random.once(in: 6), rest.count > 1 {
        var piece = WireFrame(Array(rest.prefix(1 + random.below(rest.count - 1))), mask: mask)
        rest = rest.dropFirst(piece.payload.count)
        piece.head = rest.startIndex == piece.payload.count ? 0x02 : 0x00
        frames.append(piece)
        if random.once(in: 2) {
          var ping = WireFrame(random.bytes(random.below(126)), mask: mask)
          ping.head = 0x89
          frames.append(ping)
        }
      }
      var last = WireFrame(Array(rest), mask: mask)
      if rest.startIndex > 0 { last.head = 0x80 }
      frames.append(last)
    }
    if kind == 1 { damageFrames(&frames, &random) }
    var bytes = frames.flatMap { $0.bytes }
    if kind >= 2 { for _ in 0...random.below(3) { ByteDamage.damage(&bytes, using: &random) } }
    return bytes
  }

  private static func damageMessages(_ messages: inout [[UInt8]], _ random: inout DamageRandom) {
    for _ in 0...random.below(3) {
      let place = random.below(messages.count)
      switch random.below(6) {
      case 0: messages.append(messages[place])
      case 1 where messages.count > 1: messages.remove(at: place)
      case 2: messages.swapAt(place, random.below(messages.count))
      default: ByteDamage.damage(&messages[place], using: &random)
      }
    }
  }

  private static func damageFrames(_ frames: inout [WireFrame], _ random: inout DamageRandom) {
    for _ in 0...random.below(3) {
      let place = random.below(frames.count)
      switch random.below(8) {
      case 0: frames[place].head = UInt8(truncatingIfNeeded: random.next())
      case 1: frames[place].head ^= 0x80
      case 2: frames[place].mask = frames[place].mask == nil ? random.bytes(4) : nil
      case 3: frames.append(frames[place])
      case 4 where frames.count > 1: frames.remove(at: place)
      case 5: frames.swapAt(place, random.below(frames.count))
      case 6:
        var close = WireFrame(random.bytes(random.below(8)), mask: frames[place].mask)
        close.head = 0x88
        frames.insert(close, at: place)
      default: ByteDamage.damage(&frames[place].payload, using: &random)
      }
    }
  }
}
