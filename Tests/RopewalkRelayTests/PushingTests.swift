import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkRelay

@Suite(.timeLimit(.minutes(5))) struct PushingTests {
  @Test func pushIsAcknowledgedAndReachesEverybody() async throws {
    try await withRelay { relay in
      let (writer, reader) = (try await Peer.greeted(by: relay), try await Peer.greeted(by: relay))
      let number = try await writer.join(.test).joined.number
      try await reader.join(.test)
      let push = ClientMessage.Push(room: number, number: 1, header: header(0..<3), payload: [1, 2, 3])
      #expect(try await writer.push(push) == .cursor(1))
      guard case .entries(_, let entries) = try await reader.hear() else {
        Issue.record("the reader got something else")
        return
      }
      #expect(entries.map(\.payload) == [[1, 2, 3]])
      #expect(entries[0].header == header(0..<3))
      #expect(entries[0].subject == Array("anonymous".utf8))
    }
  }

  @Test func repeatedPushIsAcknowledgedAgainAndAnotherPayloadClashes() async throws {
    try await withRelay { relay in
      let peer = try await Peer.greeted(by: relay)
      let number = try await peer.join(.test).joined.number
      func push(
        _ count: UInt64, _ seqs: Range<UInt32>, _ payload: [UInt8], seen: UInt64 = 0
      ) async throws -> Peer.Answer {
        try await peer.push(
          ClientMessage.Push(
            room: number, number: count, refusalsSeen: seen, header: header(seqs), payload: payload))
      }
      #expect(try await push(1, 0..<4, [1]) == .cursor(1))
      #expect(try await push(2, 0..<4, [1]) == .cursor(1))
      #expect(try await push(3, 0..<4, [2]) == .refusal(.idClash(at: 1)))
      #expect(try await push(3, 4..<6, [4]) == .refusal(.overtaken))
      #expect(try await push(4, 2..<6, [3], seen: 1) == .refusal(.covered(missing: [4..<6], through: 1)))
      #expect(try await push(5, 1..<3, [3], seen: 2) == .refusal(.covered(missing: [], through: 1)))
      #expect(try await push(6, 4..<6, [4], seen: 3) == .cursor(2))
    }
  }

  @Test func acknowledgedPushesAreThereAfterTheRelayIsReopened() async throws {
    try await withDirectory { path in
      var expected: [[UInt8]] = []
      var digest = LogDigest.zero
      for round in 0..<4 {
        let relay = try await startRelay(path)
        let peer = try await Peer.greeted(by: relay, codecs: .zstd)
        let (joined, entries, found) = try await peer.join(.test)
        #expect(entries.map(\.payload) == expected)
        #expect(entries.map(\.cursor) == (0..<UInt64(expected.count)).map { $0 + 1 })
        digest = entries.reduce(LogDigest.zero) { $1.digest(after: $0) }
        #expect(digest == found)
        for index in 0..<10 {
          let payload = [UInt8](repeating: UInt8(index), count: 300 * index + round)
          let header = header(UInt32(round * 10 + index)..<UInt32(round * 10 + index + 1))
          let push = ClientMessage.Push(
            room: joined.number, number: UInt64(index), header: header, payload: payload)
          #expect(try await peer.push(push) == .cursor(UInt64(expected.count + 1)))
          expected.append(payload)
        }
        // What an earlier process has taken in is recognised.
        let repeated = ClientMessage.Push(
          room: joined.number, number: 99, header: header(0..<1), payload: expected[0])
        #expect(try await peer.push(repeated) == .cursor(1))
        await relay.stop()
      }
    }
  }

  @Test func joinResumesAfterTheCursorAndStartsOverWhenTheDigestDoesNotMatch() async throws {
    try await withRelay { relay in
      let peer = try await Peer.greeted(by: relay)
      let number = try await peer.join(.test).joined.number
      for index in 0..<5 {
        let push = ClientMessage.Push(
          room: number, number: UInt64(index), header: header(UInt32(index)..<UInt32(index + 1)),
          payload: [UInt8(index)])
        #expect(try await peer.push(push) == .cursor(UInt64(index + 1)))
      }
      let all = try await Peer.greeted(by: relay).join(.test)
      let third = all.entries.prefix(3).reduce(LogDigest.zero) { $1.digest(after: $0) }
      let resumed = try await Peer.greeted(by: relay).join(.test, cursor: 3, digest: third)
      #expect(!resumed.joined.isRestart)
      #expect(resumed.entries.map(\.cursor) == [4, 5])
      let atHead = try await Peer.greeted(by: relay).join(.test, cursor: 5, digest: all.digest)
      #expect(!atHead.joined.isRestart)
      #expect(atHead.entries.isEmpty)
      for (cursor, digest) in [(3, all.digest), (5, third), (6, third), (0, third)] as [(UInt64, LogDigest)] {
        let restarted = try await Peer.greeted(by: relay).join(.test, cursor: cursor, digest: digest)
        #expect(restarted.joined.isRestart)
        #expect(restarted.entries.count == 5)
      }
    }
  }

  @Test func broadcastIsCompressedForThoseWhoTakeIt() async throws {
    try await withRelay { relay in
      let writer = try await Peer.greeted(by: relay)
      let (plain, zstd) = (
        try await Peer.greeted(by: relay), try await Peer.greeted(by: relay, codecs: .zstd)
      )
      let number = try await writer.join(.test).joined.number
      try await plain.join(.test)
      try await zstd.join(.test)
      let payload = [UInt8](repeating: 65, count: 5000)
      let push = ClientMessage.Push(room: number, number: 1, header: header(0..<1), payload: payload)
      try await writer.say(.push(push))
      let (large, small) = (try await plain.socket.frame(), try await zstd.socket.frame())
      #expect(large.payload.first == 0 && large.payload.count > 5000)
      #expect(small.payload.first == 1 && small.payload.count < 200)
    }
  }

  @Test func slowReaderFallsBehindAndCatchesUpExactly() async throws {
    try await withRelay { relay in
      let (writer, slow) = (try await Peer.greeted(by: relay), try await Peer.greeted(by: relay))
      let number = try await writer.join(.test).joined.number
      try await slow.join(.test)
      try await slow.socket.setReading(false)
      let count = 250
      for index in 0..<count {
        let payload = [UInt8](repeating: UInt8(index), count: 30_000)
        let push = ClientMessage.Push(
          room: number, number: UInt64(index), header: header(UInt32(index)..<UInt32(index + 1)),
          payload: payload)
        #expect(try await writer.push(push) == .cursor(UInt64(index + 1)))
      }
      try await slow.socket.setReading(true)
      var cursors: [UInt64] = []
      while cursors.count < count {
        guard case .entries(_, let entries) = try await slow.hear() else { continue }
        cursors += entries.map(\.cursor)
      }
      #expect(cursors == (1...UInt64(count)).map { $0 })
    }
  }
}
