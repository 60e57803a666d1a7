import RopewalkCore
import RopewalkRelay
import RopewalkReplica
import RopewalkSync
import Testing

@testable import RopewalkClient

/// Clients that write under one replica id, by accident or on purpose, over a relay.
@Suite(.timeLimit(.minutes(2))) struct SharedIDTests {
  private func expectOnce(_ words: [String], in replicas: Replica...) throws {
    let texts = try replicas.map { try $0.notes.text }
    #expect(Set(texts).count == 1, "\(texts)")
    for word in words { #expect(texts[0].ranges(of: word).count == 1, "\(word) in \(texts[0])") }
    for replica in replicas { #expect(try replica.notes.receipts().unsentCount == 0) }
  }

  private func sync(_ replica: Replica, _ relay: Relay) async throws {
    let client = try await Client.joined(replica, relay)
    try await client.sync()
    await client.close()
  }

  @Test func whatWasWrittenInTwoSessionsIsThereOnceThoughSomebodyUsedTheFirstOnesID() async throws {
    try await withWorld { world in
      let relay = try await world.relay()
      let other = try world.replica("other")
      try other.notes.insert("base ", at: 0)
      try await sync(other, relay)
      let first = try world.replica("a", ids: [1])
      try await sync(first, relay)
      try first.notes.insert("FIRST ", at: 5)
      try first.close()
      let second = try world.replica("a", ids: [2])
      try second.notes.insert("SECOND ", at: 11)
      // As many events under the first session's id.
      let mallory = try world.replica("mallory", ids: [1])
      try await sync(mallory, relay)
      try mallory.notes.insert("forged", at: 5)
      try await sync(mallory, relay)
      let newcomer = try world.replica("newcomer")
      for replica in [second, other, mallory, newcomer] { try await sync(replica, relay) }
      try expectOnce(
        ["base ", "forged", "FIRST SECOND "], in: second, other, mallory, newcomer)
    }
  }

  @Test func twoWhoWriteUnderOneIDAtOnceLoseAndDoubleNothing() async throws {
    try await withWorld { world in
      let relay = try await world.relay()
      let ids = (1...60).map { UInt64($0) }
      let replicas = [try world.replica("a", ids: ids), try world.replica("b", ids: ids)]
      var clients: [Client] = []
      for replica in replicas {
        let client = try await Client.joined(replica, relay)
        await client.connect()
        await client.reaches { $0 == .caughtUp }
        clients.append(client)
      }
      let words = (0..<30).map { round in replicas.indices.map { "<\($0).\(round)>" } }
      for round in words {
        for (replica, word) in zip(replicas, round) { try replica.notes.insert(word, at: 0) }
        await Task.yield()
      }
      for (replica, client) in zip(replicas, clients) {
        try await replica.shows { text in words.joined().allSatisfy { text.contains($0) } }
        await client.reaches { $0 == .caughtUp }
      }
      for client in clients { await client.close() }
      let newcomer = try world.replica("newcomer")
      for replica in replicas + [newcomer] { try await sync(replica, relay) }
      try expectOnce(Array(words.joined()), in: replicas[0], replicas[1], newcomer)
    }
  }
}
