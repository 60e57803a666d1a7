import Foundation
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// Who can stop a false checkpoint, and until when.
@Suite(.timeLimit(.minutes(5))) struct ObjectionTests: ForgettableRoom {
  @Test func aCheckpointThatAnotherDoesNotFindIsWorthless() async throws {
    try await withFullRoom { relay, folder, key, peers, number in
      _ = try await (wanted(peers[0]), wanted(peers[1]))
      try await peers[1].say(.checkpointDigest(room: number, cursor: 4, digest: .zero))
      try await peers[0].say(upload(number))
      let now = try await state(peers[0], number)
      #expect(now.oldest == 1 && now.checkpoint == 0 && now.announced == 0)
      #expect(try await Self.peer("cat", key, relay).join(.test).entries.count == 4)
      #expect(try await notes(folder, count: 1) == ["held-back ben test: cursor 4, uploaded by ann"])
    }
  }

  /// Ann uploads what is not so, and Ben confirms it at once; Cat has read the log.
  private var lie: CheckpointPart { CheckpointPart(cursor: 1, header: part.header, payload: [66]) }

  @Test func whoWasAskedIsWaitedForAndStopsAFalseCheckpoint() async throws {
    try await withFullRoom(others: ["cat"]) { _, folder, _, peers, number in
      for peer in peers { _ = try await wanted(peer) }
      try await peers[0].say(upload(number, lie))
      try await peers[1].say(digest(number, lie))
      for peer in peers { #expect(try await state(peer, number).announced == 0) }
      try await peers[2].say(digest(number))
      #expect(try await state(peers[2], number).announced == 0)
      #expect(try await notes(folder, count: 1) == ["held-back cat test: cursor 4, uploaded by ann"])
    }
  }

  @Test func whoWasAskedMayObjectWithoutADigest() async throws {
    try await withFullRoom(others: ["cat"]) { _, folder, _, peers, number in
      for peer in peers { _ = try await wanted(peer) }
      try await peers[2].say(.objection(room: number, cursor: 4))
      _ = try await state(peers[2], number)
      try await peers[0].say(upload(number, lie))
      try await peers[1].say(digest(number, lie))
      for peer in peers { #expect(try await state(peer, number).announced == 0) }
      #expect(try await notes(folder, count: 1) == ["held-back cat test: cursor 4, uploaded by ann"])
    }
  }

  @Test func whoSaysNothingHoldsACheckpointUpForAWhileAlone() async throws {
    try await withFullRoom(grace: 1000, others: ["cat"]) { _, folder, _, peers, number in
      for peer in peers { _ = try await wanted(peer) }
      try await peers[0].say(upload(number))
      try await peers[1].say(digest(number))
      #expect(try await state(peers[1], number).announced == 0)
      // Her leaving ends the waiting as the time does.
      try await peers[2].say(.leave(number))
      var now = try await state(peers[1], number)
      while now.announced == 0 { now = try await state(peers[1], number) }
      #expect(now.announced == 4 && now.checkpoint == 0 && now.usable == testMoment + 1000)
    }
  }

  @Test func whoComesWithinTheGraceTakesAFalseCheckpointBack() async throws {
    try await withFullRoom(grace: 60_000) { relay, folder, key, peers, number in
      for peer in peers { _ = try await wanted(peer) }
      try await peers[0].say(upload(number, lie))
      try await peers[1].say(digest(number, lie))
      var now = try await state(peers[1], number)
      while now.announced == 0 { now = try await state(peers[1], number) }
      #expect(now.oldest == 1 && now.checkpoint == 0)
      // Cat was away. She is given the entries, and told what others want to put in their place.
      let cat = try await Self.peer("cat", key, relay)
      try await cat.say(.join(ClientMessage.Join(room: .test, cursor: 0, digest: .zero)))
      guard case .joined = try await cat.hear(), case .entries(number, let entries) = try await cat.hear(),
        case .checkpointAnnounced(number, 4, let announced) = try await cat.hear(),
        case .caughtUp(number, 4, _) = try await cat.hear()
      else {
        Issue.record("cat was told something else")
        return
      }
      #expect(entries.count == 4 && announced == Checkpoint.digest(of: [lie]))
      try await cat.say(.objection(room: number, cursor: 4))
      #expect(try await state(cat, number).announced == 0)
      folder.clock.set(testMoment + 120_000)
      now = try await state(cat, number)
      #expect(now.oldest == 1 && now.checkpoint == 0)
      let said = try await notes(folder, count: 2)
      #expect(
        said == ["announced ann test: cursor 4, confirmed by ben", "taken-back cat test: cursor 4"], "\(said)"
      )
    }
  }

  @Test func aViewerCannotObject() async throws {
    try await withFullRoom(grace: 60_000) { relay, folder, key, peers, number in
      for peer in peers { _ = try await wanted(peer) }
      try await peers[0].say(upload(number))
      try await peers[1].say(digest(number))
      var now = try await state(peers[1], number)
      while now.announced == 0 { now = try await state(peers[1], number) }
      let viewer = try await Self.peer("eve", key, relay, .view)
      _ = try await viewer.join(.test)
      try await viewer.say(.objection(room: number, cursor: 4))
      #expect(try await state(viewer, number).announced == 4)
    }
  }

  /// Eve may only read at first, and gets another token while she is there.
  @Test func whoMayEditByANewTokenHasASayInWhatIsAnnounced() async throws {
    try await withFullRoom(grace: 60_000) { relay, folder, key, peers, number in
      for peer in peers { _ = try await wanted(peer) }
      let eve = try await Self.peer("eve", key, relay, .view)
      _ = try await eve.join(.test)
      try await peers[0].say(upload(number, lie))
      try await peers[1].say(digest(number, lie))
      var now = try await state(peers[1], number)
      while now.announced == 0 { now = try await state(peers[1], number) }
      try await eve.say(.token(Array(try await token(key, ["*": .edit], subject: "eve").utf8)))
      while true {
        guard case .checkpointAnnounced(number, 4, let digest) = try await eve.hear() else { continue }
        #expect(digest == Checkpoint.digest(of: [lie]))
        break
      }
      try await eve.say(.objection(room: number, cursor: 4))
      #expect(try await state(eve, number).announced == 0)
      #expect(try await notes(folder, count: 2).last == "taken-back eve test: cursor 4")
    }
  }
}
