import RopewalkCore
import RopewalkReplica
import RopewalkSync
import Testing

@testable import RopewalkClient

/// What a client does while it takes in much of what others wrote. A gate stands between two slices of it.
@Suite(.timeLimit(.minutes(2))) struct BacklogTests {
  private static let team = RoomName("team")!

  private func withBacklog(
    _ count: Int = 1300,
    _ body: (World, Replica, Client, BacklogRelay, SliceGate, ManualClock) async throws -> Void
  ) async throws {
    let world = try World()
    let replica = try world.replica("a")
    let (relay, gate, clock) = (try BacklogRelay(count), SliceGate(), ManualClock())
    let client = try self.client(replica, relay, gate, clock)
    try await client.join("team")
    await client.connect()
    await gate.isReached()
    let taken = try replica.status(of: Self.team).cursor
    #expect((1..<UInt64(count)).contains(taken))
    try await body(world, replica, client, relay, gate, clock)
    await client.close()
  }

  private func client(_ replica: Replica, _ relay: BacklogRelay, _ gate: SliceGate, _ clock: ManualClock)
    throws -> Client
  {
    var options = ClientOptions.forTests
    options.now = { clock.now }
    options.sleep = { try await clock.sleep($0) }
    options.betweenSlices = { await gate.pause() }
    return try Client(
      replica: replica, relay: "ws://host", token: nil, options: options, transport: relay.transport)
  }

  @Test func whatIsTypedMeanwhileGoesOutBeforeAllIsTakenIn() async throws {
    try await withBacklog { world, replica, client, relay, gate, _ in
      let before = try replica.status(of: Self.team).cursor
      try replica.notes.insert("typed", at: 0)
      for await header in relay.pushes {
        #expect(header.span.seqs.count == 5)
        break
      }
      // What the relay has answered waits for its turn.
      #expect(try replica.status(of: Self.team).cursor == before)
      #expect(try replica.notes.receipts().unsentCount == 5)
      gate.open()
      try await client.sync()
      #expect(try replica.status(of: Self.team).cursor == 1301)
      #expect(try replica.notes.receipts().unsentCount == 0)
      #expect(try replica.notes.text.count { $0 == "a" } == 1300)
      #expect(try replica.notes.text.hasPrefix("typed"))
      #expect(relay.joins == 1)
      await client.close()
      try replica.close()
      #expect(try Replica.verify(path: world.path("a")).damage == [])
    }
  }

  @Test func theRelayHearsOfAClientThatIsBusyForLong() async throws {
    try await withBacklog { _, replica, client, relay, gate, clock in
      let began = clock.now
      while relay.pings < 4 || clock.now < began + 3 * UInt64(Limits().silence) {
        clock.advance(by: UInt64(Limits().silence) / 10)
        await Task.yield()
      }
      gate.open()
      try await client.sync()
      #expect(relay.hellos == 1)
      #expect(try replica.notes.text.count == 1300)
    }
  }

  @Test(arguments: [false, true]) func whoWantsToStopDoesNotWaitForTheRest(closesReplica: Bool) async throws {
    try await withBacklog { world, replica, client, relay, gate, clock in
      let before = try replica.status(of: Self.team).cursor
      if closesReplica {
        try replica.close()
      } else {
        await client.disconnect()
        #expect(client.state == .offline(nil))
      }
      gate.open()
      await client.close()
      if !closesReplica { try replica.close() }
      let again = try world.replica("a")
      #expect(try again.status(of: Self.team).cursor == before)
      let other = try self.client(again, relay, gate, clock)
      try await other.join("team")
      try await other.sync()
      #expect(try again.notes.text.count == 1300)
      await other.close()
      try again.close()
      #expect(try Replica.verify(path: world.path("a")).damage == [])
    }
  }

  @Test func aRoomThatIsLeftAndJoinedAgainGoesOnWhereItWas() async throws {
    try await withBacklog { _, replica, client, relay, gate, _ in
      try await client.leave("team")
      try await client.join("team")
      gate.open()
      try await client.sync()
      #expect(try replica.notes.text.count == 1300)
      #expect(relay.joins == 2 && relay.hellos == 1)
    }
  }
}
