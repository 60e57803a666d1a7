import Foundation
import RopewalkCore
import RopewalkRelay
import RopewalkReplica
import RopewalkSync
import Testing

@testable import RopewalkClient

@Suite(.timeLimit(.minutes(2))) struct ConnectionTests {
  @Test func aRelayThatStopsAndComesBackIsFoundAgain() async throws {
    try await withWorld { world in
      let first = try await world.relayToComeBack()
      let (a, b) = (try world.replica("a"), try world.replica("b"))
      let client = try await Client.joined(a, first)
      try a.notes.insert("before ", at: 0)
      await client.connect()
      await client.reaches { $0 == .caughtUp }
      await first.stop()
      await client.reaches { if case .offline(.some) = $0 { true } else { false } }
      try a.notes.insert("meanwhile ", at: 7)
      let second = try await world.relay(port: first.port)
      await client.connect()
      await client.reaches { $0 == .caughtUp }
      let other = try await Client.joined(b, second)
      try await other.sync()
      #expect(try b.notes.text == "before meanwhile ")
      await client.close()
      await other.close()
    }
  }

  @Test func aRelayThatLostItsDataIsRefilled() async throws {
    try await withWorld { world in
      let first = try await world.relay()
      let (a, b, newcomer) = (try world.replica("a"), try world.replica("b"), try world.replica("c"))
      try a.notes.insert("from a ", at: 0)
      try b.notes.insert("from b ", at: 0)
      for replica in [a, b, a] {
        let client = try await Client.joined(replica, first)
        try await client.sync()
        await client.close()
      }
      await first.stop()
      try a.notes.insert("later ", at: 0)
      let text = try a.notes.text
      let second = try await world.relay(data: "emptied")
      for replica in [b, a, newcomer, b] {
        let client = try await Client.joined(replica, second)
        let events = client.events()
        try await client.sync()
        await client.close()
        var restarts = 0
        for await event in events { if case .restarted = event { restarts += 1 } }
        #expect(restarts <= 1)
      }
      for replica in [a, b, newcomer] { #expect(try replica.notes.text == text) }
      #expect(try newcomer.rooms().map { $0.cursor } == a.rooms().map { $0.cursor })
    }
  }

  @Test func nobodyAtTheAddressIsSaid() async throws {
    try await withWorld { world in
      let relay = try await world.relay()
      await relay.stop()
      let client = try await Client.joined(try world.replica("a"), relay)
      await #expect {
        try await client.sync(attempts: 3)
      } throws: { error in
        if case ClientError.unreachable = error { true } else { false }
      }
      await client.close()
      await #expect(throws: ClientError.closed) { try await client.sync() }
    }
  }

  @Test func severalMayAskForAnExchangeAtOnce() async throws {
    try await withWorld { world in
      let relay = try await world.relay()
      let replica = try world.replica("a")
      try replica.notes.insert("abc", at: 0)
      let client = try await Client.joined(replica, relay)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<5 { group.addTask { try await client.sync() } }
        try await group.waitForAll()
      }
      #expect(try replica.notes.receipts().unsentCount == 0)
      await client.reaches { $0 == .offline(nil) }
      await client.close()
    }
  }

  @Test func addressesAreChecked() throws {
    let replica = try World().replica("a")
    for address in ["", "http://127.0.0.1/sync", "ws://", "ws://a:b@host", "ws://host:99999"] {
      #expect(throws: ClientError.invalidAddress) { try Client(replica: replica, relay: address) }
    }
    #expect(RelayAddress("ws://host")?.port == 7717)
    #expect(RelayAddress("ws://host")?.path == "/sync")
    #expect(RelayAddress("ws://[::1]:80/other?x=1")?.host == "::1")
    #expect(RelayAddress("ws://[::1]:80/other?x=1")?.path == "/other?x=1")
  }

  @Test func aServerThatIsNoRelayIsSaid() async throws {
    try await withWorld { world in
      let relay = try await world.relay()
      let address = "ws://127.0.0.1:\(relay.port)/elsewhere"
      let client = try Client(replica: try world.replica("a"), relay: address, options: .forTests)
      try await client.join("team")
      await #expect {
        try await client.sync()
      } throws: { error in
        if case ClientError.notARelay = error { true } else { false }
      }
      await client.close()
    }
  }

  // MARK: Tokens

  private func token(_ key: RelayKey, _ role: Role) async throws -> String {
    try RelayToken.mint(key: key, subject: "ann", rooms: [("team", role)], expires: 4_000_000_000_000)
  }

  @Test func withoutATokenTheRelayRefusesAndAnotherTokenHelps() async throws {
    try await withWorld { world in
      let key = try RelayKey(Array("a key of thirty-two bytes at least".utf8))
      let relay = try await world.relay(key: key)
      let replica = try world.replica("a")
      try replica.notes.insert("abc", at: 0)
      let client = try await Client.joined(replica, relay, token: "nonsense")
      await client.connect()
      await client.reaches { if case .refused = $0 { true } else { false } }
      await client.renew(token: try await token(key, .edit))
      await client.reaches { $0 == .caughtUp }
      #expect(try replica.notes.history().map { $0.subject } == ["ann"])
      await client.close()
    }
  }

  @Test func whoMayOnlyViewKeepsEditsInTheOutbox() async throws {
    try await withWorld { world in
      let key = try RelayKey(Array("a key of thirty-two bytes at least".utf8))
      let relay = try await world.relay(key: key)
      let (writer, viewer) = (try world.replica("a"), try world.replica("b"))
      try writer.notes.insert("abc", at: 0)
      let first = try await Client.joined(writer, relay, token: try await token(key, .edit))
      try await first.sync()
      try viewer.notes.insert("def", at: 0)
      let second = try await Client.joined(viewer, relay, token: try await token(key, .view))
      await #expect(throws: ClientError.pushRefused(room: RoomName("team")!, .forbidden)) {
        try await second.sync()
      }
      #expect(try viewer.notes.text.count == 6)
      #expect(try viewer.notes.receipts().unsentCount == 3)
      try await second.join("elsewhere")
      await #expect {
        try await second.sync()
      } throws: { error in
        if case ClientError.refused(.some, _) = error { true } else { error as? ClientError != nil }
      }
      await first.close()
      await second.close()
    }
  }

  // MARK: Presence

  @Test func othersAreSeenAndGoneWhenTheyLeave() async throws {
    try await withWorld { world in
      let relay = try await world.relay()
      let (a, b) = (
        try await Client.joined(try world.replica("a"), relay),
        try await Client.joined(try world.replica("b"), relay)
      )
      try await a.setPresence([1, 2, 3], in: "team")
      await a.connect()
      await b.connect()
      let presence = try b.presence(in: "team")
      for await members in presence where members.map({ $0.value }) == [[1, 2, 3]] { break }
      await a.close()
      for await members in presence where members.isEmpty { break }
      await b.close()
    }
  }
}
