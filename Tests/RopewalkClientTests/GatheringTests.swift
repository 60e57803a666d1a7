import RopewalkCore
import RopewalkReplica
import RopewalkSync
import Synchronization
import Testing

@testable import RopewalkClient

/// What a client does where it takes long to take in what others write. The clock moves on by 50 ms with each transaction
/// that takes something in, and stands otherwise.
@Suite(.timeLimit(.minutes(2))) struct GatheringTests {
  private static let team = RoomName("team")!

  /// A clock that counts how often the place in a log has moved.
  private final class Costs: Sendable {
    private let replica: Replica
    private let clock: ManualClock
    private let each: UInt64
    private let state = Mutex((cursor: UInt64(0), count: 0))

    init(_ replica: Replica, _ clock: ManualClock, each: UInt64) {
      (self.replica, self.clock, self.each) = (replica, clock, each)
    }

    var count: Int { state.withLock { $0.count } }

    var now: UInt64 {
      let cursor = (try? replica.status(of: GatheringTests.team).cursor) ?? 0
      let hasMoved = state.withLock { state in
        guard cursor != state.cursor else { return false }
        state = (cursor, state.count + 1)
        return true
      }
      if hasMoved { clock.advance(by: each) }
      return clock.now
    }
  }

  private func withLiveText(
    _ count: Int, each: UInt64, end: ProtocolError? = nil,
    _ body: (Replica, Client, Costs, ManualClock) async throws -> Void
  ) async throws {
    let world = try World()
    let replica = try world.replica("a")
    let relay = try BacklogRelay(count, isOneByOne: true, end: end)
    let clock = ManualClock()
    let costs = Costs(replica, clock, each: each)
    var options = ClientOptions.forTests
    options.now = { costs.now }
    options.sleep = { try await clock.sleep($0) }
    let client = try Client(
      replica: replica, relay: "ws://host", token: nil, options: options, transport: relay.transport)
    try await client.join("team")
    try await body(replica, client, costs, clock)
    await client.close()
    try replica.close()
    #expect(try Replica.verify(path: world.path("a")).damage == [])
  }

  @Test func whatComesWhileTheLastTookLongIsTakenInTogether() async throws {
    try await withLiveText(200, each: 50) { replica, client, costs, clock in
      await client.connect()
      while await client.rooms[Self.team]?.gathering.entries.count != 199 { await Task.yield() }
      #expect(try replica.status(of: Self.team).cursor == 1)
      clock.advance(by: 149)
      #expect(try replica.status(of: Self.team).cursor == 1)
      clock.advance(by: 1)
      while try replica.status(of: Self.team).cursor < 200 { await Task.yield() }
      #expect(try replica.notes.text.count == 200)
      #expect(costs.count <= 2)
    }
  }

  @Test func whatIsTakenInQuicklyIsTakenInAtOnce() async throws {
    try await withLiveText(40, each: Gathering.shortest - 1) { replica, client, costs, _ in
      await client.connect()
      while costs.count < 40 { await Task.yield() }
      #expect(costs.count == 40)
    }
  }

  @Test func nothingOfItIsLostWhereTheRelayEndsTheMembership() async throws {
    let end = ProtocolError(.forbidden, retry: .never, "No more.")
    try await withLiveText(200, each: 50, end: end) { replica, client, costs, _ in
      let events = client.events()
      await client.connect()
      for await case .left in events { break }
      let text = try replica.notes.text
      #expect(text.count == 200)
      #expect(costs.count == 2)
    }
  }

  @Test func whatIsTypedMeanwhileGoesOutAndSyncWaitsForAll() async throws {
    try await withLiveText(200, each: 50) { replica, client, costs, clock in
      await client.connect()
      while await client.rooms[Self.team]?.gathering.entries.count != 199 { await Task.yield() }
      try replica.notes.insert("typed", at: 0)
      async let exchange: Void = client.sync()
      while await client.rooms[Self.team]?.gathering.entries.count != 200 { await Task.yield() }
      #expect(try replica.notes.receipts().unsentCount == 0)
      #expect(try replica.status(of: Self.team).cursor == 1)
      clock.advance(by: 150)
      try await exchange
      #expect(try replica.notes.text.count == 205)
      #expect(try replica.status(of: Self.team).cursor == 201)
    }
  }

  @Test func noMoreIsKeptWaitingThanItsBound() throws {
    var gathering = Gathering()
    var author = TextDocument()
    author.replica = ReplicaID(rawValue: 7)
    author.insert("a", at: 0)
    let update = author.update(since: VersionVector())
    let header = EntryHeader(document: .notes, span: update.spans[0])
    let entry = LogEntry(cursor: 1, subject: [], time: 1, header: header, payload: update.bytes)
    var count = 0
    while !gathering.isFull, count < 10_000 {
      gathering.add([entry], 1, .zero)
      count += 1
    }
    #expect(count < 10_000 && count > 1000)
  }
}
