import RopewalkCore
import Testing

@testable import RopewalkSync

/// A presence value is shown when the text that it belongs to is there.
@Suite struct PresenceEnvelopeTests {
  private func envelope(_ cursor: UInt64, _ value: UInt8) -> PresenceEnvelope {
    PresenceEnvelope(cursor: cursor, events: [], value: [value])
  }

  private func sent(_ session: UInt64, _ envelope: PresenceEnvelope?) -> RelayMessage.PresenceValue {
    .init(session: session, subject: [], value: envelope?.encoded)
  }

  private func values(_ others: OthersPresence) -> [[UInt8]] { others.shown.map { $0.value } }

  @Test func envelopesAreReadAsTheyWereWritten() throws {
    let key = DocumentKey(name: try #require(DocumentName("notes")), lineage: Lineage(rawValue: 7))
    let events = PresenceEnvelope.Events(
      document: key, replica: ReplicaID(rawValue: 0x0123_4567_89ab_cdef), count: 300)
    let envelope = PresenceEnvelope(cursor: 5, events: [events], value: [1, 2, 3])
    #expect(try PresenceEnvelope(decoding: envelope.encoded) == envelope)
    let bytes: [UInt8] =
      [1, 5, 1, 5] + Array("notes".utf8) + [7, 0, 0, 0, 0, 0, 0, 0]
      + [0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0xac, 0x02, 1, 2, 3]
    #expect(envelope.encoded == bytes)
    for length in 0..<(bytes.count - 3) {
      #expect(throws: FormatError.self) { try PresenceEnvelope(decoding: Array(bytes.prefix(length))) }
    }
    let largest = PresenceEnvelope(cursor: .max, events: [], value: [])
    #expect(largest.encoded.count <= PresenceEnvelope.reserve)
  }

  @Test func anythingElseIsNoValue() {
    var others = OthersPresence()
    others.receive([sent(1, envelope(0, 9))], isComplete: true)
    others.release { _ in true }
    #expect(values(others) == [[9]])
    others.receive([.init(session: 1, subject: [], value: [2, 0, 0, 9])], isComplete: false)
    #expect(values(others).isEmpty)
  }

  @Test func theValueBeforeIsShownUntilTheTextIsThere() {
    var others = OthersPresence()
    others.receive([sent(1, envelope(1, 1)), sent(2, envelope(5, 2))], isComplete: true)
    others.release { $0.cursor <= 1 }
    #expect(values(others) == [[1]])
    others.receive([sent(1, envelope(2, 3))], isComplete: false)
    others.release { $0.cursor <= 1 }
    #expect(values(others) == [[1]])
    #expect(others.isHolding)
    others.release { $0.cursor <= 5 }
    #expect(values(others) == [[3], [2]])
    #expect(!others.isHolding)
    others.receive([sent(1, nil)], isComplete: false)
    #expect(values(others) == [[2]])
    others.receive([], isComplete: true)
    #expect(others.shown.isEmpty)
  }

  @Test func textThatComesLateIsFollowedAndNotWaitedForInVain() {
    var others = OthersPresence()
    var known: UInt64 = 0
    var shown: [UInt8] = []
    for step in 1...200 {
      others.receive([sent(1, envelope(UInt64(step), UInt8(step)))], isComplete: false)
      // The text is always ten values late.
      known = UInt64(max(0, step - 10))
      others.release { $0.cursor <= known }
      shown += values(others).flatMap { $0 }
    }
    #expect(Set(shown).count > 100)
    // However late, the newest comes in the end.
    for step in 201...255 {
      others.receive([sent(1, envelope(UInt64(step), UInt8(step)))], isComplete: false)
    }
    others.release { _ in true }
    #expect(values(others) == [[255]])
  }
}
