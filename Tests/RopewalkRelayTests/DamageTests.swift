import DamagedFiles
import NIOCore
import NIOWebSocket
import RopewalkSync
import RopewalkZstd
import Testing

@testable import RopewalkRelay

/// Damaged frames and envelopes give errors, and never a trap.
@Suite(.timeLimit(.minutes(240))) struct DamageTests {
  @Test func randomFramesAreMessagesOrFaults() async throws {
    try await DamageRun("frames", count: 2000).forEach { _, random in
      var assembler = MessageAssembler(largestMessage: 200)
      for _ in 0...random.below(6) {
        var frame = WebSocketFrame(
          fin: random.below(10) < 6,
          opcode: WebSocketOpcode(encodedWebSocketOpcode: UInt8(random.below(16)))!,
          maskKey: random.below(10) < 9 ? WebSocketMaskingKey([1, 2, 3, 4]) : nil,
          data: ByteBuffer(bytes: random.bytes(random.below(121))))
        frame.rsv1 = random.once(in: 20)
        do {
          if case .message(let buffer)? = try assembler.receive(frame) {
            #expect(buffer.readableBytes <= 200)
          }
        } catch { break }
      }
    }
  }

  @Test func damagedEnvelopesAreErrorsOrMessagesWithinTheBound() async throws {
    let message = Array(String(repeating: "all work and no play ", count: 40).utf8)
    let whole = [
      Envelope.plain(message), Envelope.zstd(frame: Zstd.compress(message), size: message.count),
    ]
    try await DamageRun("envelopes", count: 2000).forEach { _, random in
      var bytes = whole[random.below(2)]
      ByteDamage.damage(&bytes, using: &random)
      let opened = try? Envelope.open(bytes, largestMessage: 1000, takesSegments: true) {
        try? Zstd.decompress(Array($0), maximumBytes: $1)
      }
      #expect((opened?.count ?? 0) <= 1000)
    }
  }
}
