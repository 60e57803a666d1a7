import RopewalkCore
import RopewalkSync
import Testing

/// Messages survive their bytes, and bytes that are no message are refused without a trap.
@Suite struct CodecTests {
  @Test func clientMessagesSurviveTheirBytes() throws {
    for seed in seeds(200, "client messages") {
      var random = SeededRandom(seed: seed)
      for message in Samples.clientMessages(&random) {
        #expect(try ClientMessage(decoding: message.encoded) == message, "seed \(seed)")
      }
    }
  }

  @Test func relayMessagesSurviveTheirBytes() throws {
    for seed in seeds(200, "relay messages") {
      var random = SeededRandom(seed: seed)
      for message in Samples.relayMessages(&random) {
        #expect(try RelayMessage(decoding: message.encoded) == message, "seed \(seed)")
      }
    }
  }

  /// What is decoded from damaged bytes must be a message whose own bytes mean the same.
  @Test func damagedMessagesAreErrorsOrOtherMessages() {
    for seed in seeds(60, "damaged messages") {
      var random = SeededRandom(seed: seed)
      for message in Samples.clientMessages(&random) {
        let bytes = Samples.damaged(message.encoded, &random)
        guard let decoded = try? ClientMessage(decoding: bytes) else { continue }
        #expect((try? ClientMessage(decoding: decoded.encoded)) == decoded, "seed \(seed)")
      }
      for message in Samples.relayMessages(&random) {
        let bytes = Samples.damaged(message.encoded, &random)
        guard let decoded = try? RelayMessage(decoding: bytes) else { continue }
        #expect((try? RelayMessage(decoding: decoded.encoded)) == decoded, "seed \(seed)")
      }
    }
  }

