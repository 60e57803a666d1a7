import Foundation
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// A secret is what is declared as one, and nothing that others have.
@Suite(.timeLimit(.minutes(5))) struct SecretTests {
  private static let keys = [RelayKey.generate(.es256), RelayKey.generate(.eddsa)]

  private func reason(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch let error as RelayError { return error.description } catch { return nil }
  }

  @Test(arguments: keys) func noFormOfAPublicKeyIsASecret(_ key: RelayKey) async throws {
    try await withKeyedFolder { folder in
      for file in try PublicFile.all(of: key) {
        try Data(file.content).write(to: URL(fileURLWithPath: folder.secretFile))
        #expect(KeyForm(file.content) == file.form, "\(file.name)")
        let read = reason { _ = try RelayKey(secretFile: folder.secretFile) }
        let expected = "it is \(file.form.name), not a secret"
        #expect(read?.contains(expected) == true, "\(file.name): \(read ?? "taken")")
        #expect(read?.contains("'ropewalk keys new --algorithm HS256 --out FILE' makes one") == true)
        let taken = reason { _ = try RelayKey(file.content) }
        #expect(taken?.contains("it is \(file.form.name)") == true, "\(file.name): \(taken ?? "taken")")
      }
      var configuration = Relay.Configuration(dataDirectory: folder.path + "/data", port: 0)
      configuration.secretFile = folder.secretFile
      await #expect(throws: RelayError.self) { try await Relay.start(configuration) }
    }
  }

  /// Whoever has a relay's public file signs with its bytes, in every way that a relay could have read them.
  @Test(arguments: keys) func aPublicFileSignsNoToken(_ key: RelayKey) async throws {
    let places: [(KeyForm.Place, WritableKeyPath<Relay.Configuration, String?>)] = [
      (.keyFile, \.keyFile), (.keySet, \.jwksFile), (.secret, \.secretFile),
    ]
    try await withKeyedFolder { folder in
      var started: [String] = []
      let isWhole = key.algorithm == .es256
      let short = ["PEM", "PEM in UTF-16 LE", "DER", "base64url of DER", "SSH", "a key set"]
      for file in try PublicFile.all(of: key) where isWhole || short.contains(file.name) {
        try Data(file.content).write(to: URL(fileURLWithPath: folder.keyFile))
        for (place, path) in places {
          var configuration = Relay.Configuration(dataDirectory: folder.path + "/check")
          configuration[keyPath: path] = folder.keyFile
          do throws(RelayError) { try await Relay.check(configuration) } catch {
            // What is not read is called by its name.
            #expect("\(error)".contains("it is \(file.form.name)"), "\(file.name): \(error)")
            continue
          }
          started.append("\(file.name) as \(place)")
          try await folder.withRelay {
            $0[keyPath: path] = folder.keyFile
          } _: { relay in
            try await expectWelcome(try await token(key, ["*": .own]), by: relay)
            for secret in Self.guesses(file.content) {
              let forged = RelayKey(.secret(secret), id: place == .keySet ? key.id : nil)
              try await expectRefusal(.unauthenticated, try await token(forged, ["*": .own]), by: relay)
            }
          }
        }
      }
      #expect(
        started
          == [
            "PEM as keyFile", "PEM with CRLF as keyFile", "PEM with a byte order mark as keyFile",
            "PEM with a comment as keyFile", "a key set as keySet",
            "a key set with a byte order mark and CRLF as keySet",
          ].filter { isWhole || ["PEM as keyFile", "a key set as keySet"].contains($0) })
    }
  }

  private static func guesses(_ content: [UInt8]) -> Set<[UInt8]> {
    let text = String(decoding: content, as: UTF8.self)
    let lines = text.split(whereSeparator: \.isNewline).map(String.init)
    let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
    let bodies = [text, trimmed, text.replacing("\r\n", with: "\n")]
    let joined = lines.filter { !$0.hasPrefix("-") }.joined()
    let decoded = (lines + [joined]).compactMap { Data(base64Encoded: $0) }
    return Set([content] + (bodies + lines).map { Array($0.utf8) } + decoded.map { [UInt8]($0) })
  }

  @Test func aSecretIsOneLineOfBase64URLOfRandomBytes() async throws {
    try await withKeyedFolder { folder in
      let key = RelayKey.generate(.hs256)
      let text = try #require(key.privateText)
      #expect(text.utf8.count == 43)
      for form in [text, text + "\n", " \(text)\t\r\n\r\n", "\u{feff}\(text)\r\n"] {
        try folder.write(form, to: folder.secretFile)
        let read = try RelayKey(secretFile: folder.secretFile)
        #expect(read.fingerprint == key.fingerprint, "\(form.debugDescription)")
      }
      let hexadecimal = (0..<32).map { _ in String(UInt8.random(in: 16 ... .max), radix: 16) }.joined()
      let random = (0..<33).map { _ in UInt8.random(in: .min ... .max) }
      func encoded(_ bytes: some Sequence<UInt8>) -> String { Base64URL.encode(bytes) }
      let cases: [(String, String)] = [
        ("", "there is nothing in it"), ("\n\n", "there is nothing in it"),
        ("\(text)\n\(text)", "line 2: there is a second line"), ("\(text)\u{0}", "one line of base64url"),
        (text + "=", "it is base64 with +, / or ="),
        (text + "/+", "it is base64 with +, / or ="), (text + "!", "it is not base64url"),
        ("correct horse battery staple, correct horse battery staple", "it is not base64url"),
        ("correct-horse-battery-staple-correct-horse-battery", "it is words"),
        ("CORRECT_HORSE_BATTERY_STAPLE_CORRECT_HORSE_BATTERY", "it is words"),
        (hexadecimal, "it is hexadecimal"), (hexadecimal.uppercased(), "it is hexadecimal"),
        ("Passw0rd", "it has 6 bytes after decoding; a secret has from 32 to 1024"),
        (encoded(random.prefix(31)), "it has 31 bytes after decoding"),
        (
          encoded((0..<1025).map { _ in UInt8.random(in: .min ... .max) }), "it has 1025 bytes after decoding"
        ),
        (text + "AA", "its end is not one of base64url"),
        (String(text.dropLast()) + "_", "its end is not one of base64url"),
        (encoded([UInt8](repeating: 0, count: 32)), "it has fewer than 8 different characters"),
        (encoded([UInt8](repeating: 0xc7, count: 64)), "it has fewer than 8 different characters"),
        (
          encoded((0..<40).map { [1, 200, 77, 250, 13, 99, 160][$0 * $0 % 7] }),
          "it has fewer than 8 different bytes"
        ),
        (encoded("0123456789abcdef0123456789abcdef".utf8), "it repeats itself"),
        (encoded((0..<32).map { UInt8($0) }), "its bytes count up or down"),
      ]
      for (content, problem) in cases {
        try folder.write(content, to: folder.secretFile)
        let found = reason { _ = try RelayKey(secretFile: folder.secretFile) }
        #expect(found?.contains(problem) == true, "\(content.debugDescription): \(found ?? "taken")")
        #expect(found?.contains("HS256 --out FILE' makes one") == true)
        #expect(content.utf8.count < 8 || found?.contains(content) == false)
      }
      // Text of another service's making, once it is encoded.
      try folder.write(encoded("correct horse battery staple, and a half".utf8), to: folder.secretFile)
      #expect(try RelayKey(secretFile: folder.secretFile).algorithm == .hs256)
      for _ in 0..<300 {
        let text = try #require(RelayKey.generate(.hs256).privateText)
        #expect(throws: Never.self) { try SecretText.bytes(in: Array(text.utf8), of: "s") }
      }
    }
  }

  @Test func aSecretIsNotInAKeyFileOrASet() async throws {
    try await withKeyedFolder { folder in
      let text = try #require(RelayKey.generate(.hs256).privateText)
      try folder.write(text, to: folder.keyFile)
      #expect(reason { _ = try RelayKey(file: folder.keyFile) }?.contains("belongs into secret-file") == true)
      let readable = try #require(Self.keys[0].publicJWK)
      for fields in ["", #","use":"sig""#, #","alg":"HS256""#, #","key_ops":["sign","verify"]"#] {
        let entry = #"{"kty":"oct","k":"\#(text)"\#(fields)}"#
        try folder.write(#"{"keys":[\#(readable),\#(entry)]}"#, to: folder.jwksFile)
        let found = reason { _ = try RelayKey.all(inJWKSFile: folder.jwksFile) }
        let expected = "key 2 is a secret (kty oct), and a set is public"
        #expect(found?.contains(expected) == true, "\(found ?? "taken")")
      }
    }
  }

  /// Whoever publishes the file they sign with lets everybody sign.
  @Test func aPrivateKeyIsNotInASet() async throws {
    try await withKeyedFolder { folder in
      for key in Self.keys {
        guard let readable = key.publicJWK else { continue }
        for fields in [#","d":"AAAA""#, #","d":5"#] {
          try folder.write(#"{"keys":[\#(readable.dropLast())\#(fields)}]}"#, to: folder.jwksFile)
          let found = reason { _ = try RelayKey.all(inJWKSFile: folder.jwksFile) }
          #expect(found?.contains("key 1 is private (it has d)") == true, "\(found ?? "taken")")
        }
        try folder.write(#"{"keys":[\#(readable.dropLast()),"d":null}]}"#, to: folder.jwksFile)
        #expect(try RelayKey.all(inJWKSFile: folder.jwksFile).count == 1)
      }
    }
  }

  /// The attack on keys for encryption: who shares one signs with it.
  @Test func keysOfASetThatAreNotForSignaturesAreNotTaken() async throws {
    let (good, other) = (Self.keys[0], Self.keys[1])
    let secret = RelayKey.generate(.hs256)
    let text = try #require(secret.privateText)
    let fields = [
      #""use":"enc""#, #""use":"Sig""#, #""use":["sig"]"#, #""use":"""#, #""key_ops":["encrypt","decrypt"]"#,
      #""key_ops":["sign"]"#, #""key_ops":[]"#, #""key_ops":"verify""#,
      #""key_ops":["deriveKey"],"use":"sig""#,
      #""key_ops":["verify"],"use":"enc""#,
    ]
    let jwk = try #require(other.publicJWK).replacing(#","use":"sig""#, with: "")
    var entries: [String] = []
    for field in fields {
      entries.append(#"{"kty":"oct","k":"\#(text)",\#(field)}"#)
      let named = String(jwk.dropLast()).replacing(#""kid":""#, with: #""kid":"\#(entries.count)"#)
      entries.append("\(named),\(field)}")
    }
    for algorithm in ["A256KW", "A256GCM", "dir", "HS512"] {
      entries.append(#"{"kty":"oct","k":"\#(text)","alg":"\#(algorithm)"}"#)
    }
    try await withKeyedFolder { folder in
      let all = entries.joined(separator: ",")
      try folder.write(#"{"keys":[\#(all)]}"#, to: folder.jwksFile)
      let none = reason { _ = try RelayKey.all(inJWKSFile: folder.jwksFile) }
      #expect(none?.contains("it holds no key that checks") == true, "\(none ?? "taken")")
      try folder.write(#"{"keys":[\#(all),\#(try #require(good.publicJWK))]}"#, to: folder.jwksFile)
      try await folder.withRelay {
        $0.jwksFile = folder.jwksFile
      } _: { relay in
        try await expectWelcome(try await token(good), by: relay)
        for key in [secret, RelayKey(.secret(Array(text.utf8))), RelayKey(other.material)] {
          try await expectRefusal(.unauthenticated, try await token(key), by: relay)
        }
      }
      let allowed = String(jwk.dropLast()) + #","use":null,"key_ops":["sign","verify"]}"#
      try folder.write(#"{"keys":[\#(allowed)]}"#, to: folder.jwksFile)
      #expect(try RelayKey.all(inJWKSFile: folder.jwksFile).map(\.fingerprint) == [other.fingerprint])
    }
  }

  /// A number of a public key is as good as 32 random bytes to look at, and known to all.
  @Test func noPartOfTheRelaysPublicKeysIsItsSecret() async throws {
    for key in Self.keys {
      try await withKeyedFolder { folder in
        try folder.writeJWKS([key])
        let fields = try JSONDecoder().decode(
          [String: String].self, from: Data(try #require(key.publicJWK).utf8))
        for name in ["x", "y", "kid"] {
          guard let text = fields[name] else { continue }
          try folder.write(text, to: folder.secretFile)
          var configuration = Relay.Configuration(dataDirectory: folder.path + "/data")
          (configuration.jwksFile, configuration.secretFile) = (folder.jwksFile, folder.secretFile)
          let problem = RelayError.keyFileDamaged(
            path: folder.secretFile, reason: "a public key of this relay gives it away")
          await #expect(throws: problem, "\(name)") { try await Relay.check(configuration) }
          configuration.key = try RelayKey(secretFile: folder.secretFile)
          configuration.secretFile = nil
          await #expect(throws: RelayError.self, "\(name)") { try await Relay.check(configuration) }
        }
      }
    }
  }

  @Test func aSecretThatIsReplacedByAPublicFileStaysInForceAndIsNotReplaced() async throws {
    try await withKeyedFolder { folder in
      let (secret, key) = (RelayKey.generate(.hs256), Self.keys[0])
      try folder.write(try #require(secret.privateText), to: folder.secretFile)
      let book = LogBook()
      try await folder.withRelay(logger: book.logger) {
        $0.secretFile = folder.secretFile
      } _: { relay in
        for file in try PublicFile.all(of: key) {
          try Data(file.content).write(to: URL(fileURLWithPath: folder.secretFile), options: .atomic)
          await relay.reload()
          let forged = RelayKey(.secret(file.content))
          try await expectRefusal(.unauthenticated, try await token(forged, ["*": .own]), by: relay)
        }
        try await expectWelcome(try await token(secret), by: relay)
        #expect(book.text.contains("the old ones stay in force"))
        let next = RelayKey.generate(.hs256)
        try folder.write(try #require(next.privateText), to: folder.secretFile)
        await relay.reload()
        try await expectWelcome(try await token(next), by: relay)
        try await expectRefusal(.unauthenticated, try await token(secret), by: relay)
      }
    }
  }
}
