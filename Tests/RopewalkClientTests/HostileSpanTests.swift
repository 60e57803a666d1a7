import RopewalkCore
import RopewalkRelay
import RopewalkReplica
import RopewalkSync
import Testing

@testable import RopewalkClient

/// Headers that claim what no payload holds: spans up to the last sequence number, in documents of others and new ones.
@Suite(.timeLimit(.minutes(2))) struct HostileSpanTests {
  private let last: UInt32 = 1 << 31

  @Test func spansOfAllSequenceNumbersCostNobodyAnything() async throws {
    try await withFolder { folder in
      let room = try await CheckpointRoom(folder)
      let (ann, ben) = (try room.person("ann"), try room.person("ben"))
      try await ann.meet()
      try await ben.meet()
      try await ann.type("An")
      let mallory = try await room.hostile("mallory")
      let ids = (5...9).map { TypedText("xyz", in: $0 == 9 ? "new" : "notes", by: ReplicaID(rawValue: $0)) }
      let spans: [Range<UInt32>] = [0..<last, last - 1..<last, 1..<last, 3..<last - 3, 0..<last]
      for (index, (text, span)) in zip(ids, spans).enumerated() {
        // No update, or one of another span.
        let payload = index.isMultiple(of: 2) ? [] : text.payload(0..<3)
        #expect(try await mallory.push(text.header(span), payload).isTaken)
      }
      // What is free beside them.
      #expect(try await mallory.push(ids[2].header(0..<1), ids[2].payload(0..<1)).isTaken)
      #expect(try await mallory.push(ids[0].header(0..<2), ids[0].payload(0..<2)).isTaken == false)
      mallory.close()
      try await ben.type("n ")
      try await ann.type("and Ben")
      var state = try await ann.state()
      while state.checkpoint == 0 || state.oldest == 1 {
        try await ben.type(".")
        try await ann.client.sync()
        state = try await ann.state()
      }
      let dan = try room.person("dan")
      try await dan.meet()
      for person in [ann, ben, dan] { try await person.client.sync() }
      let head = try ann.replica.status(of: .team).cursor
      let parts = try #require(try ann.replica.checkpointParts(of: .team, at: head))
      let text = try ann.document.text
      for person in [ann, ben, dan] {
        #expect(try person.document.text == text)
        #expect(try person.replica.checkpointParts(of: .team, at: head) == parts, "\(person.name)")
        await person.leave()
        try person.replica.close()
        #expect(try Replica.verify(path: person.path).isSound, "\(person.name)")
      }
      await room.relay.stop()
      #expect(try RelayStore(directory: folder + "/relay").verify().isSound)
    }
  }
}

extension HostileMember.Answer {
  fileprivate var isTaken: Bool { if case .cursor = self { true } else { false } }
}