  @Test func everyPrefixOfAMessageIsAnError() {
    for seed in seeds(5, "prefixes") {
      var random = SeededRandom(seed: seed)
      for message in Samples.relayMessages(&random) {
        let bytes = message.encoded
        for count in 0..<bytes.count {
          // A welcome may gain fields, but must not lose any but those that the first release did not know.
          if case .welcome(let welcome)? = try? RelayMessage(decoding: Array(bytes.prefix(count))) {
            #expect(welcome.limits.messagesPerSecond == 0 && welcome.limits.bytesPerSecond == 0)
            continue
          }
          #expect(throws: FormatError.self, "seed \(seed)") {
            try RelayMessage(decoding: Array(bytes.prefix(count)))
          }
        }
      }
      for message in Samples.clientMessages(&random) {
        let bytes = message.encoded
        for count in 0..<bytes.count {
          // What a hello may end with besides.
          if case .hello(let hello)? = try? ClientMessage(decoding: Array(bytes.prefix(count))) {
            #expect(hello.identity.isEmpty)
            continue
          }
          #expect(throws: FormatError.self, "seed \(seed)") {
            try ClientMessage(decoding: Array(bytes.prefix(count)))
          }
        }
      }
    }
  }

  @Test func helloAndWelcomeMayGainFieldsAndNothingElse() throws {
    let identity = [UInt8](repeating: 7, count: 16)
    let hello = ClientMessage.hello(
      ClientMessage.Hello(codecs: .zstd, token: [1], agent: [2], identity: identity))
    #expect(try ClientMessage(decoding: hello.encoded + [1, 2, 3]) == hello)
    #expect(throws: FormatError.self) { try ClientMessage(decoding: ClientMessage.ping(1).encoded + [0]) }
  }

  @Test func anIdentityIsNothingOrSixteenToThirtyTwoBytes() throws {
    let hello = ClientMessage.hello(ClientMessage.Hello(codecs: .zstd, token: [1], agent: [2]))
    #expect(try ClientMessage(decoding: hello.encoded + [0]) == hello)
    for count: UInt8 in [1, 15, 33, 255] {
      let identity = [UInt8](repeating: 7, count: Int(count))
      let block = count < 128 ? [count] : [count & 0x7f | 0x80, count >> 7]
      #expect(throws: FormatError.self) { try ClientMessage(decoding: hello.encoded + block + identity) }
    }
  }

  @Test func aCountThatTheBytesCannotHoldIsRefusedBeforeAnythingIsAllocated() {
    // acknowledged, room 1, 2³⁵ acknowledgements
    #expect(throws: FormatError.self) {
      try RelayMessage(decoding: [70, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 1, 1])
    }
  }

  @Test func namesAreShortUTF8WithoutControlCharacters() {
    #expect(RoomName("team/plan ✎") != nil)
    #expect(RoomName("") == nil)
    #expect(RoomName(String(repeating: "a", count: 128)) != nil)
    #expect(RoomName(String(repeating: "a", count: 129)) == nil)
    #expect(DocumentName(String(repeating: "a", count: 255)) != nil)
    #expect(DocumentName(String(repeating: "a", count: 256)) == nil)
    for text in [
      "a\nb", "\0", "\u{7f}", "\u{85}", "\u{9b}2J", "a\u{2028}", "\u{2029}a", "\u{61c}", "\u{200e}",
      "\u{200f}", "\u{202a}",
      "a\u{202e}b", "\u{2066}", "\u{2069}",
    ] {
      #expect(RoomName(text) == nil && DocumentName(text) == nil)
    }
    // What joins or parts letters belongs to words, and to pictures.
    for text in ["\u{200c}", "👩\u{200d}🚀", "\u{2027}", "\u{202f}", "\u{2065}x", "e\u{301}"] {
      #expect(RoomName(text) != nil && DocumentName(text) != nil)
    }
    // In tokens a star at the end makes a prefix.
    for text in ["*", "team/*", "a**"] { #expect(RoomName(text) == nil && DocumentName(text) != nil) }
    #expect(RoomName("*a") != nil)
    for bytes in [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]
      as [[UInt8]]
    {
      #expect(RoomName(utf8: bytes) == nil)
    }
  }

  /// By sequence number, wherever the run begins.
  @Test func aCheckpointIsCutAtMultiplesOfThirtyTwoThousand() {
    #expect(Checkpoint.cuts(of: 30_000..<70_000) == [30_000..<32_768, 32_768..<65_536, 65_536..<70_000])
    #expect(Checkpoint.cuts(of: 32_768..<65_536) == [32_768..<65_536])
    #expect(Checkpoint.cuts(of: 0..<1) == [0..<1])
    let last = UInt32(1) << 31
    #expect(Checkpoint.cuts(of: last - 1..<last) == [last - 1..<last])
  }

  @Test func envelopesBoundWhatTheyOpen() throws {
    let message: [UInt8] = [1, 2, 3]
    func open(_ bytes: [UInt8], _ limit: Int = 100, inflated: [UInt8]? = nil) throws -> [UInt8] {
      try Envelope.open(bytes, largestMessage: limit, takesSegments: true) { _, _ in inflated }
    }
    #expect(try open(Envelope.plain(message)) == message)
    #expect(throws: FormatError.self) { try open(Envelope.plain(message), 2) }
    #expect(try open(Envelope.zstd(frame: [9], size: 3), inflated: message) == message)
    #expect(throws: FormatError.self) { try open(Envelope.zstd(frame: [9], size: 4), inflated: message) }
    #expect(throws: FormatError.self) { try open(Envelope.zstd(frame: [9], size: 101), inflated: message) }
    #expect(throws: FormatError.self) { try open(Envelope.zstd(frame: [9], size: 3)) }
    #expect(throws: FormatError.self) { try open([2, 1]) }
    #expect(throws: FormatError.self) { try open([]) }
  }

  /// A client never sends it, and those who have not agreed on segments never get it.
  @Test func aFrameAfterABeginningIsOpenedOnlyWhereSegmentsAreTaken() throws {
    let bytes = Envelope.partly([1, 2], frame: [9], size: 1)
    #expect(try Envelope.open(bytes, largestMessage: 9, takesSegments: true) { _, _ in [3] } == [1, 2, 3])
    #expect(throws: FormatError(.badValue, at: 0, field: "envelope")) {
      try Envelope.open(bytes, largestMessage: 9, takesSegments: false) { _, _ in [3] }
    }
  }
}
