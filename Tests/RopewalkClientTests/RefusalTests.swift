import Foundation
import RopewalkCore
import RopewalkRelay
import RopewalkReplica
import RopewalkSync
import Testing

@testable import RopewalkClient

/// What the relay refuses is told, kept, and goes through when it may.
@Suite(.timeLimit(.minutes(2))) struct RefusalTests {
  private let team = RoomName("team")!
  private let key: RelayKey

  init() throws { key = try RelayKey(Array("a key of thirty-two bytes at least".utf8)) }

  private func token(_ rooms: [String: Role], subject: String = "ann") async throws -> String {
    try RelayToken.mint(
      key: key, subject: subject, rooms: rooms.map { (pattern: $0.key, role: $0.value) },
      expires: 4_000_000_000_000)
  }

  private func refused(_ count: Int, _ reason: RefusedEvents.Reason = .forbidden) -> ConnectionState {
    .partlyRefused([RoomRefusal(room: team, reason: .events(reason, count: count))])
  }

  @Test func whoMayOnlyViewIsToldAtOnceAndIsHeardWithAnotherToken() async throws {
    try await withWorld { world in
      let relay = try await world.relay(key: key)
      let (viewer, other) = (try world.replica("a"), try world.replica("b"))
      let client = try await Client.joined(viewer, relay, token: try await token(["team": .view]))
      let events = client.events()
      #expect(client.role(in: "team") == nil)
      await client.connect()
      await client.reaches { $0 == .caughtUp }
      #expect(client.role(in: "team") == .view)
      #expect(try viewer.rooms().map { $0.role } == [.view])
      try viewer.notes.insert("abc", at: 0)
      await client.reaches { $0 == refused(3) }
      try viewer.notes.insert("de", at: 3)
      await client.reaches { $0 == refused(5) }
      #expect(try viewer.notes.receipts().refused.map { $0.reason } == [.forbidden])
      await client.renew(token: try await token(["team": .edit]))
      await client.reaches { $0 == .caughtUp }
      #expect(client.role(in: "team") == .edit)
      #expect(try viewer.notes.receipts().unsentCount == 0)
      // And back.
      let changes = client.events()
      await client.renew(token: try await token(["team": .view]))
      for await event in changes { if case .roleChanged = event { break } }
      try viewer.notes.insert("f", at: 5)
      await client.reaches { $0 == refused(1) }
      try viewer.notes.discardRefused()
      await client.reaches { $0 == .caughtUp }
      await client.close()
      var told: [Int] = []
      var roles: [Role] = []
      for await event in events {
        if case .pushRefused(let events) = event { told.append(events.eventCount) }
        if case .roleChanged(_, let role) = event { roles.append(role) }
      }
      #expect(told == [3, 2, 1])
      #expect(roles == [.edit, .view])
      let reader = try await Client.joined(other, relay, token: try await token(["team": .view]))
      try await reader.sync()
      #expect(try other.notes.text == "abcde")
      await reader.close()
    }
  }

  @Test func whatIsKeptFromBeforeIsToldAtEachStart() async throws {
    try await withWorld { world in
      let relay = try await world.relay(key: key)
      let replica = try world.replica("a")
      try replica.notes.insert("abc", at: 0)
      for _ in 0..<2 {
        let client = try await Client.joined(replica, relay, token: try await token(["team": .view]))
        let events = client.events()
        await #expect(throws: ClientError.pushRefused(room: team, .forbidden)) { try await client.sync() }
        await client.close()
        var told = 0
        for await event in events { if case .pushRefused(let events) = event { told += events.eventCount } }
        #expect(told == 3)
      }
      let client = try await Client.joined(replica, relay, token: try await token(["team": .edit]))
      try await client.sync()
      #expect(try replica.refused() == [])
      await client.close()
    }
  }

  @Test func allElseIsExchangedBeforeARefusalIsThrown() async throws {
    try await withWorld { world in
      let relay = try await world.relay(key: key)
      let (replica, other) = (try world.replica("a"), try world.replica("b"))
      for room in ["a", "m", "z"] { try replica.document("x", in: room).insert("abc", at: 0) }
      let rights: [String: Role] = ["a": .edit, "z": .edit]
      let client = try Client(
        replica: replica, relay: relay.url, token: try await token(rights), options: .forTests)
      for room in ["m", "a", "z"] { try await client.join(room) }
      await #expect {
        try await client.sync()
      } throws: { error in
        if case ClientError.refused(RoomName("m"), _) = error { true } else { false }
      }
      #expect(try replica.rooms().map { $0.unsentEventCount } == [0, 3, 0])
      #expect(try replica.refused().map { $0.room.text } == ["m"])
      await client.connect()
      await client.reaches {
        guard case .partlyRefused(let refusals) = $0, case .room? = refusals.first?.reason else {
          return false
        }
        return refusals.count == 1
      }
      await client.renew(token: try await token(["a": .edit, "z": .edit, "m": .edit]))
      await client.reaches { $0 == .caughtUp }
      await client.close()
      let reader = try Client(
        replica: other, relay: relay.url, token: try await token(["m": .view]), options: .forTests)
      try await reader.join("m")
      try await reader.sync()
      #expect(try other.document("x", in: "m").text == "abc")
      await reader.close()
    }
  }

  @Test func anUpdateThatWasCutForAnotherLimitIsCutAnew() async throws {
    try await withWorld { world in
      let relay = try await world.relay(largestPayload: 300)
      let (a, b) = (try world.replica("a"), try world.replica("b"))
      for number in 0..<500 { try a.notes.insert("\(number) ", at: 0) }
      let cut = try a.cuts(in: team, maximumBytes: 1 << 20, limit: 9, excluding: [])
      #expect(cut.map { $0.payload.count > 1000 } == [true])
      for replica in [a, b] {
        let client = try await Client.joined(replica, relay)
        try await client.sync()
        await client.close()
      }
      #expect(try b.notes.text == a.notes.text)
      #expect(try a.notes.receipts().unsentCount == 0)
    }
  }

  @Test func whatIsTooLargeWaitsForARelayThatTakesMore() async throws {
    try await withWorld { world in
      let first = try await world.relay(largestPayload: 10)
      let (a, b) = (try world.replica("a"), try world.replica("b"))
      try a.notes.insert("ab", at: 0)
      let client = try await Client.joined(a, first)
      await client.connect()
      await client.reaches { if case .partlyRefused = $0 { true } else { false } }
      #expect(Set(try a.refused().map { $0.reason }) == [.tooLarge, .followsRefused])
      #expect(try a.refused().map { $0.eventCount }.reduce(0, +) == 2)
      await #expect(throws: ClientError.pushRefused(room: team, .tooLarge)) { try await client.sync() }
      await client.close()
      await first.stop()
      let second = try await world.relay()
      for replica in [a, b] {
        let client = try await Client.joined(replica, second)
        try await client.sync()
        await client.close()
      }
      #expect(try b.notes.text == "ab")
      #expect(try a.refused() == [])
    }
  }

  @Test func aTokenOfAnotherSubjectTakesANewConnection() async throws {
    try await withWorld { world in
      let relay = try await world.relay(key: key)
      let replica = try world.replica("a")
      let client = try await Client.joined(replica, relay, token: try await token(["team": .edit]))
      await client.connect()
      await client.reaches { $0 == .caughtUp }
      let states = client.states()
      let ben = try await token(["team": .edit], subject: "ben")
      // Another one while the relay still checks the first.
      await client.renew(token: ben)
      await client.renew(token: ben)
      for await state in states { if case .offline = state { break } }
      await client.reaches { $0 == .caughtUp }
      try replica.notes.insert("abc", at: 0)
      try await client.sync()
      #expect(try replica.notes.history().map { $0.subject } == ["ben"])
      await client.close()
    }
  }

  @Test func aReplicaThatWasClosedIsSaidByTheState() async throws {
    try await withWorld { world in
      let relay = try await world.relay()
      let replica = try world.replica("a")
      let client = try await Client.joined(replica, relay)
      await client.connect()
      await client.reaches { $0 == .caughtUp }
      try replica.close()
      await client.reaches { $0 == .offline(.replica(.closed)) }
      await #expect(throws: ClientError.replica(.closed)) { try await client.sync() }
      await client.close()
    }
  }

  @Test func anExchangeThatIsCancelledSaysSo() async throws {
    let world = try World()
    let (sent, sending) = AsyncStream.makeStream(of: Void.self)
    let transport = TransportDouble { _ in
      sending.yield()
      return []
    }
    let client = try Client(
      replica: try world.replica("a"), relay: "ws://host", token: nil, options: .forTests,
      transport: transport)
    try await client.join("team")
    let exchange = Task { try await client.sync() }
    for await _ in sent { break }
    exchange.cancel()
    await #expect(throws: ClientError.cancelled) { try await exchange.value }
    await client.close()
  }
}
