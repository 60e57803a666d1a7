import Testing

@testable import RopewalkCore

@Suite struct ChecksumTests {
  /// The check value of the CRC catalogue, and the vectors of RFC 3720, B.4.
  @Test func castagnoliGivesThePublishedValues() {
    #expect(crc32c(Array("123456789".utf8)) == 0xe306_9283)
    #expect(crc32c([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(crc32c([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
    #expect(crc32c((0..<32).map { UInt8($0) }) == 0x46dd_794e)
    #expect(crc32c([UInt8]()) == 0)
  }

  /// The examples of FIPS 180-4.
  @Test func sha256GivesThePublishedValues() {
    func hex(_ text: String, pieces: Int = 1) -> String {
      var hash = SHA256()
      let bytes = Array(text.utf8)
      let size = max(1, bytes.count / pieces)
      for start in stride(from: 0, to: bytes.count, by: size) {
        hash.update(bytes[start..<min(bytes.count, start + size)])
      }
      return hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
    #expect(hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    let long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
    let digest = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    for pieces in [1, 2, 3, 7, 56] { #expect(hex(long, pieces: pieces) == digest) }
  }
}
