import RopewalkSync
import Testing

/// Messages as the first release sent them are read as what they were, and are still sent so.
@Suite struct FixtureTests {
  @Test func clientMessagesStayAsTheyAre() throws {
    #expect(MessageFixtures.client.count == MessageBytes.client.count)
    for (name, message) in MessageFixtures.client {
      let bytes = try #require(MessageBytes.client[name].flatMap(Self.bytes), "\(name)")
      #expect(message.encoded == bytes, "\(name)")
      #expect(try ClientMessage(decoding: bytes) == message, "\(name)")
    }
  }

  @Test func relayMessagesStayAsTheyAre() throws {
    #expect(MessageFixtures.relay.count == MessageBytes.relay.count)
    for (name, message) in MessageFixtures.relay {
      let bytes = try #require(MessageBytes.relay[name].flatMap(Self.bytes), "\(name)")
      #expect(message.encoded == bytes, "\(name)")
      #expect(try RelayMessage(decoding: bytes) == message, "\(name)")
    }
  }

  @Test func envelopesStayAsTheyAre() throws {
    let (message, frame): ([UInt8], [UInt8]) = ([0x41, 1, 2, 3, 4, 5], [0xf0, 0xf1])
    #expect(Envelope.plain(message) == Self.bytes("00410102030405"))
    #expect(Envelope.zstd(frame: frame, size: 6) == Self.bytes("0106f0f1"))
    #expect(Envelope.partly([0x41, 1], frame: frame, size: 4) == Self.bytes("0202410104f0f1"))
    for (digits, inflated) in [
      ("00410102030405", []), ("0106f0f1", message), ("0202410104f0f1", [2, 3, 4, 5]),
    ] {
      let opened = try Envelope.open(try #require(Self.bytes(digits)), largestMessage: 6, takesSegments: true)
      { given, most in
        given.elementsEqual(frame) && most == inflated.count ? inflated : nil
      }
      #expect(opened == message)
    }
  }

  private static func bytes(_ digits: String) -> [UInt8]? {
    let characters = Array(digits.utf8)
    guard characters.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    for place in stride(from: 0, to: characters.count, by: 2) {
      guard let byte = UInt8(String(decoding: characters[place..<place + 2], as: UTF8.self), radix: 16) else {
        return nil
      }
      bytes.append(byte)
    }
    return bytes
  }
}
