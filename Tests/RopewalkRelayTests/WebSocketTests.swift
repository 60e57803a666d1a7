import RopewalkSync
import RopewalkZstd
import Testing

@testable import RopewalkRelay

/// What RFC 6455 asks of a server, said by a client that knows how to get it wrong.
@Suite(.timeLimit(.minutes(5))) struct WebSocketTests {
  private let hello = Envelope.plain(
    ClientMessage.hello(ClientMessage.Hello(codecs: [], token: [])).encoded)

  private func isWelcome(_ frame: RawSocket.Frame) -> Bool {
    guard case .welcome? = try? RelayMessage(decoding: Array(frame.payload.dropFirst())) else { return false }
    return true
  }

  @Test func fragmentsWithPingsBetweenThemAreOneMessage() async throws {
    try await withRelay { relay in
      let socket = try await Peer.connect(to: relay).socket
      try await socket.send(opcode: 2, isFinal: false, Array(hello.prefix(3)))
      try await socket.send(opcode: 9, [1, 2])
      try await socket.send(opcode: 0, isFinal: false, [])
      try await socket.send(opcode: 0, isFinal: true, Array(hello.dropFirst(3)))
      #expect(try await socket.frame() == RawSocket.Frame(opcode: 10, payload: [1, 2]))
      #expect(isWelcome(try await socket.frame()))
    }
  }

  @Test func bytesMayArriveOneByOne() async throws {
    try await withRelay { relay in
      let socket = try await Peer.connect(to: relay).socket
      for byte in RawSocket.frame(opcode: 2, hello) { try await socket.send(raw: [byte]) }
      #expect(isWelcome(try await socket.frame()))
    }
  }

  @Test func aCloseIsAnsweredWithItsCode() async throws {
    try await withRelay { relay in
      for (body, answer) in [([0x03, 0xe8, 0x62, 0x79, 0x65], [0x03, 0xe8]), ([], [])] as [([UInt8], [UInt8])]
      {
        let socket = try await Peer.connect(to: relay).socket
        try await socket.send(opcode: 8, body)
        #expect(try await socket.frame() == RawSocket.Frame(opcode: 8, payload: answer))
        await socket.end()
      }
    }
  }

  @Test func aCloseThatIsSaidTwiceIsAnsweredOnce() async throws {
    try await withRelay { relay in
      let socket = try await Peer.connect(to: relay).socket
      let close = RawSocket.frame(opcode: 8, [0x03, 0xe8])
      try await socket.send(raw: close + close)
      #expect(try await socket.frame() == RawSocket.Frame(opcode: 8, payload: [0x03, 0xe8]))
      await socket.end()
    }
  }

  @Test func whoBrokeTheRulesIsNotWaitedFor() async throws {
    try await withRelay { relay in
      // A frame after which nothing can be understood, and a close that is none: neither is answered by a
      // close.
      for (bytes, code) in [
        (RawSocket.frame(opcode: 3, hello), 1002), (RawSocket.frame(opcode: 8, [0x03, 0xed]), 1002),
      ] as [([UInt8], UInt16)] {
        let socket = try await Peer.connect(to: relay).socket
        try await socket.send(raw: bytes)
        #expect(try await socket.frame().closeCode == code)
        // The stream ends although this side says nothing more.
        await #expect(throws: RawSocket.Failure.self) { try await socket.frame() }
        await socket.end()
      }
    }
  }

  @Test func brokenRulesCloseTheConnectionWithTheRightCode() async throws {
    let large = [UInt8](repeating: 0, count: 126)
    let cases: [(String, UInt16, [UInt8])] = [
      ("no mask", 1002, RawSocket.frame(opcode: 2, isMasked: false, hello)),
      ("reserved bit", 1002, RawSocket.frame(opcode: 2, reserved: 4, hello)),
      ("unknown opcode", 1002, RawSocket.frame(opcode: 3, hello)),
      ("unknown control opcode", 1002, RawSocket.frame(opcode: 11, [])),
      ("continuation of nothing", 1002, RawSocket.frame(opcode: 0, hello)),
      ("fragmented ping", 1002, RawSocket.frame(opcode: 9, isFinal: false, [])),
      ("long ping", 1002, RawSocket.frame(opcode: 9, large)),
      (
        "message within a message", 1002,
        RawSocket.frame(opcode: 2, isFinal: false, hello) + RawSocket.frame(opcode: 2, hello)
      ),
      ("text", 1003, RawSocket.frame(opcode: 1, Array("hello".utf8))),
      ("half a close code", 1002, RawSocket.frame(opcode: 8, [3])),
      ("close code 1005", 1002, RawSocket.frame(opcode: 8, [0x03, 0xed])),
      ("close reason that is no UTF-8", 1002, RawSocket.frame(opcode: 8, [0x03, 0xe8, 0xff])),
      ("huge frame", 1009, [0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4]),
      ("large frame", 1009, [0x82, 0xff, 0, 0, 0, 0, 0, 0x50, 0, 0, 1, 2, 3, 4]),
    ]
    try await withRelay { relay in
      for (name, code, bytes) in cases {
        let socket = try await Peer.connect(to: relay).socket
        // A client that goes on sending still reads why it was closed. If the relay has lost patience with
        // it in the meantime, sending fails; what was said before is still read.
        try await socket.send(raw: bytes)
        try? await socket.send(raw: [UInt8](repeating: 0, count: 10_000))
        let frame = try await socket.frame()
        #expect(frame.opcode == 8 && frame.closeCode == code, "\(name)")
        try? await socket.send(opcode: 8, [0x03, 0xe8])
        await socket.end()
      }
    }
  }

  @Test func damagedMessagesEndTheConnectionWithAnErrorOfTheProtocol() async throws {
    let bomb = Envelope.zstd(frame: [0x28, 0xb5, 0x2f, 0xfd, 0xa4, 0, 0, 0, 0x40, 1, 0, 0], size: 1 << 20)
    let cases: [(String, ErrorCode, [UInt8])] = [
      ("empty", .protocolViolation, []), ("unknown envelope", .protocolViolation, [7, 1]),
      ("unknown kind", .protocolViolation, [0, 99]), ("push before hello", .protocolViolation, [0, 5, 1]),
      ("zstd that is none", .protocolViolation, bomb),
      ("zstd that claims too much", .tooLarge, Envelope.zstd(frame: [1], size: 1 << 40)),
    ]
    try await withRelay { relay in
      for (name, code, bytes) in cases {
        let peer = try await Peer.connect(to: relay)
        try await peer.socket.send(bytes)
        let (error, closeCode) = try await peer.farewell()
        #expect(error?.code == code && closeCode == code.closeCode, "\(name)")
      }
    }
  }

  @Test func aStrangerCannotSendMuch() async throws {
    // A frame within the limit for friends, of which too much arrives before a hello. It takes a while to
    // make.
    let frame = RawSocket.frame(opcode: 2, [UInt8](repeating: 0, count: 1 << 20)).dropLast()
    try await withRelay { relay in
      let peer = try await Peer.connect(to: relay)
      try? await peer.socket.send(raw: Array(frame))
      let (error, closeCode) = try await peer.farewell()
      #expect(error?.code == .tooLarge && closeCode == ErrorCode.tooLarge.closeCode)
    }
  }

  @Test func silenceBeforeTheHelloEndsTheConnection() async throws {
    try await withRelay {
      $0.patience = 20
    } _: { relay in
      await (try RawSocket(port: relay.port)).end()
    }
    try await withRelay {
      $0.patience = 1500
    } _: { relay in
      let (error, closeCode) = try await Peer.connect(to: relay).farewell()
      #expect(error?.code == .timedOut && closeCode == ErrorCode.timedOut.closeCode)
    }
  }

  @Test func plainHTTPIsAnswered() async throws {
    try await withRelay { relay in
      let cases = [
        ("GET /healthz", "200"), ("HEAD /healthz", "200"), ("POST /healthz", "405"), ("GET /sync", "426"),
        ("GET /", "404"), ("GET /healthz?x=1", "200"), ("GET /healthz/", "404"), ("GET /sync/", "404"),
        ("GET /sync?x=1", "400"), ("GET /SYNC", "404"), ("GET //sync", "404"),
      ]
      for (request, status) in cases {
        let socket = try await RawSocket(port: relay.port)
        try await socket.send(raw: Array("\(request) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        #expect(try await socket.readHead().split(separator: " ")[1] == status, "\(request)")
        await socket.end()
      }
      for (path, status) in [
        ("/other", "404"), ("/sync/", "404"), ("/sync?token=x", "400"), ("/sync?", "400"), ("/sync/a", "404"),
      ] {
        let lost = try await RawSocket(port: relay.port)
        #expect(try await lost.upgrade(path: path).contains(status), "\(path)")
      }
    }
  }

  @Test func aClientSendsNoEnvelopeOfSegments() async throws {
    try await withRelay { relay in
      let peer = try await Peer.greeted(by: relay, codecs: .zstd)
      let message = ClientMessage.ping(1).encoded
      let frame = Zstd.compress(Array(message.dropFirst()))
      try await peer.socket.send(Envelope.partly([message[0]], frame: frame, size: message.count - 1))
      let (error, closeCode) = try await peer.farewell()
      #expect(error?.code == .protocolViolation)
      #expect(closeCode == ErrorCode.protocolViolation.closeCode)
    }
  }

  /// What a proxy takes for a body, a WebSocket takes for frames, and the other way round.
  @Test func anUpgradeThatMayHaveABodyIsRefused() async throws {
    try await withRelay { relay in
      for headers in [
        ["Content-Length: 5"], ["content-length: 5"], ["Transfer-Encoding: chunked"],
        ["Transfer-Encoding: identity"], ["Transfer-Encoding: chunked", "Content-Length: 0"],
        ["Content-Length: 0", "Content-Length: 0"], ["Content-Length: 00"], ["Content-Length: 5, 5"],
        ["Content-Length: 5", "Content-Length: 6"], ["Content-Length: -1"],
      ] {
        let socket = try await RawSocket(port: relay.port)
        let line = try await socket.upgrade(headers: headers)
        #expect(line.contains("400"), "\(headers): \(line)")
        // Whatever follows is nobody's request.
        try? await socket.send(raw: Array("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        #expect(await (try? socket.readHead()) == nil, "\(headers)")
      }
      let socket = try await RawSocket(port: relay.port)
      #expect(try await socket.upgrade(headers: ["Content-Length: 0"]).contains("101"))
    }
  }

  @Test func pagesOfOtherSitesAreNotLetInWithoutAKey() async throws {
    try await withRelay { relay in
      for (origin, status) in [
        ("https://example.org", "403"), ("http://localhost.example.org", "403"), ("null", "403"),
        ("http://localhost:8080", "101"), ("http://127.0.0.1", "101"), ("http://[::1]:1", "101"),
      ] {
        let socket = try await RawSocket(port: relay.port)
        let line = try await socket.upgrade(headers: ["Origin: \(origin)"])
        #expect(line.contains(status), "\(origin)")
      }
    }
  }
}
