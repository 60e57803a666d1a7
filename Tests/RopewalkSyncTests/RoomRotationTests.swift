import Testing

@testable import RopewalkSync

/// More rooms than places: each has its turn, whatever happens in the others.
@Suite struct RoomRotationTests {
  private func rooms(_ count: Int) throws -> [RoomName] {
    try (0..<count).map { try #require(RoomName("room \($0)")) }
  }

  /// A connected rotation of some rooms.
  private func rotation(
    _ rooms: [RoomName], places: Int, _ pace: RoomRotation.Pace = .live, messages: UInt32 = 0
  )
    -> RoomRotation
  {
    var rotation = RoomRotation()
    rotation.pace = pace
    for room in rooms { rotation.want(room, now: 0) }
    rotation.connected(limits(places, messages: messages), now: 0)
    return rotation
  }

  private func limits(_ rooms: Int, messages: UInt32 = 0) -> Limits {
    var limits = Limits()
    limits.rooms = UInt32(rooms)
    limits.messagesPerSecond = messages
    return limits
  }

  /// Gives all rooms a turn in which they settle at once.
  private func settleAll(_ rotation: inout RoomRotation, at now: UInt64) {
    while true {
      let moves = rotation.moves(now: now)
      if moves.isEmpty { return }
      for case .join(let room) in moves { rotation.settle(room, true) }
    }
  }

  @Test func allAreJoinedWhereThereIsPlace() throws {
    let rooms = try rooms(5)
    var rotation = RoomRotation()
    for room in rooms { rotation.want(room, now: 0) }
    #expect(rotation.moves(now: 0).isEmpty)
    rotation.connected(limits(5), now: 0)
    #expect(rotation.moves(now: 0) == rooms.map { .join($0) })
    for room in rooms { rotation.settle(room, true) }
    #expect(rotation.moves(now: 1_000_000).isEmpty)
    #expect(rotation.nextDeadline(now: 1_000_000) == nil)
  }

  @Test func whoHasUnsentEditsComesFirst() throws {
    let rooms = try rooms(5)
    var rotation = rotation(rooms, places: 2)
    rotation.setUrgent(unsent: [rooms[3]], awaited: [rooms[4]])
    #expect(rotation.moves(now: 0) == [.join(rooms[3]), .join(rooms[4])])
  }

  @Test func anEditInARoomThatWaitsHasAPlaceAtOnce() throws {
    let rooms = try rooms(3)
    var rotation = rotation(rooms, places: 2)
    settleAll(&rotation, at: 0)
    let waiting = try #require(rooms.first { !rotation.holdsPlace($0) })
    let active = try #require(rooms.first { rotation.holdsPlace($0) })
    rotation.touch(active, now: 1000)
    #expect(rotation.moves(now: 1000).isEmpty)
    rotation.setUrgent(unsent: [waiting])
    let quiet = try #require(rooms.first { $0 != waiting && $0 != active })
    #expect(rotation.moves(now: 1000) == [.leave(quiet), .join(waiting)])
  }

  @Test(arguments: [RoomRotation.Pace.passing, .live]) func allHaveOneTurnAtOnce(pace: RoomRotation.Pace)
    throws
  {
    let rooms = try rooms(30)
    var rotation = rotation(rooms, places: 10, pace)
    for _ in 0..<3 {
      let moment = rotation.hurry()
      var joined = Set(rooms.filter(rotation.holdsPlace))
      #expect(rooms.filter { rotation.isDone($0, since: moment) }.count == joined.count)
      for _ in 0..<3 {
        for case .join(let room) in rotation.moves(now: 1) {
          #expect(joined.insert(room).inserted)
          rotation.settle(room, true)
        }
      }
      #expect(joined.count == 30)
      for room in rooms { #expect(rotation.isDone(room, since: moment)) }
    }
  }

  @Test func whoWasReadDoesNotComeAgainAtOnceWhileAnotherIsBeingRead() throws {
    let rooms = try rooms(30)
    var rotation = rotation(rooms, places: 10, .passing)
    while true {
      let moves = rotation.moves(now: 0)
      if moves.isEmpty { break }
      for case .join(let room) in moves where room != rooms[0] { rotation.settle(room, true) }
    }
    #expect(!rotation.isDone(rooms[0], since: 0))
    #expect(rotation.holdsPlace(rooms[0]))
    #expect(rotation.moves(now: 3999).isEmpty)
    #expect(rotation.nextDeadline(now: 0) == 4000)
  }

  @Test func aRoomWithANewEditIsNotDone() throws {
    let rooms = try rooms(2)
    var rotation = rotation(rooms, places: 1, .passing)
    settleAll(&rotation, at: 0)
    #expect(rotation.isDone(rooms[0], since: 0))
    rotation.setUrgent(unsent: [rooms[0]])
    #expect(!rotation.isDone(rooms[0], since: 0))
  }

  @Test func whereNothingHappensForLongestMakesWay() throws {
    let rooms = try rooms(5)
    var rotation = rotation(rooms, places: 4)
    for case .join(let room) in rotation.moves(now: 0) { rotation.settle(room, true) }
    rotation.attend(rooms[0], true)
    rotation.touch(rooms[1], now: 200)
    rotation.touch(rooms[2], now: 100)
    #expect(rotation.moves(now: 300) == [.leave(rooms[3]), .join(rooms[4])])
    // One that is shown keeps its place while another has one to give.
    rotation.settle(rooms[4], true)
    for room in rooms { rotation.touch(room, now: 5000) }
    rotation.setUrgent(unsent: [rooms[3]])
    #expect(rotation.moves(now: 5249).isEmpty)
    #expect(rotation.nextDeadline(now: 5249) == 5250)
    #expect(rotation.moves(now: 5250) == [.leave(rooms[1]), .join(rooms[3])])
  }

  @Test func aCheckpointIsReadToItsEnd() throws {
    let rooms = try rooms(2)
    var rotation = rotation(rooms, places: 1)
    #expect(rotation.moves(now: 0) == [.join(rooms[0])])
    for now in stride(from: UInt64(0), through: 60_000, by: 1000) {
      rotation.touch(rooms[0], isPartway: true, now: now)
      #expect(rotation.moves(now: now).isEmpty)
    }
    rotation.touch(rooms[0], now: 61_000)
    #expect(rotation.moves(now: 61_000) == [.leave(rooms[0]), .join(rooms[1])])
    // One of which nothing comes any more does not hold up the others.
    rotation.touch(rooms[1], isPartway: true, now: 62_000)
    #expect(rotation.moves(now: 71_999).isEmpty)
    #expect(rotation.moves(now: 72_000) == [.leave(rooms[1]), .join(rooms[0])])
  }

  @Test func aRelayThatAllowsFewerThanItSaidIsBelievedForAMinute() throws {
    let rooms = try rooms(4)
    var rotation = rotation(rooms, places: 4, .passing)
    #expect(rotation.moves(now: 0).count == 4)
    rotation.tooMany(rooms[2], now: 1)
    rotation.tooMany(rooms[3], now: 1)
    rotation.settle(rooms[0], true)
    rotation.settle(rooms[1], true)
    #expect(rotation.moves(now: 1).isEmpty)
    #expect(rotation.nextDeadline(now: 1) == 1001)
    let moves = rotation.moves(now: 1001)
    #expect(moves == [.leave(rooms[0]), .join(rooms[2]), .leave(rooms[1]), .join(rooms[3])])
    rotation.settle(rooms[2], true)
    rotation.settle(rooms[3], true)
    #expect(rotation.moves(now: 60_001).filter { if case .join = $0 { true } else { false } }.count == 2)
    #expect(rooms.filter(rotation.holdsPlace).count == 3)
  }

  @Test func aRoomThatIsRefusedDoesNotWaitForATurn() throws {
    let rooms = try rooms(3)
    var rotation = rotation(rooms, places: 2)
    #expect(rotation.moves(now: 0) == [.join(rooms[0]), .join(rooms[1])])
    rotation.refused(rooms[0], until: nil, now: 0)
    #expect(rotation.moves(now: 0) == [.join(rooms[2])])
    rotation.settle(rooms[1], true)
    rotation.settle(rooms[2], true)
    #expect(rotation.nextDeadline(now: 0) == nil)
    rotation.want(rooms[0], now: 5)
    #expect(rotation.moves(now: 5) == [.leave(rooms[1]), .join(rooms[0])])
  }

  @Test func joinsKeepToTheLimitOfMessages() throws {
    let rooms = try rooms(200)
    var rotation = rotation(rooms, places: 200, messages: 80)
    var budget = FloodBudget(limits: limits(200, messages: 80), now: 0)
    var (now, joined): (UInt64, Int) = (0, 0)
    while joined < 200 {
      for _ in rotation.moves(now: now) {
        joined += 1
        #expect(budget.charge(bytes: 50, now: now) == .fine)
      }
      if joined < 200 { now = try #require(rotation.nextDeadline(now: now)) }
    }
    #expect(now <= 20_000)
  }

  /// What a client costs that has nothing to do, in joins and in wake-ups, and how long a room waits in it.
  @Test(arguments: [
    // rooms, places, seconds between signs of life (0 for none), joins a minute, wake-ups a minute, longest wait
    (30, 10, 1, 310, 120, 4300), (30, 10, 0, 80, 10, 16_300), (1025, 1024, 0, 5, 5, 16_300),
    (400, 200, 0, 200, 10, 80_300), (30, 1, 1, 180, 320, 20_000), (30, 1, 0, 120, 120, 24_000),
  ]) func roomsInWhichNothingHappensCostLittle(
    count: Int, places: Int, signs: UInt64, joins: Int, wakeUps: Int, longest: UInt64
  ) throws {
    let rooms = try rooms(count)
    var rotation = rotation(rooms, places: places, messages: 5000)
    var (now, woken, joined): (UInt64, Int, Int) = (0, 0, 0)
    var since: [RoomName: UInt64] = [:]
    var longestWait: UInt64 = 0
    var nextSign: UInt64 = signs == 0 ? .max : 0
    while now < 300_000 {
      if now >= nextSign {
        if let room = rooms.first(where: rotation.holdsPlace) { rotation.touch(room, now: now) }
        nextSign = now + signs * 1000
      }
      let isCounted = now >= 240_000
      if isCounted { woken += 1 }
      for move in rotation.moves(now: now) {
        switch move {
        case .join(let room):
          if isCounted { joined += 1 }
          if now > 180_000, let since = since[room] { longestWait = max(longestWait, now - since) }
          rotation.settle(room, true)
        case .leave(let room): since[room] = now
        }
      }
      let due = rotation.nextDeadline(now: now) ?? .max
      #expect(due > now)
      now = min(due, nextSign)
    }
    #expect(joined <= joins)
    #expect(woken <= wakeUps)
    #expect(longestWait <= longest && longestWait > 0)
  }

  /// Rooms of which some never settle, some are never quiet, some are shown or read for long, and which all have
  /// edits now and then, over connections that break: each has a turn within the bound that is promised.
  @Test func noRoomStarves() throws {
    for seed in seeds(8, "rotations") {
      var random = SeededRandom(seed: seed)
      let rooms = try rooms(Int.random(in: 2...60, using: &random))
      let places = Int.random(in: 1...20, using: &random)
      let pace = RoomRotation.Pace(
        turn: .random(in: 0...200, using: &random), quiet: .random(in: 0...1000, using: &random),
        longest: .random(in: 1000...3000, using: &random), rest: .random(in: 0...1000, using: &random))
      let stubborn = Set(rooms.filter { _ in random.chance(0.2) })
      let noisy = Set(rooms.filter { _ in random.chance(0.3) })
      var rotation = rotation(rooms, places: places, pace)
      for room in rooms where random.chance(0.1) { rotation.attend(room, true) }
      var seated: Set<RoomName> = []
      var since: [RoomName: UInt64] = [:]
      let rounds = UInt64((rooms.count + places - 1) / places + 1)
      let longest = 3 * pace.rest + (rounds + 1) * (pace.longest + 100)
      var now: UInt64 = 0
      var connectedAt: UInt64 = 0
      while now < 30_000 {
        for move in rotation.moves(now: now) {
          switch move {
          case .join(let room):
            #expect(seated.insert(room).inserted, "ROPEWALK_SEED=\(seed)")
            since[room] = nil
          case .leave(let room):
            #expect(seated.remove(room) != nil, "ROPEWALK_SEED=\(seed)")
            since[room] = now
          }
        }
        #expect(seated.count <= places, "ROPEWALK_SEED=\(seed)")
        #expect(seated == Set(rooms.filter(rotation.holdsPlace)), "ROPEWALK_SEED=\(seed)")
        for room in rooms where !seated.contains(room) {
          let waited = now - (since[room] ?? connectedAt)
          #expect(waited <= longest, "ROPEWALK_SEED=\(seed) \(waited)")
        }
        now = min(now + .random(in: 1...80, using: &random), rotation.nextDeadline(now: now) ?? .max)
        if random.chance(0.0005) {
          rotation.connected(limits(places), now: now)
          (seated, since, connectedAt) = ([], [:], now)
        }
        for room in seated {
          if noisy.contains(room) { rotation.touch(room, now: now) }
          if random.chance(0.5) { rotation.settle(room, !stubborn.contains(room)) }
        }
        if random.chance(0.01) { rotation.hurry() }
        rotation.setUrgent(unsent: Set(rooms.filter { _ in random.chance(0.3) }))
      }
    }
  }
}
