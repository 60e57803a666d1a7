import RopewalkSync
import RopewalkZstd
import Testing

@testable import RopewalkRelay

/// Clients that mean harm, or are broken in ways that look like it.
@Suite(.timeLimit(.minutes(5))) struct HostileTests {
  @Test func whoAsksAndReadsNoAnswersIsClosed() async throws {
    try await withRelay {
      $0.limits.messagesPerSecond = 0
      $0.limits.bytesPerSecond = 0
      $0.limits.rooms = 0
    } _: { relay in
      let peer = try await Peer.greeted(by: relay)
      try await peer.socket.setReading(false)
      // Each is answered by an error that names the room, until the system's buffers and then the relay's
      // patience are full.
      let name = try #require(RoomName(String(repeating: "n", count: 128)))
      let join = ClientMessage.Join(room: name, cursor: 0, digest: .zero)
      let frame = RawSocket.frame(opcode: 2, Envelope.plain(ClientMessage.join(join).encoded))
      let joins = (0..<2000).flatMap { _ in frame }
      while relay.connectionCount > 0 { try? await peer.socket.send(raw: joins) }
      await peer.socket.drop()
    }
  }

  private func push(_ number: RoomNumber, _ seq: UInt32) -> ClientMessage.Push {
    ClientMessage.Push(room: number, number: UInt64(seq), header: header(seq..<seq + 1), payload: [1])
  }

  @Test func aRequestThatNeverEndsIsGivenUp() async throws {
    try await withRelay {
      $0.patience = 50
    } _: { relay in
      let socket = try await RawSocket(port: relay.port)
      try? await socket.send(raw: Array("GET /sync HTTP/1.1\r\nHost: ".utf8))
      // Byte after byte, until the relay has had enough.
      while (try? await socket.send(raw: [0x61])) != nil { await Task.yield() }
      await socket.end()
    }
  }

  @Test func aRequestThatIsTooLongIsGivenUp() async throws {
    try await withRelay { relay in
      let socket = try await RawSocket(port: relay.port)
      try await socket.send(raw: Array("GET /sync HTTP/1.1\r\n".utf8))
      for _ in 0..<200 {
        try? await socket.send(raw: Array("X-Filler: \(String(repeating: "x", count: 1000))\r\n".utf8))
      }
      await socket.end()
    }
  }

  @Test func aFrameThatNeverEndsIsNoSignOfLife() async throws {
    try await withRelay {
      $0.limits.silence = 1000
    } _: { relay in
      let peer = try await Peer.greeted(by: relay)
      // The beginning of a message of 1 MiB, and of fragments that never end.
      let frame = RawSocket.frame(opcode: 2, isFinal: false, [0, 7])
      let rest = RawSocket.frame(opcode: 0, isFinal: true, [UInt8](repeating: 0, count: 1 << 20))
      try await peer.socket.send(raw: frame + rest.prefix(1000))
      let (error, closeCode) = try await peer.farewell()
      #expect(error?.code == .timedOut && closeCode == ErrorCode.timedOut.closeCode)
    }
  }

  @Test func halfOpenConnectionsAreNoticedByTheirSilence() async throws {
    try await withRelay {
      $0.limits.silence = 1000
    } _: { relay in
      let socket = try await RawSocket(port: relay.port)
      try await socket.upgrade()
      let hello = ClientMessage.hello(ClientMessage.Hello(codecs: [], token: []))
      try await socket.send(Envelope.plain(hello.encoded))
      // Reads nothing from now on, and does not close.
      try await socket.setReading(false)
      while relay.connectionCount > 0 { await Task.yield() }
    }
  }

  @Test func compressionBombsAreNotInflated() async throws {
    let bomb = Zstd.compress([UInt8](repeating: 0, count: 64 << 20))
    #expect(bomb.count < 64 << 10)
    try await withRelay { relay in
      for (size, code) in [(64 << 20, ErrorCode.tooLarge), (1000, .protocolViolation)] {
        let peer = try await Peer.greeted(by: relay)
        try await peer.socket.send(Envelope.zstd(frame: bomb, size: size))
        #expect(try await peer.farewell().error?.code == code)
      }
    }
  }

  @Test func namesThatAreNoTextEndTheConnection() async throws {
    try await withRelay { relay in
      for name in [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x61, 0x00], [0xc2, 0x85], []] as [[UInt8]] {
        let peer = try await Peer.greeted(by: relay)
        let join = [3, UInt8(name.count)] + name + [UInt8](repeating: 0, count: 17)
        try await peer.socket.send(Envelope.plain(join))
        #expect(try await peer.farewell().error?.code == .protocolViolation, "\(name)")
      }
    }
  }

  @Test func oneClientCannotEnterThousandsOfRooms() async throws {
    try await withRelay {
      $0.limits.rooms = 20
    } _: { relay in
      let peer = try await Peer.greeted(by: relay)
      for index in 0..<3000 {
        let room = RoomName("room \(index)")!
        try await peer.say(.join(ClientMessage.Join(room: room, cursor: 0, digest: .zero)))
      }
      var (joined, refused) = (0, 0)
      while joined + refused < 3000 {
        switch try await peer.hear() {
        case .joined: joined += 1
        case .error(_?, let error):
          #expect(error.code == .tooManyRooms)
          refused += 1
        default: break
        }
      }
      #expect(joined == 20)
    }
  }

  @Test func aFloodIsPutOffAndThenGivenUp() async throws {
    try await withKeyedFolder { folder in
      try await folder.withRelay {
        $0.limits.messagesPerSecond = 10
        $0.limits.pushWindow = 4
      } _: { relay in
        let peer = try await Peer.greeted(by: relay)
        let number = try await peer.join(.test).joined.number
        // A burst of two seconds is free; hello and join are part of it.
        for seq in 0..<18 as Range<UInt32> {
          #expect(try await peer.push(push(number, seq)) == .cursor(UInt64(seq) + 1))
        }
        let refusal = try await peer.push(push(number, 18))
        guard case .refusal(.overloaded(let wait)) = refusal else {
          Issue.record("a flood was not put off: \(refusal)")
          return
        }
        #expect((1...1000).contains(wait))
        folder.clock.set(testMoment + UInt64(wait) + 100)
        var again = push(number, 18)
        again.refusalsSeen = 1
        #expect(try await peer.push(again) == .cursor(19))
        for count in 0..<200 as Range<UInt64> { try? await peer.say(.ping(count)) }
        let (error, closeCode) = try await peer.farewell()
        #expect(error?.code == .overloaded && closeCode == ErrorCode.overloaded.closeCode)
        guard case .after? = error?.retry else {
          Issue.record("no time to come back")
          return
        }
      }
    }
  }

  @Test func aFloodOfPingsIsGivenUpToo() async throws {
    try await withKeyedFolder { folder in
      try await folder.withRelay {
        $0.limits.messagesPerSecond = 10
        $0.limits.pushWindow = 4
      } _: { relay in
        let peer = try await Peer.greeted(by: relay)
        for _ in 0..<200 { try? await peer.socket.send(opcode: 9, []) }
        #expect(try await peer.farewell().error?.code == .overloaded)
      }
    }
  }

  @Test func beyondTheMostConnectionsIsSaidWhenToComeBack() async throws {
    try await withRelay {
      $0.maximumConnections = 1
    } _: { relay in
      let first = try await Peer.greeted(by: relay)
      let answer = try await RawSocket(port: relay.port).get("/sync", headers: ["Upgrade: websocket"])
      #expect(answer.hasPrefix("HTTP/1.1 503") && answer.lowercased().contains("\r\nretry-after: "))
      await first.socket.drop()
      while true {
        let socket = try await RawSocket(port: relay.port)
        if try await socket.upgrade().contains("101") { break }
      }
    }
  }

  @Test func noMoreSocketsAreServedThanThereAreFiles() {
    #expect(Admission.limit(10_000, files: nil) == 10_000 && Admission.limit(10_000, files: 20_000) == 10_000)
    #expect(Admission.limit(10_000, files: 1024) == 896 && Admission.limit(10_000, files: 64) == 1)
    #expect(Admission.limit(10_000, files: .max) == 10_000)
  }

  @Test func whatTheDiskDoesNotKeepUpWithIsPutOff() async throws {
    try await withRelay {
      $0.limits.largestPayload = 1000
      $0.pendingBytes = 1000
    } _: { relay in
      let peer = try await Peer.greeted(by: relay)
      let number = try await peer.join(.test).joined.number
      // Sent together, so that one waits for the disk while the next comes; pushed again, all are taken.
      var waiting = Set(0..<UInt64(40))
      var (putOff, overtaken) = (0, 0)
      while !waiting.isEmpty {
        let seen = UInt64(putOff)
        for seq in waiting {
          try await peer.say(
            .push(
              ClientMessage.Push(
                room: number, number: seq, refusalsSeen: seen, header: header(UInt32(seq)..<UInt32(seq) + 1),
                payload: [UInt8](repeating: UInt8(seq), count: 900))))
        }
        var answered = 0
        let sent = waiting.count
        while answered < sent {
          switch try await peer.hear() {
          case .acknowledged(_, let all):
            for one in all { waiting.remove(one.push) }
            answered += all.count
          case .refused(_, _, .overloaded(let wait)):
            #expect((500...1500).contains(wait))
            (putOff, answered) = (putOff + 1, answered + 1)
          // Sent before the refusal was known.
          case .refused(_, _, .overtaken): (overtaken, answered) = (overtaken + 1, answered + 1)
          case .refused(_, _, let refusal): Issue.record("\(refusal)")
          default: break
          }
        }
      }
      #expect(putOff > 0 && overtaken > 0)
    }
  }

  @Test func strangersWaitWhileOthersAreLookedAt() async throws {
    try await withRelay {
      $0.maximumStrangers = 1
    } _: { relay in
      let silent = try await RawSocket(port: relay.port)
      let waiting = try await RawSocket(port: relay.port)
      async let answer = waiting.get("/healthz")
      await silent.drop()
      #expect(try await answer.hasPrefix("HTTP/1.1 200"))
      // Whoever has shown that they may be here makes room for others.
      var peers: [Peer] = []
      for _ in 0..<5 { peers.append(try await Peer.greeted(by: relay)) }
      #expect(relay.connectionCount == 5)
    }
  }
}
