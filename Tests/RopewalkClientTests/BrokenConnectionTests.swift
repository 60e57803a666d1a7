import RopewalkCore
import RopewalkRelay
import RopewalkReplica
import RopewalkSync
import Testing

@testable import RopewalkClient

@Suite(.timeLimit(.minutes(2))) struct BrokenConnectionTests {
  @Test func connectionsThatBreakAtAnyMessageLoseAndDoubleNothing() async throws {
    let seed = testSeed()
    var random = SeededGenerator(seed: seed)
    try await withWorld { world in
      let relay = try await world.relay()
      let replicas = try ["a", "b", "c"].map { try world.replica($0) }
      let transport = FlakyTransport(seed: random.next())
      var options = ClientOptions.forTests
      options.largestUpdate = 60
      var clients: [Client] = []
      for replica in replicas {
        let client = try Client(
          replica: replica, relay: relay.url, token: nil, options: options, transport: transport)
        try await client.join("team")
        await client.connect()
        clients.append(client)
      }
      var written = 0
      while written < 150 || transport.brokenCount < 20 {
        let notes = try (replicas.randomElement(using: &random) ?? replicas[0]).notes
        let count = try notes.read().scalarCount
        try notes.insert("<\(written)>", at: Int.random(in: 0...count, using: &random))
        written += 1
        // The others' turn.
        await Task.yield()
      }
      transport.repair()
      for client in clients { try await client.sync(attempts: 100) }
      // A new connection is told all that was there when it began.
      for client in clients { await client.disconnect() }
      for client in clients { try await client.sync() }
      let texts = try replicas.map { try $0.notes.text }
      #expect(Set(texts).count == 1, "seed \(seed)")
      let expected = (0..<written).reduce(0) { $0 + "<\($1)>".unicodeScalars.count }
      #expect(texts[0].unicodeScalars.count == expected, "seed \(seed)")
      for client in clients { await client.close() }
      for name in ["a", "b", "c"] {
        #expect(try Replica.verify(path: world.path(name)).damage == [], "seed \(seed)")
      }
    }
  }
}
