import Foundation
import JWTKit
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// Keys of every algorithm, from files, and their rotation.
@Suite(.timeLimit(.minutes(5))) struct KeyTests {
  @Test(arguments: RelayKey.Algorithm.allCases)
  func tokensOfEveryAlgorithmHoldByAKeyFile(_ algorithm: RelayKey.Algorithm) async throws {
    try await withKeyedFolder { folder in
      let (key, other) = (RelayKey.generate(algorithm), RelayKey.generate(algorithm))
      let isSecret = algorithm == .hs256
      try folder.write(try #require(key.privateText) + "\n", to: folder.keyFile)
      let read = try isSecret ? RelayKey(secretFile: folder.keyFile) : RelayKey(file: folder.keyFile)
      #expect(read.fingerprint == key.fingerprint)
      try await folder.withRelay {
        if isSecret { $0.secretFile = folder.keyFile } else { $0.keyFile = folder.keyFile }
      } _: { relay in
        try await expectWelcome(try await token(key), by: relay)
        try await expectRefusal(.unauthenticated, try await token(other), by: relay)
        try await expectRefusal(.unauthenticated, "", by: relay)
      }
    }
  }

  @Test func aKeySetMayHoldSeveralKindsAndOthersOfNoUse() async throws {
    try await withKeyedFolder { folder in
      let keys = [RelayKey.generate(.es256), RelayKey.generate(.eddsa)]
      let entries =
        keys.compactMap(\.publicJWK) + [
          #"{"kty":"oct","kid":"s","use":"enc","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}"#,
          #"{"kty":"RSA","kid":"r","n":"AQAB","e":"AQAB","alg":"RS256","use":"sig"}"#,
          #"{"kty":"EC","kid":"c","crv":"P-384","x":"AA","y":"AA"}"#,
          #"{"kty":"OKP","kid":"e","crv":"Ed25519","use":"enc","x":"AA"}"#,
        ]
      try folder.write("{\"keys\":[\(entries.joined(separator: ","))],\"more\":1}", to: folder.jwksFile)
      try await folder.withRelay {
        $0.jwksFile = folder.jwksFile
      } _: { relay in
        for key in keys {
          try await expectWelcome(try await token(key), by: relay)
        }
      }
    }
  }

  @Test func theNamedKeyAloneChecksAToken() async throws {
    try await withKeyedFolder { folder in
      let (one, two) = (RelayKey.generate(.es256), RelayKey.generate(.es256))
      try folder.writeJWKS([one, two])
      try await folder.withRelay {
        $0.jwksFile = folder.jwksFile
      } _: { relay in
        let misnamed = RelayKey(one.material, id: two.id)
        let unknown = RelayKey(one.material, id: "another")
        for key in [one, two] {
          try await expectWelcome(try await token(key), by: relay)
        }
        for key in [misnamed, unknown] {
          try await expectRefusal(.unauthenticated, try signed(key), by: relay)
        }
        // A token that names no key is checked against all.
        try await expectWelcome(try signed(RelayKey(two.material)), by: relay)
      }
    }
  }

  @Test func aPublicKeyIsNoSecret() async throws {
    try await withKeyedFolder { folder in
      let key = RelayKey.generate(.es256)
      try folder.writeJWKS([key])
      // What an attacker knows, used as the secret of HS256.
      let forged = RelayKey(.secret(Array(try #require(key.publicJWK).utf8)), id: key.id)
      try await folder.withRelay {
        $0.jwksFile = folder.jwksFile
      } _: { relay in
        try await expectRefusal(.unauthenticated, try await token(forged), by: relay)
      }
    }
  }

  @Test func rotationTakesNewKeysInAndCutsOffOldOnes() async throws {
    try await withKeyedFolder { folder in
      let (old, new) = (RelayKey.generate(.es256), RelayKey.generate(.eddsa))
      let (oldToken, newToken) = (try await token(old), try await token(new))
      try folder.writeJWKS([old])
      let book = LogBook()
      try await folder.withRelay(logger: book.logger) {
        $0.jwksFile = folder.jwksFile
      } _: { relay in
        let early = try await Peer.greeted(by: relay, token: oldToken)
        try await expectRefusal(.unauthenticated, newToken, by: relay)
        try folder.writeJWKS([old, new])
        await relay.reload()
        let late = try await Peer.greeted(by: relay, token: newToken)
        try await early.join(.test)
        try folder.write("{\"keys\":[{}]}", to: folder.jwksFile)
        await relay.reload()
        #expect(book.text.contains("the old ones stay in force"))
        try await expectWelcome(oldToken, by: relay)
        try folder.writeJWKS([new])
        await relay.reload()
        let (error, closeCode) = try await early.farewell()
        #expect(error?.code == .revoked && closeCode == ErrorCode.revoked.closeCode)
        try await expectRefusal(.unauthenticated, oldToken, by: relay)
        try await late.join(.test)
      }
      let acts = try folder.audit.filter { $0.detail == "keys" }.map(\.act)
      #expect(acts == [.reloaded, .reloadFailed, .reloaded])
    }
  }

  @Test func aChangedFileIsNoticed() async throws {
    try await withKeyedFolder { folder in
      let (old, new) = (RelayKey.generate(.es256), RelayKey.generate(.es256))
      try folder.writeJWKS([old])
      try await folder.withRelay {
        $0.jwksFile = folder.jwksFile
        $0.reloadInterval = 5
      } _: { relay in
        let peer = try await Peer.greeted(by: relay, token: try await token(old))
        try folder.writeJWKS([new])
        #expect(try await peer.farewell().error?.code == .revoked)
        try await expectWelcome(try await token(new), by: relay)
      }
    }
  }

  @Test func filesThatHoldNoKeyAreErrorsThatSayWhy() async throws {
    try await withKeyedFolder { folder in
      let pem = try #require(RelayKey.generate(.es256).privateText)
      let cases: [(String, Bool)] = [
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", false),
        (pem.replacingOccurrences(of: "A", with: "B"), false), ("too short", false),
        ("", true), ("[]", true), ("{\"keys\":[]}", true), ("{\"keys\":[{\"kty\":\"RSA\"}]}", true),
        ("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}", true),
        ("{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}]}", true),
      ]
      for (text, isSet) in cases {
        try folder.write(text, to: folder.keyFile)
        var configuration = Relay.Configuration(dataDirectory: folder.path + "/data", port: 0)
        if isSet { configuration.jwksFile = folder.keyFile } else { configuration.keyFile = folder.keyFile }
        await #expect(throws: RelayError.self, "\(text)") { try await Relay.start(configuration) }
      }
      // Nothing is left open.
      try await folder.withRelay({ _ in }, { _ in })
    }
  }

  @Test func severalPEMKeysMayStandInOneFile() async throws {
    try await withKeyedFolder { folder in
      let keys = [RelayKey.generate(.es256), RelayKey.generate(.eddsa), RelayKey.generate(.es256)]
      try folder.write(keys.compactMap(\.privateText).joined(separator: "\n"), to: folder.keyFile)
      try await folder.withRelay {
        $0.keyFile = folder.keyFile
      } _: { relay in
        for key in keys { try await expectWelcome(try await token(key), by: relay) }
      }
    }
  }

  /// A token that names its key by the name it has here.
  private func signed(_ key: RelayKey) throws -> String {
    let rooms = [Claims.Room(pattern: Array("*".utf8), role: Array("edit".utf8))]
    let claims = Claims(sub: Array("ann".utf8), exp: 1_900_003_600, rooms: rooms)
    return try #require(SignedToken(payload: claims.json, by: key)).text
  }

  /// What is signed here holds by another implementation, and the other way round.
  @Test(arguments: RelayKey.Algorithm.allCases)
  func tokensAreThoseOfOtherImplementations(_ algorithm: RelayKey.Algorithm) async throws {
    struct Plain: JWTPayload, Equatable {
      var sub: String
      var exp: Double
      var rooms: [String: String]
      var jti: String?
      func verify(using algorithm: some JWTAlgorithm) async throws {}
    }
    let key = RelayKey.generate(algorithm)
    let others = JWTKeyCollection()
    switch key.material {
    case .secret(let bytes): await others.add(hmac: HMACKey(from: bytes), digestAlgorithm: .sha256)
    case .es256(_, let key): await others.add(ecdsa: try ES256PrivateKey(backing: try #require(key)))
    case .eddsa(_, let key): await others.add(eddsa: EdDSA.PrivateKey(backing: try #require(key)))
    }
    let plain = Plain(sub: "a\"\\é\u{1}", exp: 1_900_003_600, rooms: ["*": "edit", "b": "own"], jti: "7")
    let token = try RelayToken.mint(
      key: key, subject: "ann", rooms: [("*", .edit), ("b", .own)], expires: 1_900_003_600_000, id: "7")
    let read = try await others.verify(Array(token.utf8), as: Plain.self)
    #expect(read == Plain(sub: "ann", exp: plain.exp, rooms: plain.rooms, jti: plain.jti))
    let theirs = try #require(SignedToken(Array(try await others.sign(plain).utf8)))
    #expect(theirs.isSigned(by: key) && !theirs.isSigned(by: RelayKey.generate(algorithm)))
    let claims = try #require(Claims(json: theirs.payload))
    #expect(claims.sub == Array(plain.sub.utf8) && claims.jti == Array("7".utf8) && claims.rooms.count == 2)
  }

  @Test func issuerAndAudienceAreAskedForWhereConfigured() async throws {
    struct Loose: JWTPayload {
      var sub = "ann"
      var exp = 1_900_003_600.0
      var rooms = ["*": "edit"]
      var iss: String?
      var aud: [String]?
      var nbf: Double?
      func verify(using algorithm: some JWTAlgorithm) async throws {}
    }
    try await withKeyedFolder { folder in
      let key = RelayKey.generate(.eddsa)
      try folder.writeJWKS([key])
      try await folder.withRelay {
        $0.jwksFile = folder.jwksFile
        $0.issuer = "https://id.example"
        $0.audience = "ropewalk"
      } _: { relay in
        guard case .eddsa(_, let privateKey?) = key.material else { return }
        let signer = await JWTKeyCollection().add(eddsa: EdDSA.PrivateKey(backing: privateKey))
        let right = Loose(iss: "https://id.example", aud: ["other", "ropewalk"])
        let cases: [(Loose, ErrorCode?)] = [
          (right, nil), (Loose(iss: "https://id.example"), .unauthenticated),
          (Loose(aud: ["ropewalk"]), .unauthenticated),
          (Loose(iss: right.iss, aud: ["other"]), .unauthenticated),
          (Loose(iss: right.iss, aud: right.aud, nbf: 1_900_001_000), .unauthenticated),
          (Loose(iss: right.iss, aud: right.aud, nbf: 1_900_000_030), nil),
        ]
        for (claims, expected) in cases {
          let signed = try await signer.sign(claims)
          let refusal = try await Peer.refusal(signed, by: relay)
          #expect(refusal == expected, "\(claims)")
        }
      }
    }
  }
}
