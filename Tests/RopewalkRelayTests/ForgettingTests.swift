import Foundation
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// What a relay asks for before it forgets, and what it tells those who come too late.
@Suite(.timeLimit(.minutes(5))) struct ForgettingTests: ForgettableRoom {
  @Test func whatTwoMembersFindIsForgottenAndGivenToNewcomers() async throws {
    try await withFullRoom { relay, folder, key, peers, number in
      let (writer, reader) = (peers[0], peers[1])
      folder.clock.set(testMoment + 1)
      #expect(try await wanted(writer))
      #expect(try await !wanted(reader))
      try await writer.say(upload(number))
      #expect(try await state(writer, number).checkpoint == 0)
      try await reader.say(digest(number))
      var now = try await state(reader, number)
      while now.oldest == 1 { now = try await state(reader, number) }
      #expect(now.oldest == 5 && now.checkpoint == 4 && now.announced == 0 && now.retention == .days(0))

      let newcomer = try await Self.peer("cat", key, relay)
      try await newcomer.say(.join(ClientMessage.Join(room: .test, cursor: 0, digest: .zero)))
      guard case .joined(let joined) = try await newcomer.hear(),
        case .checkpoint(_, let batch) = try await newcomer.hear(),
        case .caughtUp(_, 4, let digest) = try await newcomer.hear()
      else {
        Issue.record("the newcomer was told something else")
        return
      }
      #expect(!joined.isRestart && batch.isLast && batch.head == LogHead(cursor: 4, digest: digest))
      #expect(batch.parts.map(\.part) == [part])
      #expect(batch.parts[0].subject == Array("ann".utf8) && batch.parts[0].time == testMoment)

      let older = try await Peer.connect(to: relay)
      let token = try await token(key, subject: "dan")
      try await older.say(
        .hello(ClientMessage.Hello(features: [.presence], codecs: [], token: Array(token.utf8))))
      _ = try await older.hear()
      try await older.say(.join(ClientMessage.Join(room: .test, cursor: 2, digest: digest)))
      guard case .error(.some(.test), let error) = try await older.hear() else {
        Issue.record("the older client was told something else")
        return
      }
      #expect(error.code == .gone && error.retry == .never)
      let page = try await relay.metricsPage()
      #expect(page.contains("ropewalk_refusals_total{reason=\"gone\"} 1\n"))

      // What was forgotten is still known.
      let push = ClientMessage.Push(room: number, number: 9, header: header(2..<6), payload: [9])
      #expect(try await writer.push(push) == .refusal(.covered(missing: [4..<6], through: 4)))
      let report = try RelayStore(directory: folder.path + "/data").verify()
      #expect(report.isSound && report.rooms[0].oldest == 5 && report.rooms[0].checkpoint == 4)
      let said = try await notes(folder, count: 2)
      #expect(
        said == ["announced ann test: cursor 4, confirmed by ben", "in-use - test: cursor 4"], "\(said)")
    }
  }

  /// Whose parts lack events, hold more, or carry what the log has not got is stopped by their headers.
  @Test(arguments: 0..<4) func aRelayAnnouncesNothingThatItsOwnLogContradicts(_ kind: Int) async throws {
    try await withFullRoom { _, folder, _, peers, number in
      for peer in peers { _ = try await wanted(peer) }
      let lies = [
        CheckpointPart(cursor: 1, header: header(0..<3), payload: [0]),
        CheckpointPart(cursor: 1, header: header(0..<5), payload: [0]),
        CheckpointPart(cursor: 1, header: header(0..<4, replica: 8), payload: [0]),
        CheckpointPart(cursor: 2, kind: .carried, header: header(0..<4), payload: [1]),
      ]
      try await peers[0].say(upload(number, lies[kind]))
      try await peers[1].say(digest(number, lies[kind]))
      // Everybody has confirmed it; and it is gone when the log has answered.
      #expect(try await notes(folder, count: 1) == ["held-back - test: cursor 4, uploaded by ann"])
      let now = try await state(peers[1], number)
      #expect(now.announced == 0 && now.checkpoint == 0 && now.oldest == 1)
    }
  }

  @Test func onlyAnOwnerSetsWhatMayBeForgotten() async throws {
    try await withFullRoom { _, _, _, peers, number in
      try await peers[0].say(.retention(room: number, .everything))
      while true {
        let heard = try await peers[0].hear()
        guard case .error(.some(.test), let error) = heard else { continue }
        #expect(error.code == .forbidden)
        return
      }
    }
  }
}
