import Foundation
import RopewalkCore
import RopewalkRelay
import RopewalkReplica
import RopewalkSync
import Testing

@testable import RopewalkClient

@Suite(.timeLimit(.minutes(2))) struct ExchangeTests {
  @Test func twoWhoEditedOfflineMeet() async throws {
    try await withWorld { world in
      let relay = try await world.relay()
      let (a, b) = (try world.replica("a"), try world.replica("b"))
      try a.notes.insert("Hello ", at: 0)
      try b.notes.insert("World", at: 0)
      let clients = [try await Client.joined(a, relay), try await Client.joined(b, relay)]
      for client in clients + clients { try await client.sync() }
      #expect(try a.notes.text == b.notes.text)
      #expect(try a.notes.text.count == 11)
      #expect(try a.notes.receipts().unsentCount == 0)
      #expect(try a.rooms().map { $0.unsentEventCount } == [0])
      #expect(clients[0].state == .offline(nil))
      for client in clients { await client.close() }
    }
  }

  @Test func editsArriveWhileConnected() async throws {
    try await withWorld { world in
      let relay = try await world.relay()
      let (a, b) = (try world.replica("a"), try world.replica("b"))
      let clients = [try await Client.joined(a, relay), try await Client.joined(b, relay)]
      for client in clients {
        await client.connect()
        await client.reaches { $0 == .caughtUp }
      }
      async let arrived: Void = b.shows { $0 == "typed by a" }
      for (place, letter) in "typed by a".enumerated() { try a.notes.insert("\(letter)", at: place) }
      try await arrived
      async let back: Void = a.shows { $0.hasSuffix("!") }
      try b.notes.insert("!", at: 10)
      try await back
      #expect(try a.notes.text == "typed by a!")
      for client in clients { await client.close() }
    }
  }

  @Test func whatAnotherProcessWritesIntoTheFileIsPushed() async throws {
    try await withWorld { world in
      let relay = try await world.relay()
      let (a, b) = (try world.replica("a"), try world.replica("b"))
      let clients = [try await Client.joined(a, relay), try await Client.joined(b, relay)]
      for client in clients {
        await client.connect()
        await client.reaches { $0 == .caughtUp }
      }
      async let arrived: Void = b.shows { $0 == "from beside" }
      try world.replica("a").notes.insert("from beside", at: 0)
      try await arrived
      for client in clients { await client.close() }
    }
  }

  @Test func twoProcessesWithOneFileBothStayConnected() async throws {
    try await withWorld { world in
      let relay = try await world.relay()
      let (one, two, other) = (try world.replica("a"), try world.replica("a"), try world.replica("b"))
      var clients: [Client] = []
      for replica in [one, two, other] { clients.append(try await Client.joined(replica, relay)) }
      for client in clients { await client.connect() }
      for round in 0..<20 {
        try one.notes.insert("1", at: 0)
        try two.notes.insert("2", at: 0)
        try other.notes.insert("3", at: 0)
        if round % 5 == 0 { try await clients[round / 5 % 3].sync() }
      }
      async let all: Void = other.shows { $0.count == 60 }
      async let here: Void = one.shows { $0.count == 60 }
      try await all
      try await here
      for client in clients { await client.close() }
      #expect(try one.notes.text == other.notes.text)
      #expect(try two.notes.text == other.notes.text)
    }
  }

  @Test func aLongHistoryGoesInOneExchange() async throws {
    try await withWorld { world in
      let relay = try await world.relay()
      let (a, b) = (try world.replica("a"), try world.replica("b"))
      for room in 0..<3 {
        let document = try a.document("long.md", in: "room \(room)")
        try document.edit { text in
          for number in 0..<4000 { try text.insert("\(number) ", at: number % 2 == 0 ? 0 : text.scalarCount) }
        }
      }
      var options = ClientOptions.forTests
      options.largestUpdate = 3000
      for replica in [a, b] {
        let client = try Client(replica: replica, relay: relay.url, options: options)
        for room in 0..<3 { try await client.join("room \(room)") }
        try await client.sync()
        await client.close()
      }
      for room in 0..<3 {
        let texts = try [a, b].map { try $0.document("long.md", in: "room \(room)").text }
        #expect(texts[0] == texts[1])
      }
      #expect(try Replica.verify(path: world.path("b")).damage == [])
    }
  }

  @Test func anIDThatTwoUsedIsTakenBackByOne() async throws {
    try await withWorld { world in
      let relay = try await world.relay()
      let (a, b) = (try world.replica("a", ids: [5]), try world.replica("b", ids: [5]))
      try a.notes.insert("from a, ", at: 0)
      try b.notes.insert("and from b, ", at: 0)
      let clients = [try await Client.joined(a, relay), try await Client.joined(b, relay)]
      for client in clients + clients { try await client.sync() }
      #expect(try a.notes.text == b.notes.text)
      #expect(try a.notes.text.count == 20)
      for client in clients { await client.close() }
    }
  }

  @Test func documentsThatBeganOtherwiseAreReported() async throws {
    try await withWorld { world in
      let relay = try await world.relay()
      let (a, b) = (try world.replica("a"), try world.replica("b"))
      try a.seed("notes.md", in: "team", with: "the room's")
      try b.seed("notes.md", in: "team", with: "mine")
      let clients = [try await Client.joined(a, relay), try await Client.joined(b, relay)]
      try await clients[0].sync()
      let events = clients[1].events()
      await #expect(throws: ClientError.pushRefused(room: RoomName("team")!, .anotherLineage)) {
        try await clients[1].sync()
      }
      var clashes: [String] = []
      await clients[1].close()
      for await event in events {
        if case .lineageClash(_, let name) = event { clashes.append(name.text) }
      }
      #expect(clashes == ["notes.md"])
      #expect(try b.notes.text == "mine")
      try b.notes.adoptRoomLineage()
      #expect(try b.notes.text == "the room's")
      await clients[0].close()
    }
  }
}
