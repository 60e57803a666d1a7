import Foundation
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// What changes while people are connected: roles, revocations; and what is open to all.
@Suite(.timeLimit(.minutes(5))) struct PermissionTests {
  private let key = RelayKey.generate(.hs256)

  private func push(_ number: RoomNumber, _ seq: UInt32, payload: [UInt8] = [1]) -> ClientMessage.Push {
    ClientMessage.Push(room: number, number: UInt64(seq), header: header(seq..<seq + 1), payload: payload)
  }

  @Test func aTokenOfLessRightsCutsPushesAtOnce() async throws {
    try await withKeyedFolder { folder in
      try await folder.withRelay {
        $0.key = key
      } _: { relay in
        let peer = try await Peer.greeted(by: relay, token: try await token(key, ["*": .edit]))
        let number = try await peer.join(.test).joined.number
        #expect(try await peer.push(push(number, 0)) == .cursor(1))
        try await peer.say(.token(Array((try await token(key, ["test": .view])).utf8)))
        while case let message = try await peer.hear() {
          if message == .role(room: number, .view) { break }
        }
        #expect(try await peer.push(push(number, 1)) == .refusal(.forbidden))
        try await peer.say(.token(Array((try await token(key, ["other": .edit])).utf8)))
        while case let message = try await peer.hear() {
          guard case .error(.test, let error) = message else { continue }
          #expect(error.code == .forbidden)
          break
        }
      }
      #expect(try folder.audit.map(\.act) == [.started, .joined, .left, .stopped])
    }
  }

  @Test func whoSetsWhatMayBeForgottenIsInTheAuditLog() async throws {
    try await withKeyedFolder { folder in
      try await folder.withRelay {
        $0.key = key
      } _: { relay in
        let peer = try await Peer.greeted(by: relay, token: try await token(key, ["*": .own]))
        let number = try await peer.join(.test).joined.number
        for retention in [nil, .days(30), .everything] as [Retention?] {
          try await peer.say(.retention(room: number, retention))
          while true { if case .retention = try await peer.hear() { break } }
        }
      }
      let records = try folder.audit.filter { $0.act == .administered }
      #expect(records.map(\.detail) == ["retention 30 days", "retention everything"])
      #expect(records.allSatisfy { $0.room == "test" && $0.subject == "ann" && $0.session != nil })
    }
  }

  @Test func aTokenOfAnotherSubjectEndsTheConnection() async throws {
    try await withKeyedFolder { folder in
      try await folder.withRelay {
        $0.key = key
      } _: { relay in
        let peer = try await Peer.greeted(by: relay, token: try await token(key))
        try await peer.say(.token(Array((try await token(key, subject: "ben")).utf8)))
        #expect(try await peer.farewell().error?.code == .forbidden)
      }
      let refused = try folder.audit.filter { $0.act == .refused }
      #expect(refused.map(\.subject) == ["ann"] && refused.map(\.code) == ["forbidden"])
    }
  }

  @Test func revocationCutsOffAtOnceAndKeepsOut() async throws {
    try await withKeyedFolder { folder in
      let old = try await token(key, subject: "ann", id: "a1", issued: testMoment - 1000)
      let new = try await token(key, subject: "ann", id: "a2", issued: testMoment + 1000)
      let ben = try await token(key, subject: "ben", id: "b1")
      let cases: [(Revocations.Entry, [String], [String])] = [
        (.token("a1"), [old], [new, ben]), (.subject("ann"), [old, new], [ben]),
        (.before(testMoment / 1000, subject: "ann"), [old], [new, ben]),
        (.before(testMoment / 1000, subject: "ben"), [ben], [old, new]),
      ]
      for (entry, out, stays) in cases {
        let file = RevocationFile(path: folder.path + "/revoked")
        try await folder.withRelay {
          $0.key = key
          $0.revocationFile = folder.path + "/none"
          $0.revocationFile = nil
        } _: { relay in
          let own = RevocationFile(dataDirectory: folder.path + "/data")
          var leaving: [Peer] = []
          var staying: [Peer] = []
          for token in out { leaving.append(try await Peer.greeted(by: relay, token: token)) }
          for token in stays { staying.append(try await Peer.greeted(by: relay, token: token)) }
          #expect(try own.add(entry))
          #expect(try !own.add(entry))
          await relay.reload()
          for peer in leaving {
            let (error, closeCode) = try await peer.farewell()
            #expect(error?.code == .revoked && closeCode == 4010)
          }
          for token in out { try await expectRefusal(.revoked, token, by: relay) }
          for peer in staying {
            try await peer.say(.ping(7))
            #expect(try await peer.hear() == .pong(7))
          }
          #expect(try own.remove(entry))
          await relay.reload()
          for token in out { try await expectWelcome(token, by: relay) }
        }
        #expect(try file.read() == Revocations())
      }
      #expect(
        try folder.audit.contains { $0.act == .revoked && $0.subject == "ann" && $0.from == "127.0.0.1" })
    }
  }

  /// Every name that a token may have can be written down, and takes back that token and no other.
  @Test func whateverATokenIsCalledItCanBeRevoked() async throws {
    try await withKeyedFolder { folder in
      let names = [
        " ann", "ann ", "  ", "\"ann\"", "a  b", "\u{301}ann", "\u{20dd}", "caf\u{e9}", "cafe\u{301}",
        "a\u{200b}b", "\u{feff}",
        "#ann", "*", "\u{a0}ann", "\u{3000}", "ann\\", "\\u{61}", "-ann", "before 1 ann",
        String(repeating: "é", count: 127),
      ]
      try await folder.withRelay {
        $0.key = key
      } _: { relay in
        let file = RevocationFile(dataDirectory: folder.path + "/data")
        var tokens: [String] = []
        for (number, name) in names.enumerated() {
          tokens.append(
            try await token(key, subject: name, id: number.isMultiple(of: 2) ? name : "\u{1b}\n\(number)"))
        }
        for (number, name) in names.enumerated() {
          let entries: [Revocations.Entry] = [
            .subject(name), .before(testMoment / 1000, subject: name),
            .token(number.isMultiple(of: 2) ? name : "\u{1b}\n\(number)"),
          ]
          for entry in entries {
            #expect(try file.add(entry))
            #expect(try !file.add(entry))
            #expect(entry.line.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f })
            await relay.reload()
            for other in [number, (number + 1) % names.count] {
              let refusal = try await Peer.refusal(tokens[other], by: relay)
              #expect(refusal == (other == number ? .revoked : nil), "\(name) \(names[other])")
            }
            #expect(try file.remove(entry))
          }
        }
      }
    }
  }

  @Test func aLinkBesideTheListIsNotFollowed() async throws {
    try await withKeyedFolder { folder in
      let precious = folder.path + "/precious"
      try folder.write("precious", to: precious)
      let path = folder.path + "/revoked"
      for suffix in ["", ".new", ".lock"] {
        for old in [path, path + ".lock"] { try? FileManager.default.removeItem(atPath: old) }
        try FileManager.default.createSymbolicLink(atPath: path + suffix, withDestinationPath: precious)
        let file = RevocationFile(path: path)
        if suffix == "" {
          // The list itself may be elsewhere; what it says there is no list.
          #expect(throws: RelayError.self) { try file.add(.subject("ann")) }
        } else if suffix == ".lock" {
          #expect(throws: RelayError.revocationFileUnusable(path: path)) { try file.add(.subject("ann")) }
        } else {
          #expect(try file.add(.subject("ann")))
        }
        #expect(try String(contentsOfFile: precious, encoding: .utf8) == "precious")
        try FileManager.default.removeItem(atPath: path + suffix)
      }
      // Nothing is left beside it, and whoever could read it still can.
      try folder.write("# none\n", to: path)
      try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
      #expect(try RevocationFile(path: path).add(.subject("ann")))
      let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
      #expect(mode == 0o644)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
        $0.hasPrefix("revoked")
      }
      #expect(names.sorted() == ["revoked", "revoked.lock"])
    }
  }

  @Test func filesThatOthersMayReadOrWriteAreTold() async throws {
    try await withKeyedFolder { folder in
      let secret = RelayKey.generate(.hs256)
      try folder.write(try #require(secret.privateText), to: folder.secretFile)
      try folder.writeJWKS([RelayKey.generate(.es256)])
      try folder.write("# none\n", to: folder.path + "/revoked")
      let modes: [(file: String, mode: Int, word: String?)] = [
        (folder.secretFile, 0o640, nil), (folder.secretFile, 0o644, "read"),
        (folder.secretFile, 0o620, "write"),
        (folder.jwksFile, 0o644, nil), (folder.jwksFile, 0o664, "write"),
        (folder.path + "/revoked", 0o644, nil),
        (folder.path + "/revoked", 0o646, "write"),
      ]
      for (file, mode, word) in modes {
        let files = [folder.secretFile, folder.jwksFile, folder.path + "/revoked"]
        for each in files {
          try FileManager.default.setAttributes(
            [.posixPermissions: each == file ? mode : 0o600], ofItemAtPath: each)
        }
        let book = LogBook()
        try await folder.withRelay(logger: book.logger) {
          $0.secretFile = folder.secretFile
          $0.jwksFile = folder.jwksFile
          $0.revocationFile = folder.path + "/revoked"
        } _: { _ in
        }
        #expect(book.text.contains("warning") == (word != nil), "\(mode) \(book.text)")
        if let word { #expect(book.text.contains("may \(word) \(file)"), "\(book.text)") }
      }
    }
  }

  /// No room's name can be mistaken for a prefix.
  @Test func aRoomThatLooksLikeAPrefixIsNone() async throws {
    try await withKeyedFolder { folder in
      try await folder.withRelay {
        $0.key = key
      } _: { relay in
        let peer = try await Peer.greeted(by: relay, token: try await token(key, ["team/*": .edit]))
        // As bytes: nothing here would make such a name.
        let join = ClientMessage.join(
          ClientMessage.Join(room: RoomName("team/+")!, cursor: 0, digest: .zero)
        ).encoded
        let name = Array("team/+".utf8)
        let place = try #require(join.indices.first { join[$0...].starts(with: name) })
        var bytes = join
        bytes[place + 5] = 0x2a
        try await peer.socket.send(Envelope.plain(bytes))
        #expect(try await peer.farewell().error?.code == .protocolViolation)
      }
      for pattern in ["a**\n", "\u{202e}*", "", "a\u{85}"] {
        #expect(throws: RelayError.self) {
          try RelayToken.mint(key: key, subject: "ann", rooms: [(pattern, .view)], expires: testMoment)
        }
      }
    }
  }

  @Test func aBrokenRevocationFileKeepsWhatWasRevoked() async throws {
    try await withKeyedFolder { folder in
      let file = folder.path + "/revoked"
      try folder.write("# out\nsubject ann\n\n", to: file)
      try await folder.withRelay {
        $0.key = key
        $0.revocationFile = file
      } _: { relay in
        for text in ["subject\n", "token a\nbefore x ann\n", "nonsense", nil] {
          if let text {
            try folder.write(text, to: file)
          } else {
            try FileManager.default.removeItem(atPath: file)
          }
          await relay.reload()
          try await expectRefusal(.revoked, try await token(key), by: relay)
        }
        #expect(throws: RelayError.revocationFileUnusable(path: file)) {
          try RevocationFile(path: file).read(mustExist: true)
        }
      }
      try folder.write("subject ann\nbefore x ann\n", to: file)
      let reason = "not 'token ID', 'subject NAME' or 'before SECONDS NAME'"
      #expect(throws: RelayError.revocationFileDamaged(path: file, line: 2, reason: reason)) {
        try RevocationFile(path: file).read()
      }
    }
  }

  @Test func publicRoomsAreForEverybodyAndOthersAreNot() async throws {
    try await withKeyedFolder { folder in
      try await folder.withRelay {
        $0.key = key
        $0.publicRooms = [
          .init(pattern: "lobby/*", role: .view), .init(pattern: "lobby/pad", role: .edit),
        ]
      } _: { relay in
        let nobody = try await Peer.greeted(by: relay)
        let somebody = try await Peer.greeted(by: relay, token: try await token(key, ["lobby/pad": .view]))
        for peer in [nobody, somebody] {
          #expect(try await peer.join(RoomName("lobby/pad")!).joined.role == .edit)
          let lounge = try await peer.join(RoomName("lobby/lounge")!).joined
          #expect(lounge.role == .view)
          #expect(try await peer.push(push(lounge.number, 0)) == .refusal(.forbidden))
          try await peer.say(.join(ClientMessage.Join(room: .test, cursor: 0, digest: .zero)))
          guard case .error(.test, let error) = try await peer.hear() else {
            Issue.record("a private room was entered")
            return
          }
          #expect(error.code == .forbidden)
        }
        try await expectRefusal(.unauthenticated, "nonsense", by: relay)
      }
    }
    for role in [Role.run, .own] {
      var configuration = Relay.Configuration(dataDirectory: "unused")
      configuration.publicRooms = [.init(pattern: "a", role: role)]
      #expect(throws: RelayError.self) { try configuration.validate() }
    }
  }

  @Test func theSubjectOfAnEntryIsTheRelaysWordAndItsBytesStay() async throws {
    try await withKeyedFolder { folder in
      try await folder.withRelay {
        $0.key = key
      } _: { relay in
        let ann = try await Peer.greeted(by: relay, token: try await token(key, subject: "ann"))
        let ben = try await Peer.greeted(by: relay, token: try await token(key, subject: "ben"))
        let number = try await ann.join(.test).joined.number
        try await ben.join(.test)
        #expect(try await ann.push(push(number, 0, payload: [1, 2])) == .cursor(1))
        #expect(try await ben.push(push(number, 0, payload: [9, 9])) == .refusal(.idClash(at: 1)))
        var repeated = push(number, 0, payload: [1, 2])
        repeated.refusalsSeen = 1
        #expect(try await ben.push(repeated) == .cursor(1))
        let reader = try await Peer.greeted(by: relay, token: try await token(key))
        let entries = try await reader.join(.test).entries
        #expect(entries.map(\.payload) == [[1, 2]] && entries.map(\.subject) == [Array("ann".utf8)])
      }
    }
  }

  @Test func onlyOneMessageMayComeBeforeTheWelcome() async throws {
    try await withKeyedFolder { folder in
      try await folder.withRelay {
        $0.key = key
      } _: { relay in
        let peer = try await Peer.connect(to: relay)
        let hello = ClientMessage.hello(
          ClientMessage.Hello(codecs: [], token: Array((try await token(key)).utf8)))
        let frame = RawSocket.frame(opcode: 2, Envelope.plain(hello.encoded))
        try await peer.socket.send(raw: frame + frame)
        #expect(try await peer.farewell().error?.code == .protocolViolation)
      }
    }
  }

  @Test func originsAreComparedWhole() throws {
    let origins = try Origins(["https://app.example", "https://*.wide.example:8443", "loopback"])
    for origin in [nil, "https://app.example", "HTTPS://APP.example", "https://a.b.wide.example:8443"]
      + ["http://localhost:3000"]
    { #expect(origins.admit(origin), "\(origin ?? "-")") }
    for origin in [
      "http://app.example", "https://app.example.evil", "https://app.example:444", "null", "",
      "https://wide.example:8443", "https://.wide.example", "https://evil/.wide.example:8443",
      "https://localhost.evil",
    ] { #expect(!origins.admit(origin), "\(origin)") }
    #expect(try Origins(["*"]).admit("https://anywhere"))
  }

  /// Else nobody would be let in, and nobody would know why.
  @Test func whatNoBrowserSendsAsAnOriginIsRefusedWithItsReason() throws {
    let cases = [
      ("", "it is empty"), ("example.org", "http:// or https://"), ("ftp://a", "http:// or https://"),
      ("null", "http:// or https://"), ("https://", "no host"), ("https://:8443", "no host"),
      ("https://*.", "no host"), ("https://a/", "no path"), ("https://a/b", "no path"),
      ("https://a?b", "no query"),
      ("https://a#b", "no fragment"), ("https://me@a", "no user"), (" https://a", "a blank"),
      ("https://a b", "a blank"), ("https://a\u{a0}b", "xn--"), ("https://b\u{fc}cher.example", "xn--"),
      ("https://a*", "only before a domain"), ("https://*", "only before a domain"),
      ("https://*.a.*", "only before a domain"), ("https://a.*.b", "only before a domain"),
      ("https://a,b", "its host holds a character"), ("https://a%20b", "its host holds a character"),
      ("https://a..b", "empty"),
      ("https://.a", "empty"), ("https://a:", "its port is not a number"),
      ("https://a:0", "its port is not a number"),
      ("https://a:08443", "its port is not a number"), ("https://a:+1", "its port is not a number"),
      ("https://a:65536", "its port is not a number"),
      ("https://a:x", "its port is not a number"), ("https://a:1:2", "in brackets"),
      ("https://a:443", "leave :443 out"),
      ("http://a:80", "leave :80 out"), ("http://*.a:80", "leave :80 out"), ("http://::1", "in brackets"),
      ("http://[::1", "in brackets"), ("http://[a]", "in brackets"), ("http://[0:0::1]", "[::1]"),
      ("http://127.1", "IPv4"), ("http://0x7f.0x1", "IPv4"), ("http://1.2.3.256", "IPv4"),
      ("http://*.1.2.3.4", "no hosts under it"),
    ]
    for (wrong, reason) in cases {
      do throws(RelayError) {
        _ = try Origins([wrong])
        Issue.record("\(wrong) was taken")
      } catch {
        #expect("\(error)".contains("(allowed-origins)") && "\(error)".contains(reason), "\(wrong): \(error)")
        #expect("\(error)".contains("'\(wrong)'") || wrong.contains("\u{a0}"), "\(error)")
      }
    }
    for (right, origin) in [
      ("https://App.Example", "https://app.example"), ("http://app.example:443", "http://app.example:443"),
      ("https://*.example:8443", "https://a.b.example:8443"),
      ("http://10.0.0.1:3000", "http://10.0.0.1:3000"),
      ("http://[2001:DB8::1]:3000", "http://[2001:db8::1]:3000"), ("https://xn--bcher-kva.example", nil),
      ("https://my_app.example", nil), ("https://app.example.", nil), ("https://1app", nil),
    ] { #expect(try Origins([right]).admit(origin ?? right), "\(right)") }
  }

  @Test func comparisonTakesAllBytes() {
    #expect(ConstantTime.areEqual([], []) && ConstantTime.areEqual([1, 2], [1, 2]))
    for other in [[], [1], [1, 3], [2, 2], [1, 2, 3]] as [[UInt8]] {
      #expect(!ConstantTime.areEqual([1, 2], other))
    }
  }
}
