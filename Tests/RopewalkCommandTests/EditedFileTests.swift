import Foundation
import RopewalkPlainText
import RopewalkRelay
import Testing

@testable import RopewalkCommand

/// Files that people edit mean the same however they were saved, or are refused with file and line.
@Suite(.timeLimit(.minutes(3))) struct EditedFileTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  /// A file as editors save it: other line ends, a byte order mark, blanks at line ends, no newline at the end.
  private static func forms(_ text: String) -> [String] {
    let crlf = text.replacing("\n", with: "\r\n")
    let trailing = text.replacing("\n", with: " \t\n")
    var forms: [String] = []
    for form in [text, crlf, "\u{feff}" + text, "\u{feff}" + crlf, trailing] {
      forms.append(form)
      // CR LF is one `Character`.
      if form.hasSuffix("\n") || form.hasSuffix("\r\n") { forms.append(String(form.dropLast())) }
      forms.append(form + "\n\n")
    }
    return forms
  }

  private func utf16(_ text: String) -> [UInt8] {
    [0xff, 0xfe] + text.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
  }

  @Test func settingsMeanTheSameHoweverTheyWereSaved() throws {
    let text =
      "# note\n[relay]\ndata = /srv/rope\n\n[access]\nissuer = \"https://id.example\"\npublic-rooms = a=view, b=edit\n"
    func settings(_ content: [UInt8]) throws -> ServeSettings {
      try folder.write(content, to: "relay.conf")
      return try ServeSettings(
        flags: [:], environment: [:], file: try ConfigurationFile(path: folder["relay.conf"]))
    }
    let plain = try settings(Array(text.utf8))
    for form in Self.forms(text) {
      let found = try settings(Array(form.utf8))
      #expect(found.sources == plain.sources, "\(form.debugDescription)")
      #expect(found.configuration.issuer == "https://id.example")
      #expect(found.configuration.publicRooms == plain.configuration.publicRooms)
    }
    let path = folder["relay.conf"]
    let cases: [(String, String)] = [
      ("[relay]\ndata = a\rthreads = 3\n", "2: a carriage return without a line feed"),
      ("[relay]\ndata = a\u{0}b\n", "2: there is a control character, U+0000"),
      ("[relay]\ndata = \n", "2: data is the directory that holds the relay's log; it was empty"),
      ("[access]\r\nissuer =\r\n", "2: issuer is what tokens must name as iss; it was empty"),
      ("[access]\npublic-rooms = a=view,,b=view\n", "2: public-rooms is "),
      ("[network]\nallowed-origins = ,\n", "2: allowed-origins is "),
      ("[access]\nissuer = x # ours\n", "2: a comment has a line of its own; "),
      ("[access]\nissuer = \"x\n", "2: the quotes around the value of issuer do not go together"),
      ("[relay]\r\ndata = x\r\n\r\n[relay]\r\ndata = y\r\n", "5: data was set in line 2 already"),
    ]
    var contents = cases.map { (Array($0.0.utf8), $0.1) }
    contents.append((utf16(text), "1: it is UTF-16; save it as UTF-8"))
    contents.append(([0x5b, 0xff], "1: it is not UTF-8"))
    for (content, problem) in contents {
      let expected = path + ":" + problem
      #expect { try settings(content) } throws: { error in
        guard let failure = error as? Failure else { return false }
        return failure.code == .usage && failure.message.hasPrefix(expected)
      }
    }
  }

  @Test func valuesFromElsewhereHoldNoLineEnds() {
    #expect(throws: Failure(.usage, #"ROPEWALK_ISSUER is what tokens must name as iss; it was "x\u{d}""#)) {
      try ServeSettings(
        flags: [:], environment: ["ROPEWALK_DATA": "d", "ROPEWALK_ISSUER": "x\r"], file: nil)
    }
  }

  @Test func tokensAreOneWordHoweverTheyWereSaved() throws {
    for form in Self.forms("abc.def.ghi\n") {
      try folder.write(form, to: "token")
      #expect(try TokenText.read(folder["token"]) == "abc.def.ghi")
    }
    let path = folder["token"]
    for (content, problem) in [
      ("", "the token file \(path) holds no token"), ("\r\n", "the token file \(path) holds no token"),
      ("\u{feff}", "the token file \(path) holds no token"), ("a\nb\n", "\(path):2: there is a second line"),
      ("Bearer a\n", "\(path):1: a token is one word"), ("a\u{a0}", "\(path):1: the line begins or ends"),
    ] {
      try folder.write(content, to: "token")
      #expect { try TokenText.read(path) } throws: { error in
        (error as? Failure)?.message.hasPrefix(problem) == true
      }
    }
  }

  @Test func whatShouldHoldATokenAndIsEmptyIsNotTakenForNone() async throws {
    try folder.write("\n", to: "token")
    let file = try await Tool.run("sync", folder["a"], "--room", "r", "--token-file", folder["token"])
    #expect(file.status == 2 && file.problems.contains("holds no token"), "\(file)")
    let flag = try await Tool.run("sync", folder["a"], "--room", "r", "--token", "")
    #expect(flag.status == 64 && flag.problems == "ropewalk: --token holds no token\n", "\(flag)")
    for name in ["ROPEWALK_TOKEN", "ROPEWALK_RELAY", "ROPEWALK_CA_FILE"] {
      let outcome = try await Tool.run("sync", folder["a"], "--room", "r", environment: [name: ""])
      #expect(outcome.status == 64 && outcome.problems.contains("\(name) is set and empty"), "\(outcome)")
    }
  }

  @Test func keyFilesAreReadHoweverTheyWereSaved() throws {
    let path = folder["key"]
    for algorithm in RelayKey.Algorithm.allCases {
      let key = RelayKey.generate(algorithm)
      for form in Self.forms(try #require(key.privateText) + (algorithm == .hs256 ? "\n" : "")) {
        try folder.write(form, to: "key")
        let read = try algorithm == .hs256 ? RelayKey(secretFile: path) : RelayKey(file: path)
        #expect(read.privateText == key.privateText, "\(algorithm)")
      }
      try folder.write(utf16(try #require(key.privateText)), to: "key")
      #expect(throws: RelayError.self) { try RelayKey(file: path) }
      #expect(throws: RelayError.self) { try RelayKey(secretFile: path) }
    }
    let secret = try #require(RelayKey.generate(.hs256).privateText)
    let pem = try #require(RelayKey.generate(.es256).privateText)
    for content in [
      "", "\r\n", secret + "\n" + secret, secret + "\u{0}", String(pem.dropFirst()), String(pem.dropLast(3)),
      pem.replacing("BEGIN", with: "begin"),
      #"{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}"#,
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0000000000000000000000000000000000000000000 ada@example",
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==",
    ] {
      try folder.write(content, to: "key")
      #expect(throws: RelayError.self, "\(content)") { try RelayKey(file: path) }
      #expect(throws: RelayError.self, "\(content)") { try RelayKey(secretFile: path) }
    }
  }

  @Test func keySetsAreReadHoweverTheyWereSavedAndNameNothingTwice() async throws {
    let jwk = try #require(RelayKey.generate(.es256).publicJWK)
    let text = "{\n \"keys\": [\n\(jwk)\n]\n}\n"
    func check(_ content: String) async throws -> Tool.Outcome {
      try folder.write(content, to: "jwks")
      return try await Tool.run(
        "serve", "--data", folder["data"], "--jwks-file", folder["jwks"], "--check-config")
    }
    for form in Self.forms(text).prefix(9) {
      #expect(try await check(form).status == 0, "\(form.debugDescription)")
    }
    for (content, problem) in [
      ("{\"keys\": [],\r\n\"keys\": [\(jwk)]}", "line 2: a JSON object names a member twice"),
      (
        "{\"keys\": [\(jwk), {\"kty\":\"EC\",\"kid\":\"a\",\n\"kid\":\"b\"}]}",
        "line 2: a JSON object names a member twice"
      ),
      ("", "it is no JSON"), ("{\"keys\": []}", "it holds no key"),
    ] {
      let outcome = try await check(content)
      #expect(outcome.status == 2 && outcome.problems.contains(problem), "\(outcome)")
    }
  }

  @Test func aListOfRevocationsIsReadHoweverItWasSaved() throws {
    let text = "# out\n\ntoken 7f3c2a\nsubject ada\nbefore 1764014400 ben\nsubject \"e\\u{301} \"\n"
    let file = RevocationFile(path: folder["revoked"])
    try folder.write(text, to: "revoked")
    let plain = try file.read()
    #expect(plain.count == 4)
    for form in Self.forms(text) {
      try folder.write(form, to: "revoked")
      #expect(try file.read() == plain, "\(form.debugDescription)")
      #expect(try !file.add(.subject("ada")) && file.add(.subject("cleo")) && file.remove(.subject("ada")))
      #expect(try file.read().count == 4)
      let written = try #require(folder.text("revoked"))
      #expect(written.hasPrefix("# out") && written.contains("before 1764014400 ben"))
      #expect(!written.utf8.contains(0x0d) && !written.utf8.contains(0xef))
    }
    let path = folder["revoked"]
    for (content, line) in [
      ("subject ada\rsubject ben\n", 1), ("token a\nsubject ada\u{0}\n", 2), ("token a\n\nnonsense", 3),
      ("token a\nsubject ada\u{a0}\n", 2), ("subject \"a", 1), ("", nil), ("\r\n", nil),
      ("\u{feff}\n \n", nil),
    ] as [(String, Int?)] {
      try folder.write(content, to: "revoked")
      for attempt in [{ _ = try file.read() }, { _ = try file.add(.token("x")) }] {
        #expect { try attempt() } throws: { error in
          if case .revocationFileDamaged(path, line, _)? = error as? RelayError { true } else { false }
        }
      }
      #expect(folder.text("revoked") == content)
    }
  }
}
