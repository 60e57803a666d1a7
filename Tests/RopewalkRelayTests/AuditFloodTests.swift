import Foundation
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// Somebody who may do nothing of use tries to wash out what others did from the audit log.
@Suite(.timeLimit(.minutes(5))) struct AuditFloodTests {
  private let key = RelayKey.generate(.hs256)

  private func longToken(_ rooms: KeyValuePairs<String, Role>, subject: String) throws -> String {
    try RelayToken.mint(
      key: key, subject: subject, rooms: rooms.map { ($0.key, $0.value) },
      expires: testMoment + 90 * 86_400_000)
  }

  /// Joins that are forbidden, and some that are permitted, on one connection; the relay's clock goes on.
  private func flood(_ relay: Relay, _ token: String, _ clock: TestClock, rounds: Int) async throws {
    let peer = try await Peer.greeted(by: relay, token: token)
    for round in 0..<rounds {
      for number in 0..<20 {
        let room = RoomName("secret\(number)")!
        try await peer.say(.join(ClientMessage.Join(room: room, cursor: 0, digest: .zero)))
        while true { if case .error(room, _) = try await peer.hear() { break } }
      }
      let joined = try await peer.join(RoomName("hall")!).joined
      try await peer.say(.leave(joined.number))
      clock.set(clock.now + 10_000)
      if round.isMultiple(of: 2) { try await peer.say(.ping(1)) }
    }
  }

  @Test func aFloodOfJoinsLeavesTheOwnersRecordAndOthers() async throws {
    try await withKeyedFolder { folder in
      let (key, rounds) = (key, 150)
      try await folder.withRelay {
        $0.key = key
        // A room that would be full at once.
        $0.auditFileBytes = 64 << 10
        $0.auditFiles = 1
        $0.limits.silence = 3_600_000
      } _: { relay in
        let owner = try await Peer.greeted(by: relay, token: try longToken(["*": .own], subject: "own"))
        let number = try await owner.join(.test).joined.number
        try await owner.say(.retention(room: number, .days(1)))
        while true { if case .retention = try await owner.hear() { break } }
        let mallory = try longToken(["hall": .view], subject: "mallory")
        async let one: Void = flood(relay, mallory, folder.clock, rounds: rounds)
        async let other: Void = flood(relay, mallory, folder.clock, rounds: rounds)
        _ = try await (one, other)
      }
      let records = try folder.audit
      let administered = records.filter { $0.act == .administered }
      #expect(administered.map(\.subject) == ["own"] && administered[0].detail == "retention 1 days")
      #expect(records.contains { $0.act == .joined && $0.subject == "own" })
      let acts = records.map(\.act).filter { $0 != .dropped }
      #expect(acts.first == .started && acts.last == .stopped)
      let written = records.count { $0.subject == "mallory" && $0.act != .dropped }
      let counted = records.reduce(0) {
        $0 + ($1.act == .dropped && $1.subject == "mallory" ? $1.count ?? 0 : 0)
      }
      // Twenty refusals, a join and a leave in each round, of which what is written is bounded by the time that went by.
      #expect(written + Int(counted) == 2 * rounds * 22)
      #expect(written <= 240 + 2 * rounds * 10_000 / 15_000 + 1, "\(written)")
    }
  }

  /// Others' rooms do not wait for an owner who changes the retention all the time.
  @Test func anOwnerWhoGoesOnAndOnIsPutOff() async throws {
    try await withKeyedFolder { folder in
      let key = key
      try await folder.withRelay {
        $0.key = key
      } _: { relay in
        let token = try longToken(["*": .own], subject: "own")
        var changes = 0
        // A connection that is made anew has no budget of its own, nor has another room.
        for room in ["a", "b"] {
          let peer = try await Peer.greeted(by: relay, token: token)
          let name = RoomName(room)!
          let number = try await peer.join(name).joined.number
          asking: for days in 1...20 as ClosedRange<UInt32> {
            try await peer.say(.retention(room: number, .days(days)))
            while true {
              switch try await peer.hear() {
              case .retention(let answer):
                #expect(answer.retention == .days(days))
                changes += 1
                continue asking
              case .error(let refused, let error):
                #expect(refused == name && error.code == .overloaded)
                #expect(error.retry == .after(milliseconds: 10_000))
                break asking
              default: continue
              }
            }
          }
          // To ask costs nothing.
          if room == "a" {
            let again = try await peer.join(name).joined.number
            for _ in 0..<100 {
              try await peer.say(.retention(room: again, nil))
              while true { if case .retention = try await peer.hear() { break } }
            }
          }
          // Nobody of that subject is connected any more.
          try await peer.socket.send(opcode: 8, [])
          await peer.socket.end()
        }
        #expect(changes == 10)
        folder.clock.set(testMoment + 10_000)
        let peer = try await Peer.greeted(by: relay, token: token)
        let number = try await peer.join(RoomName("b")!).joined.number
        try await peer.say(.retention(room: number, .everything))
        while true { if case .retention = try await peer.hear() { break } }
      }
      #expect(try folder.audit.count { $0.act == .administered } == 11)
    }
  }
}
