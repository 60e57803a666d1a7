import RopewalkReplica
import RopewalkSync
import Testing

@testable import RopewalkClient

/// What others show of themselves, and the text that it belongs to.
@Suite struct PresenceTests {
  @Test func aPositionIsShownWhenTheTextIsThere() async throws {
    try await withWorld { world in
      let relay = try await world.relay(adjusting: { $0.presenceInterval = 0 })
      let (a, b) = (try world.replica("a"), try world.replica("b"))
      let writer = try await Client.joined(a, relay)
      let transport = OvertakingTransport()
      let reader = try Client(
        replica: b, relay: relay.url, token: nil, options: .forTests, transport: transport)
      try await reader.join("team")
      await writer.connect()
      await reader.connect()
      await writer.reaches { $0 == .caughtUp }
      await reader.reaches { $0 == .caughtUp }
      transport.overtake()
      let presence = try reader.presence(in: "team")
      var shown = presence.makeAsyncIterator()
      for number in 1...100 {
        try a.notes.insert("x", at: number - 1)
        try await writer.setPresence([UInt8(number)], in: "team")
        var position = 0
        while position < number {
          guard let members = await shown.next() else { break }
          position = members.first.flatMap { $0.value.first }.map(Int.init) ?? 0
          #expect(try b.notes.read().scalarCount >= position)
        }
      }
      await writer.close()
      await reader.close()
    }
  }

  @Test func aValueBeyondTheLimitThrowsAndTheOneBeforeItStays() async throws {
    try await withWorld { world in
      let relay = try await world.relay(adjusting: { $0.largestPresence = 100 })
      let a = try await Client.joined(try world.replica("a"), relay)
      let b = try await Client.joined(try world.replica("b"), relay)
      #expect(await a.largestPresence == 4080)
      await #expect(throws: ClientError.presenceTooLarge(byteCount: 4081, limit: 4080)) {
        try await a.setPresence([UInt8](repeating: 1, count: 4081), in: "team")
      }
      // The relay allows less than is known before the connection.
      let events = a.events()
      try await a.setPresence([UInt8](repeating: 1, count: 85), in: "team")
      await a.connect()
      let team = try #require(RoomName("team"))
      for await event in events where event == .presenceTooLarge(team, byteCount: 85, limit: 84) { break }
      #expect(await a.largestPresence == 84)
      let largest = [UInt8](repeating: 2, count: 84)
      try await a.setPresence(largest, in: "team")
      await b.connect()
      let presence = try b.presence(in: "team")
      for await members in presence where members.map({ $0.value }) == [largest] { break }
      await #expect(throws: ClientError.presenceTooLarge(byteCount: 85, limit: 84)) {
        try await a.setPresence([UInt8](repeating: 3, count: 85), in: "team")
      }
      try a.replica.notes.insert("after", at: 0)
      try await b.replica.shows { $0 == "after" }
      for await members in try b.presence(in: "team") {
        #expect(members.map { $0.value } == [largest])
        break
      }
      // One that leaves no room for what it belongs to is sent when that is at the relay.
      try a.replica.notes.insert("more ", at: 0)
      try await a.setPresence([UInt8](repeating: 4, count: 84), in: "team")
      for await members in presence where members.first?.value.first == 4 { break }
      #expect(try b.replica.notes.text == "more after")
      // What a relay allows is known without a connection, too.
      await a.disconnect()
      await #expect(throws: ClientError.presenceTooLarge(byteCount: 85, limit: 84)) {
        try await a.setPresence([UInt8](repeating: 5, count: 85), in: "team")
      }
      await a.close()
      await b.close()
    }
  }
}
