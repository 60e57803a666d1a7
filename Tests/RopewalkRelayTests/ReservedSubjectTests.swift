import RopewalkSync
import Testing

@testable import RopewalkRelay

/// Nobody with a token is taken for those without one.
@Suite(.timeLimit(.minutes(5))) struct ReservedSubjectTests {
  private let key = RelayKey.generate(.es256)

  /// A token as another service signs it.
  private func foreignToken(_ subject: String) throws -> String {
    let room = Claims.Room(pattern: Array("*".utf8), role: Array("own".utf8))
    let claims = Claims(sub: Array(subject.utf8), exp: Double(testMoment / 1000 + 3600), rooms: [room])
    return try #require(SignedToken(payload: claims.json, by: key.named)).text
  }

  @Test(arguments: [false, true]) func aTokenOfTheSubjectAnonymousIsRefused(isOpen: Bool) async throws {
    try await withKeyedFolder { folder in
      try await folder.withRelay {
        $0.key = key
        if isOpen { $0.publicRooms = [.init(pattern: "*", role: .edit)] }
      } _: { relay in
        let peer = try await Peer.connect(to: relay)
        let token = try foreignToken("anonymous")
        try await peer.say(.hello(ClientMessage.Hello(codecs: [], token: Array(token.utf8))))
        let error = try await peer.farewell().error
        #expect(error?.code == .unauthenticated)
        #expect(
          error.map { String(decoding: $0.sentence, as: UTF8.self) }
            == "The subject anonymous is everybody without a token.")
        // Other names are other people, however they look.
        for subject in ["Anonymous", "anonymous.", "\u{430}nonymous", "anonymous\u{301}", "anonymou\u{17F}"] {
          try await expectWelcome(try foreignToken(subject), by: relay)
        }
        let ann = try await Peer.greeted(by: relay, token: try foreignToken("ann"))
        try await ann.say(.token(Array(token.utf8)))
        #expect(try await ann.farewell().error?.code == .unauthenticated)
      }
      let refused = try folder.audit.filter { $0.act == .refused }
      #expect(refused.map(\.code) == ["reserved-subject", "reserved-subject"])
    }
  }

  @Test func noSuchTokenIsMade() {
    let said = #expect(throws: RelayError.self) {
      try RelayToken.mint(key: key, subject: "anonymous", rooms: [("*", .edit)], expires: testMoment)
    }
    #expect(said?.description.contains("The subject anonymous is everybody without a token") == true)
  }
}
