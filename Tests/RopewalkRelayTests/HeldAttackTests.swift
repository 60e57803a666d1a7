import Foundation
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// Attacks on the borders between rooms, and between HTTP requests.
@Suite(.timeLimit(.minutes(5))) struct HeldAttackTests {
  private let key = RelayKey.generate(.hs256)

  /// A room's number is no right: who is not in the room is not heard there.
  @Test func theNumberOfAForeignRoomOpensNothing() async throws {
    try await withKeyedFolder { folder in
      let key = key
      try await folder.withRelay {
        $0.key = key
      } _: { relay in
        let ann = try await Peer.greeted(by: relay, token: try await token(key, ["a": .own]))
        let room = try await ann.join(RoomName("a")!).joined.number
        let push = ClientMessage.Push(room: room, number: 1, header: header(0..<1), payload: [1])
        #expect(try await ann.push(push) == .cursor(1))
        let mallory = try await Peer.greeted(
          by: relay, token: try await token(key, ["b": .own], subject: "mallory"))
        let own = try await mallory.join(RoomName("b")!).joined.number
        #expect(own != room)
        let part = CheckpointPart(cursor: 1, header: header(0..<1), payload: [6])
        for message in [
          .push(ClientMessage.Push(room: room, number: 1, header: header(1..<2), payload: [2])),
          .presence(room: room, value: [3]), .presence(room: room, value: nil),
          .retention(room: room, .days(0)),
          .retention(room: room, nil), .checkpointDigest(room: room, cursor: 1, digest: .zero),
          .objection(room: room, cursor: 1),
          .checkpoint(
            ClientMessage.Checkpoint(room: room, cursor: 1, first: 0, isLast: true, parts: [part])),
          .leave(room),
        ] as [ClientMessage] {
          try await mallory.say(message)
        }
        // All of it was read, and nothing was answered.
        try await mallory.say(.ping(9))
        #expect(try await mallory.hear() == .pong(9))
        // Ann is there as before, and hears what comes next.
        try await ann.say(.retention(room: room, nil))
        listening: while true {
          switch try await ann.hear() {
          case .retention(let answer):
            #expect(answer.retention == .everything && answer.oldest == 1)
            break listening
          case .entries(_, let entries): #expect(entries.map(\.payload) == [[1]])
          case let other: Issue.record("\(other)")
          }
        }
        let next = ClientMessage.Push(room: room, number: 2, header: header(1..<2), payload: [4])
        #expect(try await ann.push(next) == .cursor(2))
      }
    }
  }

  /// What is said in one room is heard there alone, whatever else its members are in.
  @Test func nothingOfARoomIsHeardInAnother() async throws {
    try await withKeyedFolder { folder in
      let key = key
      try await folder.withRelay {
        $0.key = key
      } _: { relay in
        let names = (0..<6).map { RoomName("room\($0)")! }
        var listeners: [(peer: Peer, number: RoomNumber)] = []
        for name in names {
          let peer = try await Peer.greeted(
            by: relay, token: try await token(key, [name.text: .edit], subject: name.text))
          listeners.append((peer, try await peer.join(name).joined.number))
        }
        let speaker = try await Peer.greeted(
          by: relay, token: try await token(key, ["*": .edit], subject: "speaker"))
        for (index, name) in names.enumerated() {
          let number = try await speaker.join(name).joined.number
          #expect(number == listeners[index].number)
          let byte = UInt8(index)
          try await speaker.say(.presence(room: number, value: [byte]))
          let push = ClientMessage.Push(
            room: number, number: UInt64(index), header: header(0..<1, replica: UInt64(index) + 1),
            payload: [byte])
          #expect(try await speaker.push(push) == .cursor(1))
        }
        for (index, (peer, number)) in listeners.enumerated() {
          try await peer.say(.ping(7))
          var payloads: [[UInt8]] = []
          listening: while true {
            switch try await peer.hear() {
            case .entries(let room, let entries):
              #expect(room == number)
              payloads += entries.map(\.payload)
            case .presence(let room, _, let values):
              #expect(room == number)
              for value in values where value.subject == Array("speaker".utf8) {
                #expect(value.value == nil || value.value == [UInt8(index)])
              }
            case .pong:
              if !payloads.isEmpty { break listening }
              try await peer.say(.ping(7))
            case .caughtUp(let room, _, _): #expect(room == number)
            default: Issue.record("something else")
            }
          }
          #expect(payloads == [[UInt8(index)]])
        }
      }
    }
  }

  /// One request, one answer: what else was sent on the connection is no request, however its length is disguised.
  @Test(arguments: [
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
    "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /sync HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 0\r\n\r\n",
    "GET /sync HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\n\r\n",
    "GET /healthz HTTP/1.1\nHost: localhost\n\n", "GET /healthz\r\n\r\n",
    "GET /sync HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
  ])
  func aRequestBehindAnotherIsNotAnswered(_ first: String) async throws {
    try await withDirectory { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try Data("a secret of many bytes".utf8).write(to: URL(fileURLWithPath: path + "/secret"))
      let relay = try await startRelay(path + "/data") { $0.metricsTokenFile = path + "/secret" }
      let second =
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a secret of many bytes\r\n\r\n"
      for port in [relay.port, try #require(relay.metricsPort)] {
        let socket = try await RawSocket(port: port)
        try await socket.send(raw: Array((first + second).utf8))
        let answer = await socket.rest()
        #expect(
          !answer.contains("ropewalk_build_info") && answer.components(separatedBy: "HTTP/1.").count <= 2,
          "\(answer)")
      }
      // It is answered by itself.
      let socket = try await RawSocket(port: relay.port)
      try await socket.send(raw: Array(second.utf8))
      #expect(await socket.rest().contains("ropewalk_build_info"))
      await relay.stop()
    }
  }

  /// A room with very many documents is one room: it is taken, read from the beginning, and nobody else waits for it.
  @Test func fifteenThousandDocumentsAreTakenAndRead() async throws {
    let window = 4000
    try await withRelay({ $0.limits.pushWindow = UInt32(window) }) { relay in
      let writer = try await Peer.greeted(by: relay)
      let number = try await writer.join(.test).joined.number
      let count = 15_000
      var sent = 0
      var answered = 0
      while answered < count {
        while sent < count, sent - answered < window {
          let push = ClientMessage.Push(
            room: number, number: UInt64(sent), header: header(0..<1, replica: 7, document: "d\(sent)"),
            payload: [1])
          try await writer.say(.push(push))
          sent += 1
        }
        switch try await writer.hear() {
        case .acknowledged(_, let acknowledgements): answered += acknowledgements.count
        case .refused(_, _, let refusal):
          Issue.record("\(refusal)")
          return
        default: continue
        }
      }
      let reader = try await Peer.greeted(by: relay)
      let (joined, entries, _) = try await reader.join(.test)
      #expect(joined.head == UInt64(count) && entries.count == count)
      let other = try await Peer.greeted(by: relay)
      #expect(try await other.join(RoomName("other")!).joined.head == 0)
    }
  }
}
