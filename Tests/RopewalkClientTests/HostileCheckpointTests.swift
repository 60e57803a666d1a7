import Foundation
import RopewalkCore
import RopewalkReplica
import RopewalkSync
import Testing

@testable import RopewalkClient
@testable import RopewalkRelay

/// What members who lie about a room's history take from the others, over a real relay: nothing.
@Suite(.timeLimit(.minutes(2))) struct HostileCheckpointTests {
  /// What is in the room after Ann has typed four letters and Mallory has pushed six, but with others under Ann's id.
  private func forged(_ ann: CheckpointRoom.Person, _ own: TypedText, isText: Bool = true) throws
    -> [CheckpointPart]
  {
    let replica = try #require(ann.document.history().first?.span.replica)
    let lie = TypedText("Lost", in: "notes", by: replica)
    return [
      CheckpointPart(cursor: 1, header: lie.header(0..<4), payload: isText ? lie.payload(0..<4) : [6, 6, 6]),
      CheckpointPart(cursor: 5, header: own.header(0..<6), payload: own.payload(0..<6)),
    ]
  }

  private func eventually(_ what: () async throws -> Bool) async throws { while try await !what() {} }

  /// Two accounts make and confirm a false checkpoint while Ann, who has read the log, watches.
  @Test func aMemberWhoWatchesStopsAFalseCheckpoint() async throws {
    try await withFolder { folder in
      let room = try await CheckpointRoom(folder)
      let (one, two) = (try await room.hostile("mallory"), try await room.hostile("mortimer"))
      let own = TypedText("abcdefghijkl", in: "theirs", by: ReplicaID(rawValue: 5))
      let ann = try room.person("ann")
      try await ann.meet()
      try await ann.type("Keep")
      for seq in 0..<6 as Range<UInt32> {
        #expect(try await one.push(own.header(seq..<seq + 1), own.payload(seq..<seq + 1)).isInLog)
      }
      // Mallory came first, and is asked for it whole.
      let wanted = try await one.wanted()
      #expect(wanted == (10, true))
      let parts = try forged(ann, own)
      one.upload(parts, at: 10)
      #expect(try await two.wanted() == (10, false))
      two.confirm(parts, at: 10)
      try await eventually { try room.notes.count > 0 }
      #expect(try room.notes == ["held-back ann"])
      let state = try await ann.state()
      #expect(state.checkpoint == 0 && state.announced == nil && state.oldest == 1)
      let newcomer = try room.person("dan")
      try await newcomer.meet()
      #expect(try newcomer.document.text == "Keep")
      one.close()
      two.close()
      for person in [ann, newcomer] { await person.leave() }
      await room.relay.stop()
    }
  }

  /// Nobody else is there when they do it; Ann comes within the time of grace.
  @Test func aMemberWhoComesInTimeTakesAFalseCheckpointBack() async throws {
    try await withFolder { folder in
      let room = try await CheckpointRoom(folder, grace: 3_600_000)
      let ann = try room.person("ann")
      try await ann.meet()
      try await ann.type("Keep")
      await ann.leave()
      let (one, two) = (try await room.hostile("mallory"), try await room.hostile("mortimer"))
      let own = TypedText("abcdefghijkl", in: "theirs", by: ReplicaID(rawValue: 5))
      for seq in 0..<6 as Range<UInt32> {
        #expect(try await one.push(own.header(seq..<seq + 1), own.payload(seq..<seq + 1)).isInLog)
      }
      #expect(try await one.wanted() == (10, true))
      #expect(try await two.wanted() == (10, false))
      let parts = try forged(ann, own)
      two.confirm(parts, at: 10)
      one.upload(parts, at: 10)
      try await eventually { try room.notes.count > 0 }
      #expect(try room.notes == ["announced mallory"])
      // Nothing is in its place yet, and Ann's client sees what is wrong.
      try await ann.lookIn()
      try await eventually { try room.notes.count > 1 }
      #expect(try room.notes == ["announced mallory", "taken-back ann"])
      try await ann.comeBack()
      let state = try await ann.state()
      #expect(state.checkpoint == 0 && state.announced == nil && state.oldest == 1)
      let newcomer = try room.person("dan")
      try await newcomer.meet()
      #expect(try newcomer.document.text == "Keep" && ann.document.text == "Keep")
      one.close()
      two.close()
      for person in [ann, newcomer] { await person.leave() }
      await room.relay.stop()
    }
  }

  /// Damaged entries, and such as wait for what is not there, make no honest client decline; who reads the checkpoint has
  /// them as who has read the entries.
  @Test func whatNobodyCanMergeIsCarriedAndStopsNobody() async throws {
    try await withFolder { folder in
      let room = try await CheckpointRoom(folder)
      let (ann, ben) = (try room.person("ann"), try room.person("ben"))
      try await ann.meet()
      try await ben.meet()
      let mallory = try await room.hostile("mallory")
      let waiting = TypedText("xyz", in: "notes", by: ReplicaID(rawValue: 6))
      let garbage = TypedText("?", in: "notes", by: ReplicaID(rawValue: 7))
      let late = TypedText("ab", in: "later", by: ReplicaID(rawValue: 8))
      try await ann.type("One")
      #expect(try await mallory.push(garbage.header(3..<9), [1, 2, 3]).isInLog)
      // Its first event never comes; that of the other one comes after the checkpoint.
      #expect(try await mallory.push(waiting.header(1..<3), waiting.payload(1..<3)).isInLog)
      #expect(try await mallory.push(late.header(1..<2), late.payload(1..<2)).isInLog)
      mallory.close()
      var state = try await ann.state()
      while state.checkpoint == 0 || state.oldest == 1 {
        try await ben.type("+")
        try await ann.client.sync()
        state = try await ann.state()
      }
      let cat = try room.person("cat")
      try await cat.meet()
      try await ann.client.sync()
      #expect(try cat.document.text == ann.document.text)
      let again = try await room.hostile("mallory")
      #expect(try await again.push(late.header(0..<1), late.payload(0..<1)).isInLog)
      again.close()
      let first = state.checkpoint
      while state.checkpoint == first {
        try await cat.type("-")
        for person in [ann, ben] { try await person.client.sync() }
        state = try await ann.state()
      }
      // One who has read the entries, one who has read a checkpoint, and one who reads the next.
      let dan = try room.person("dan")
      try await dan.meet()
      for person in [ann, ben, cat, dan] { try await person.client.sync() }
      let head = try ann.replica.status(of: .team).cursor
      let parts = try #require(try ann.replica.checkpointParts(of: .team, at: head))
      #expect(parts.filter(\.isCarried).map(\.header.span.replica.rawValue) == [7, 6])
      for person in [ben, cat, dan] {
        #expect(try person.replica.checkpointParts(of: .team, at: head) == parts, "\(person.name)")
        #expect(try person.document.text == ann.document.text)
        #expect(try person.replica.document("later", in: "team").text == "ab")
        #expect(try person.replica.held(in: "team").contains { $0.subject == "mallory" }, "\(person.name)")
      }
      for person in [ann, ben, cat, dan] {
        await person.leave()
        try person.replica.close()
        #expect(try Replica.verify(path: person.path).isSound, "\(person.name)")
      }
      await room.relay.stop()
      #expect(try RelayStore(directory: folder + "/relay").verify().isSound)
    }
  }

  /// One account begins many ids, none of which knows of the others.
  @Test func tooManyBranchesOfOneSubjectAreKeptAsideByAllAndStopNobody() async throws {
    try await withFolder { folder in
      let room = try await CheckpointRoom(folder)
      (room.tipLimits.free, room.tipLimits.most) = (3, 6)
      let (ann, ben) = (try room.person("ann"), try room.person("ben"))
      try await ann.meet()
      try await ben.meet()
      try await ann.type("One")
      let mallory = try await room.hostile("mallory")
      func branch(_ ids: Range<UInt64>, _ member: HostileMember) async throws {
        for id in ids {
          let text = TypedText("m", in: "notes", by: ReplicaID(rawValue: 100 + id))
          #expect(try await member.push(text.header(0..<1), text.payload(0..<1)).isInLog)
        }
      }
      try await branch(0..<12, mallory)
      mallory.close()
      var state = try await ann.state()
      while state.checkpoint == 0 || state.oldest == 1 {
        try await ben.type("+")
        try await ann.client.sync()
        state = try await ann.state()
      }
      let cat = try room.person("cat")
      try await cat.meet()
      let again = try await room.hostile("mallory")
      try await branch(12..<14, again)
      again.close()
      try await cat.type("Two")
      for person in [ann, ben] { try await person.client.sync() }
      let head = try ann.replica.status(of: .team).cursor
      let parts = try #require(try ann.replica.checkpointParts(of: .team, at: head))
      #expect(parts.count { $0.kind == .inExcess } == 8)
      let text = try ann.document.text
      let aside = try ann.replica.held(in: "team").map(\.cursor)
      #expect(text.count { $0 == "m" } == 6 && text.contains("One") && text.contains("Two"))
      for person in [ann, ben, cat] {
        #expect(try person.document.text == text, "\(person.name)")
        #expect(try person.replica.checkpointParts(of: .team, at: head) == parts, "\(person.name)")
        let held = try person.replica.held(in: "team")
        #expect(held.map(\.subject) == Array(repeating: "mallory", count: 8), "\(person.name)")
        #expect(held.map(\.cursor) == aside, "\(person.name)")
        await person.leave()
        try person.replica.close()
        #expect(try Replica.verify(path: person.path).isSound, "\(person.name)")
      }
      await room.relay.stop()
    }
  }

  /// One account writes under everybody's ids, lets a true checkpoint be made, and takes itself for the sole author.
  @Test func nobodyBecomesTheSoleAuthorOfWhatOthersWrote() async throws {
    try await withFolder { folder in
      let room = try await CheckpointRoom(folder, patience: 200)
      let (ann, ben) = (try room.person("ann"), try room.person("ben"))
      try await ann.meet()
      try await ben.meet()
      try await ann.type("Keep")
      let mallory = try await room.hostile("mallory")
      let replica = try #require(ann.document.history().first?.span.replica)
      let events = UInt32(try ann.document.text.unicodeScalars.count)
      let next = TypedText("Keep!!", in: "notes", by: replica)
      #expect(
        try await mallory.push(next.header(events..<events + 1), next.payload(events..<events + 1))
          == .refusal(.ownedByAnother))
      var state = try await ann.state()
      let own = TypedText(String(repeating: "m", count: 400), in: "theirs", by: ReplicaID(rawValue: 5))
      var seq: UInt32 = 0
      while state.checkpoint == 0 || state.oldest == 1 {
        #expect(try await mallory.push(own.header(seq..<seq + 1), own.payload(seq..<seq + 1)).isInLog)
        seq += 1
        state = try await ann.state()
      }
      let first = state.checkpoint
      // The parts are Ann's still, by the relay's word.
      let cat = try room.person("cat")
      try await cat.meet()
      #expect(Set(try cat.document.history().compactMap(\.subject)) == ["ann"])
      for person in [ann, ben, cat] { await person.leave() }
      let other = try await room.hostile("mallory")
      // Whichever of the two sessions is asked, both agree on what is not so.
      var lies: Set<UInt64> = []
      for _ in 0..<40 {
        #expect(try await mallory.push(own.header(seq..<seq + 1), own.payload(seq..<seq + 1)).isInLog)
        seq += 1
        _ = try await other.state()
        for (member, friend) in [(mallory, other), (other, mallory)] {
          let cursor = member.wantedWhole
          guard cursor > first, lies.insert(cursor).inserted else { continue }
          let parts = [
            CheckpointPart(cursor: 1, header: next.header(0..<events), payload: next.payload(0..<events)),
            CheckpointPart(cursor: 5, header: own.header(0..<seq), payload: own.payload(0..<seq)),
          ]
          member.upload(parts, at: cursor)
          member.confirm(parts, at: cursor)
          friend.confirm(parts, at: cursor)
        }
      }
      #expect(!lies.isEmpty)
      _ = try await mallory.state()
      let now = try await other.state()
      // What the others had confirmed before they left may have come into use since.
      #expect(now.checkpoint >= first, "\(now)")
      #expect(!lies.contains(now.checkpoint) && !lies.contains(now.announced), "\(now), \(lies)")
      mallory.close()
      other.close()
      await room.relay.stop()
    }
  }

  /// With no time of grace, and nobody there who is honest, a false checkpoint stands. What Ann wrote is on her device
  /// still, and gets out again, whether there is another text under her ids or what is no text at all.
  @Test(arguments: [true, false]) func theVictimsTextGetsOutAgain(_ isText: Bool) async throws {
    try await withFolder { folder in
      let room = try await CheckpointRoom(folder)
      let ann = try room.person("ann")
      try await ann.meet()
      try await ann.type("Keep")
      await ann.leave()
      let (one, two) = (try await room.hostile("mallory"), try await room.hostile("mortimer"))
      let own = TypedText("abcdefghijkl", in: "theirs", by: ReplicaID(rawValue: 5))
      for seq in 0..<6 as Range<UInt32> {
        #expect(try await one.push(own.header(seq..<seq + 1), own.payload(seq..<seq + 1)).isInLog)
      }
      #expect(try await one.wanted() == (10, true))
      #expect(try await two.wanted() == (10, false))
      let parts = try forged(ann, own, isText: isText)
      one.upload(parts, at: 10)
      two.confirm(parts, at: 10)
      while try await one.state().oldest == 1 {}
      one.close()
      two.close()
      try await ann.comeBack()
      #expect(try ann.document.text.contains("Keep"))
      let newcomer = try room.person("dan")
      try await newcomer.meet()
      try await ann.client.sync()
      try await newcomer.client.sync()
      #expect(try newcomer.document.text.contains("Keep"))
      #expect(try newcomer.document.text == ann.document.text)
      for person in [ann, newcomer] { await person.leave() }
      await room.relay.stop()
    }
  }
}
