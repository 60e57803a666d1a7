import RopewalkSync
import Testing

@testable import RopewalkRelay

/// What the connections of one subject may do together.
@Suite(.timeLimit(.minutes(5))) struct SubjectLimitTests {
  private let key = RelayKey.generate(.hs256)

  @Test func oneSubjectCannotTakeAllConnections() async throws {
    try await withKeyedFolder { folder in
      try await folder.withRelay {
        $0.key = key
        $0.subjectLimits.connections = 2
      } _: { relay in
        let (ann, ben) = (try await token(key), try await token(key, subject: "ben"))
        let first = try await Peer.greeted(by: relay, token: ann)
        let second = try await Peer.greeted(by: relay, token: ann)
        try await expectRefusal(.overloaded, ann, by: relay)
        try await expectWelcome(ben, by: relay)
        // Another token of the same subject is no new connection.
        try await second.say(.token(Array(ann.utf8)))
        guard case .tokenAccepted = try await second.hear() else {
          Issue.record("a new token was not taken")
          return
        }
        await first.socket.drop()
        while try await Peer.refusal(ann, by: relay) != nil {}
      }
      let refused = try folder.audit.filter { $0.act == .refused }
      #expect(refused.first?.code == "too-many-connections" && refused.first?.subject == "ann")
    }
  }

  @Test func connectionsOfOneSubjectShareItsRate() async throws {
    try await withKeyedFolder { folder in
      try await folder.withRelay {
        $0.key = key
        $0.limits.messagesPerSecond = 0
        $0.limits.pushWindow = 10
        $0.subjectLimits.messagesPerSecond = 10
      } _: { relay in
        func join(_ peer: Peer) async throws -> ErrorCode? {
          try await peer.say(.join(ClientMessage.Join(room: .test, cursor: 0, digest: .zero)))
          while true {
            switch try await peer.hear() {
            case .joined: return nil
            case .error(_, let error): return error.code
            default: continue
            }
          }
        }
        // A burst of twenty is free, and the clock stands.
        for _ in 0..<4 {
          let peer = try await Peer.greeted(by: relay, token: try await token(key))
          for number in 0..<5 as Range<UInt64> { try await peer.say(.ping(number)) }
          while case let heard = try await peer.hear(), heard != .pong(4) {}
        }
        #expect(try await join(try await Peer.greeted(by: relay, token: try await token(key))) == .overloaded)
        let ben = try await Peer.greeted(by: relay, token: try await token(key, subject: "ben"))
        #expect(try await join(ben) == nil)
        folder.clock.set(testMoment + 2000)
        #expect(try await join(try await Peer.greeted(by: relay, token: try await token(key))) == nil)
      }
    }
  }

  @Test func whoLeavesAltogetherAndComesBackHasNotGotAnotherBudget() {
    var limits = SubjectLimits()
    limits.messagesPerSecond = 10
    var connection = Limits()
    connection.pushWindow = 10
    let registry = SubjectRegistry(limits)
    var taken = 0
    for _ in 0..<10 {
      guard let account = registry.enter([65], connection: connection, now: 1000) else { continue }
      for _ in 0..<5 where account.charge(bytes: 10, now: 1000) == .fine { taken += 1 }
      registry.leave(account, now: 1000)
    }
    #expect(taken == 20)
    // Nobody else is concerned, and in time it may go on.
    #expect(registry.enter([66], connection: connection, now: 1000)?.charge(bytes: 10, now: 1000) == .fine)
    #expect(registry.enter([65], connection: connection, now: 9000)?.charge(bytes: 10, now: 9000) == .fine)
  }

  /// Each token is checked, which costs more than any other message.
  @Test func newTokensAreCountedOverAllConnectionsOfASubjectAndOverTheirEnds() async throws {
    try await withKeyedFolder { folder in
      try await folder.withRelay {
        $0.key = key
        $0.subjectLimits.connections = 70
      } _: { relay in
        let (anns, bens) = (try await token(key), try await token(key, subject: "ben"))
        func renew(_ peer: Peer) async throws -> ProtocolError? {
          try await peer.say(.token(Array(anns.utf8)))
          while true {
            switch try await peer.hear() {
            case .tokenAccepted: return nil
            case .error(nil, let error): return error
            default: continue
            }
          }
        }
        var taken = 0
        var refusal: ProtocolError?
        for _ in 0..<4 {
          let peer = try await Peer.greeted(by: relay, token: anns)
          for _ in 0..<20 where refusal == nil {
            refusal = try await renew(peer)
            taken += refusal == nil ? 1 : 0
          }
          await peer.socket.drop()
        }
        #expect(taken == 70)
        #expect(refusal?.code == .overloaded && refusal?.retry == .after(milliseconds: 250))
        // Others are not concerned, those who come again neither; and in time there may be another one.
        let ben = try await Peer.greeted(by: relay, token: bens)
        try await ben.say(.token(Array(bens.utf8)))
        guard case .tokenAccepted = try await ben.hear() else {
          Issue.record("Ben's token was not taken")
          return
        }
        folder.clock.set(testMoment + 250)
        let peer = try await Peer.greeted(by: relay, token: anns)
        #expect(try await renew(peer) == nil)
        #expect(try await renew(peer)?.code == .overloaded)
      }
      let refused = try folder.audit.filter { $0.act == .refused && $0.code == "too-many-tokens" }
      #expect(refused.map(\.subject) == ["ann", "ann"] && refused[0].from == "127.0.0.1")
    }
  }

  @Test func whoIsTheLastToLeaveARoomCannotBeginMoreIDsThere() async throws {
    try await withKeyedFolder { folder in
      try await folder.withRelay {
        $0.key = key
        $0.limits.messagesPerSecond = 0
        $0.limits.bytesPerSecond = 0
        $0.metricsAddress = .init(host: "127.0.0.1", port: 0)
      } _: { relay in
        let most = RelayRoom.Configuration().newIDs.atOnce
        var refused: Set<Refusal> = []
        for round in 0..<2 as Range<UInt64> {
          let peer = try await Peer.greeted(by: relay, token: try await token(key))
          let number = try await peer.join(.test).joined.number
          for push in 0..<UInt64(most) / 2 + 20 where refused.isEmpty {
            let header = header(0..<1, replica: round << 32 | push, document: "a")
            let answer = try await peer.push(
              ClientMessage.Push(room: number, number: push, header: header, payload: [1]))
            if case .refusal(let refusal) = answer { refused.insert(refusal) }
          }
          try await peer.say(.leave(number))
          try await peer.say(.ping(1))
          while try await peer.hear() != .pong(1) {}
          await peer.socket.drop()
          while try await !relay.metricsPage().contains("\nropewalk_rooms 0\n") {}
        }
        #expect(refused.count == 1)
        let error = try #require(refused.first)
        guard case .overloaded = error else {
          Issue.record("\(error)")
          return
        }
      }
    }
  }
}
