import Foundation
import JWTKit
import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// Keys, tokens and what they allow.
@Suite(.timeLimit(.minutes(5))) struct AccessTests {
  private let secret = Array("0123456789abcdef0123456789abcdef".utf8)
  private let now: UInt64 = 1_900_000_000_000

  private func token(_ rooms: KeyValuePairs<String, Role>, expires: UInt64? = nil) async throws -> String {
    try RelayToken.mint(
      key: RelayKey(secret), subject: "ann", rooms: rooms.map { ($0.key, $0.value) },
      expires: expires ?? now + 3_600_000)
  }

  /// A relay whose clock stands where the test puts it.
  private func withKeyedRelay(_ clock: TestClock = TestClock(), _ body: (Relay) async throws -> Void)
    async throws
  {
    clock.set(now)
    try await withDirectory { path in
      let configuration = Relay.Configuration(
        dataDirectory: path, port: 0, key: try RelayKey(secret), threads: 2, grace: 500)
      let relay = try await Relay.start(configuration, logger: quiet, now: { clock.now })
      do { try await body(relay) } catch {
        await relay.stop()
        throw error
      }
      await relay.stop()
    }
  }

  private func refusal(_ token: String, by relay: Relay) async throws -> ErrorCode? {
    let peer = try await Peer.connect(to: relay)
    try await peer.say(.hello(ClientMessage.Hello(codecs: [], token: Array(token.utf8))))
    let (error, closeCode) = try await peer.farewell()
    #expect(closeCode == error?.code.closeCode)
    return error?.code
  }

  @Test func tokensThatDoNotHoldAreRefused() async throws {
    try await withKeyedRelay { relay in
      let good = try await token(["*": .edit])
      let other = try RelayToken.mint(
        key: RelayKey(secret.reversed()), subject: "ann", rooms: [("*", .edit)], expires: now + 1000)
      let parts = good.split(separator: ".").map(String.init)
      // {"alg":"none","typ":"JWT"}
      let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + parts[1] + "."
      for bad in ["", "nonsense", "a.b.c", other, unsigned, parts[0] + "." + parts[1] + ".", good + "x"] {
        #expect(try await refusal(bad, by: relay) == .unauthenticated, "\(bad.prefix(20))")
      }
      let expired = try await token(["*": .edit], expires: now - 1000)
      #expect(try await refusal(expired, by: relay) == .tokenExpired)
    }
  }

  @Test func tokensWithoutExpiryOrSubjectAreRefused() async throws {
    struct Loose: JWTPayload {
      var sub: String?
      var exp: Double?
      var jti: String?
      var rooms = ["*": "edit"]
      func verify(using algorithm: some JWTAlgorithm) async throws {}
    }
    let keys = await JWTKeyCollection().add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
    try await withKeyedRelay { relay in
      let expires = Double(now / 1000) + 60
      for claims in [
        Loose(sub: "ann"), Loose(exp: expires), Loose(sub: "", exp: expires), Loose(sub: "ann", exp: -1),
        Loose(sub: "ann", exp: 1e300), Loose(sub: String(repeating: "a", count: 256), exp: expires),
        Loose(sub: "a\nb", exp: expires), Loose(sub: "a\u{9b}b", exp: expires),
        Loose(sub: "a\u{202e}b", exp: expires), Loose(sub: "a\u{2028}", exp: expires),
        // What cannot be revoked by its name.
        Loose(sub: "ann", exp: expires, jti: ""),
        Loose(sub: "ann", exp: expires, jti: String(repeating: "x", count: 1025)),
      ] {
        let token = try await keys.sign(claims)
        #expect(try await refusal(token, by: relay) == .unauthenticated)
      }
    }
  }

  @Test func viewersReadAndCannotPush() async throws {
    try await withKeyedRelay { relay in
      let writer = try await Peer.greeted(by: relay, token: try await token(["test": .edit]))
      let viewer = try await Peer.greeted(by: relay, token: try await token(["te*": .view]))
      let number = try await writer.join(.test).joined.number
      #expect(try await viewer.join(.test).joined.role == .view)
      let push = ClientMessage.Push(room: number, number: 1, header: header(0..<1), payload: [1])
      #expect(try await viewer.push(push) == .refusal(.forbidden))
      #expect(try await writer.push(push) == .cursor(1))
      guard case .entries(_, let entries) = try await viewer.hear() else {
        Issue.record("the viewer got something else")
        return
      }
      #expect(entries[0].subject == Array("ann".utf8))
    }
  }

  @Test func roomsThatTheTokenDoesNotNameAreClosed() async throws {
    try await withKeyedRelay { relay in
      let peer = try await Peer.greeted(by: relay, token: try await token(["team/*": .edit]))
      try await peer.say(.join(ClientMessage.Join(room: .test, cursor: 0, digest: .zero)))
      guard case .error(let room, let error) = try await peer.hear() else {
        Issue.record("no error")
        return
      }
      #expect(room == .test && error.code == .forbidden && error.retry == .never)
      #expect(try await peer.join(RoomName("team/a")!).joined.role == .edit)
    }
  }

  @Test func expiryEndsARunningSessionAndARefreshPutsItOff() async throws {
    let clock = TestClock()
    try await withKeyedRelay(clock) { relay in
      let peer = try await Peer.greeted(
        by: relay, token: try await token(["test": .edit], expires: now + 1000))
      let refreshed = try await token(["test": .view], expires: now + 2000)
      try await peer.join(.test)
      try await peer.say(.token(Array(refreshed.utf8)))
      #expect(try await peer.hear() == .tokenAccepted(expires: now + 2000))
      guard case .role(_, .view) = try await peer.hear() else {
        Issue.record("the role did not change")
        return
      }
      clock.set(now + 2000)
      let (error, closeCode) = try await peer.farewell()
      #expect(error?.code == .tokenExpired && closeCode == ErrorCode.tokenExpired.closeCode)
    }
  }

  @Test func withoutAKeyOnlyLoopbackIsServed() async throws {
    try await withDirectory { path in
      for host in ["0.0.0.0", "::", "192.0.2.1", "example.org", "127.0.0.1.example.org", "127.1"] {
        let configuration = Relay.Configuration(dataDirectory: path, host: host, port: 0)
        await #expect(throws: RelayError.keyRequired(host: host)) { try await Relay.start(configuration) }
      }
    }
  }

  @Test func keysAreLongEnoughAndDoNotPrint() throws {
    #expect(throws: RelayError.keyTooShort(bytes: 31)) { try RelayKey(Array(secret.dropLast())) }
    let key = try RelayKey(secret)
    var dumped = ""
    dump(key, to: &dumped)
    for text in ["\(key)", String(reflecting: key), dumped] {
      #expect(!text.contains("0123") && !text.contains("48"))
    }
    #expect(throws: RelayError.keyMissing(variable: "ROPEWALK_NO_SUCH_VARIABLE")) {
      try RelayKey(secretEnvironment: "ROPEWALK_NO_SUCH_VARIABLE")
    }
  }

  @Test func aFileThatIsNotThereIsAnError() async throws {
    try await withDirectory { path in
      #expect(throws: RelayError.keyUnreadable(path: path)) { try RelayKey(file: path) }
      #expect(throws: RelayError.keyUnreadable(path: path)) { try RelayKey(secretFile: path) }
    }
  }
}
