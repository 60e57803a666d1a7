import RopewalkCore
import RopewalkRelay
import RopewalkReplica
import RopewalkSync
import Testing

@testable import RopewalkClient

/// A client with more rooms than the relay allows on one connection.
@Suite(.timeLimit(.minutes(2))) struct RotationTests {
  private static let rooms = (0..<30).map { "room \($0)" }
  /// Turns as short as can be.
  private static let brisk = RoomRotation.Pace(turn: 5, quiet: 20, longest: 100, rest: 100)
  /// No room gets a second turn, unless something asks for it.
  private static let resting = RoomRotation.Pace(
    turn: 0, quiet: 0, longest: 1_000_000_000, rest: 1_000_000_000)

  private func client(
    _ replica: Replica, _ relay: Relay, token: String? = nil, pace: RoomRotation.Pace = brisk
  ) async throws -> Client {
    var options = ClientOptions.forTests
    options.pace = pace
    let client = try Client(replica: replica, relay: relay.url, token: token, options: options)
    for room in Self.rooms { try await client.join(room) }
    return client
  }

  private func notes(_ replica: Replica, _ room: String) throws -> ReplicaDocument {
    try replica.document("notes.md", in: room)
  }

  /// Waits until a room's text has so many scalars.
  private func shows(_ replica: Replica, _ room: String, count: Int) async throws {
    let notes = try notes(replica, room)
    let (text, changes) = try notes.observe()
    if text.count == count { return }
    for await _ in changes where try notes.text.count == count { return }
  }

  @Test func allRoomsAreExchanged() async throws {
    try await withWorld { world in
      let relay = try await world.relay(adjusting: { $0.rooms = 10 })
      let (a, b) = (try world.replica("a"), try world.replica("b"))
      for room in Self.rooms { try notes(a, room).insert("from a in \(room)", at: 0) }
      for replica in [a, b] {
        let client = try await client(replica, relay)
        try await client.sync()
        // What comes later is exchanged by the next call.
        try notes(replica, "room 7").insert("more ", at: 0)
        try await client.sync()
        await client.close()
      }
      for room in Self.rooms {
        #expect(try notes(b, room).text == "\(room == "room 7" ? "more more " : "")from a in \(room)")
      }
      #expect(try a.rooms().allSatisfy { $0.unsentEventCount == 0 })
      #expect(try b.rooms().allSatisfy { $0.unsentEventCount == 0 })
    }
  }

  @Test func aLiveClientHasAllRoomsInTurns() async throws {
    try await withWorld { world in
      let relay = try await world.relay(adjusting: { $0.rooms = 10 })
      let replicas = [try world.replica("a"), try world.replica("b")]
      var clients: [Client] = []
      for replica in replicas { clients.append(try await client(replica, relay)) }
      for client in clients { await client.connect() }
      for round in 1...2 {
        for room in Self.rooms {
          for replica in replicas { try notes(replica, room).insert("x", at: 0) }
        }
        for room in Self.rooms {
          for replica in replicas { try await shows(replica, room, count: 2 * round) }
        }
      }
      for client in clients {
        await client.reaches { $0 == .caughtUp }
        await client.close()
      }
      for replica in replicas { #expect(try replica.rooms().allSatisfy { $0.unsentEventCount == 0 }) }
    }
  }

  @Test func aRoomThatIsBusyAllTheTimeDoesNotHoldUpTheOthers() async throws {
    try await withWorld { world in
      let relay = try await world.relay(adjusting: { $0.rooms = 1 })
      let (a, b) = (try world.replica("a"), try world.replica("b"))
      let one = try await client(a, relay)
      let two = try await client(b, relay)
      await one.connect()
      await two.connect()
      let busy = Task.detached {
        while !Task.isCancelled {
          try a.document("busy.md", in: Self.rooms[0]).insert("x", at: 0)
          await Task.yield()
        }
      }
      for room in Self.rooms[1...4] {
        try notes(a, room).insert("for all", at: 0)
        try await shows(b, room, count: 7)
      }
      busy.cancel()
      _ = await busy.result
      await one.close()
      await two.close()
    }
  }

  @Test func anEditInARoomThatWaitsIsPushedAtOnce() async throws {
    try await withWorld { world in
      let relay = try await world.relay(adjusting: { $0.rooms = 10 })
      let (a, b) = (try world.replica("a"), try world.replica("b"))
      let writer = try await client(a, relay, pace: Self.resting)
      await writer.connect()
      await writer.reaches { $0 == .caughtUp }
      // The turns are over; only edits get one.
      for room in Self.rooms {
        #expect(writer.role(in: room) == .edit)
        let events = writer.events()
        try notes(a, room).insert("x", at: 0)
        for await event in events { if case .acknowledged(RoomName(room), _, _) = event { break } }
      }
      await writer.reaches { $0 == .caughtUp }
      let reader = try await client(b, relay)
      try await reader.sync()
      for room in Self.rooms { #expect(try notes(b, room).text == "x") }
      await writer.close()
      await reader.close()
    }
  }

  @Test func syncOverALiveConnectionReadsEveryRoomOnceMore() async throws {
    try await withWorld { world in
      let relay = try await world.relay(adjusting: { $0.rooms = 10 })
      let (a, b) = (try world.replica("a"), try world.replica("b"))
      let reader = try await client(b, relay, pace: Self.resting)
      await reader.connect()
      await reader.reaches { $0 == .caughtUp }
      let writer = try await client(a, relay)
      for room in Self.rooms { try notes(a, room).insert("x", at: 0) }
      try await writer.sync()
      try await reader.sync()
      // Those that held a place are live: what was pushed is on its way to them.
      for room in Self.rooms { try await shows(b, room, count: 1) }
      await writer.close()
      await reader.close()
    }
  }

  @Test func whatIsRefusedIsToldOnceAndHoldsUpNobody() async throws {
    try await withWorld { world in
      let key = try RelayKey(Array("a key of thirty-two bytes at least".utf8))
      let relay = try await world.relay(key: key, adjusting: { $0.rooms = 2 })
      // Nothing at all in some rooms, only viewing in others.
      let forbidden = ["room 3", "room 9"]
      let viewed = ["room 0", "room 5", "room 29"]
      let token = try RelayToken.mint(
        key: key, subject: "ann",
        rooms: Self.rooms.filter { !forbidden.contains($0) }
          .map { (pattern: $0, role: viewed.contains($0) ? .view : .edit) }, expires: 4_000_000_000_000)
      let replica = try world.replica("a")
      for room in Self.rooms { try notes(replica, room).insert("x", at: 0) }
      let client = try await client(replica, relay, token: token)
      let events = client.events()
      await client.connect()
      let unsent = forbidden + viewed
      await client.reaches { state in
        guard case .partlyRefused(let refusals) = state else { return false }
        return Set(refusals.map { $0.room.text }) == Set(unsent)
      }
      for room in Self.rooms {
        #expect(try notes(replica, room).receipts().unsentCount == (unsent.contains(room) ? 1 : 0))
      }
      // Many turns later.
      var turns = 0
      var told: [String: Int] = [:]
      for await event in events {
        switch event {
        case .joined: turns += 1
        case .pushRefused(let events): told[events.room.text, default: 0] += 1
        case .left(let room, _): #expect(forbidden.contains(room.text))
        default: break
        }
        if turns >= 90 { break }
      }
      #expect(Set(told.keys) == Set(unsent))
      #expect(viewed.allSatisfy { told[$0] == 1 })
      if case .partlyRefused = client.state {} else { Issue.record("\(client.state)") }
      await client.close()
    }
  }

  @Test func whatIsTooLargeIsNotSentAgainAtEachTurn() async throws {
    try await withWorld { world in
      let relay = try await world.relay(largestPayload: 10, adjusting: { $0.rooms = 2 })
      let replica = try world.replica("a")
      try notes(replica, "room 5").insert("x", at: 0)
      let client = try await client(replica, relay)
      let events = client.events()
      await client.connect()
      var (turns, told) = (0, 0)
      for await event in events {
        if case .joined = event { turns += 1 }
        if case .pushRefused = event { told += 1 }
        if turns >= 90 { break }
      }
      #expect(told == 1)
      if case .partlyRefused = client.state {} else { Issue.record("\(client.state)") }
      await client.close()
    }
  }

  @Test func aRelaysAnswerAboutARoomThatWaitsComesAtOnce() async throws {
    try await withWorld { world in
      let relay = try await world.relay(adjusting: { $0.rooms = 10 })
      let client = try await client(try world.replica("a"), relay, pace: Self.resting)
      await client.connect()
      await client.reaches { $0 == .caughtUp }
      for room in Self.rooms { _ = try await client.retention(of: room) }
      await client.close()
    }
  }
}
