import Foundation
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// The audit log, and what no log may hold.
@Suite(.timeLimit(.minutes(5))) struct AuditTests {
  @Test func whoJoinedLeftAndWasRefusedIsWrittenDown() async throws {
    try await withKeyedFolder { folder in
      let key = RelayKey.generate(.hs256)
      try await folder.withRelay {
        $0.key = key
        $0.allowedOrigins = ["https://app.example"]
      } _: { relay in
        let peer = try await Peer.greeted(by: relay, token: try await token(key, ["test": .view]))
        try await peer.join(.test)
        try await peer.say(.join(ClientMessage.Join(room: RoomName("secret")!, cursor: 0, digest: .zero)))
        _ = try await peer.hear()
        try await peer.socket.send(opcode: 8, [])
        await peer.socket.end()
        try await expectRefusal(.unauthenticated, "a.b.c", by: relay)
        let page = try await RawSocket(port: relay.port)
        #expect(try await page.upgrade(headers: ["Origin: https://evil.example"]).contains("403"))
      }
      let records = try folder.audit
      #expect(records.map(\.act) == [.started, .joined, .refused, .left, .refused, .refused, .stopped])
      #expect(records[1].subject == "ann" && records[1].room == "test" && records[1].role == "view")
      #expect(records[1].from == "127.0.0.1" && records[1].time == testMoment)
      #expect(records[2].room == "secret" && records[2].code == "forbidden")
      #expect(records[1].session == records[3].session && records[3].room == "test")
      #expect(records[4].subject == nil && records[4].code == "malformed")
      #expect(records[5].code == "origin" && records[5].from == "127.0.0.1" && records[5].time == testMoment)
    }
  }

  @Test func noTokenKeyOrContentIsInAnyLog() async throws {
    try await withKeyedFolder { folder in
      let key = RelayKey.generate(.hs256)
      let secret = try #require(key.privateText)
      try folder.write(secret, to: folder.secretFile)
      let content = "marmalade-sandwich"
      let book = LogBook()
      var tokens = [try await token(key), "nonsense.marmalade.x", try await token(RelayKey.generate(.hs256))]
      try await folder.withRelay(logger: book.logger) {
        $0.secretFile = folder.secretFile
      } _: { relay in
        let peer = try await Peer.greeted(by: relay, token: tokens[0])
        for bad in tokens.dropFirst() { _ = try await Peer.refusal(bad, by: relay) }
        let number = try await peer.join(.test).joined.number
        try await peer.say(.presence(room: number, value: Array(content.utf8)))
        let push = ClientMessage.Push(
          room: number, number: 1, header: header(0..<1, document: content), payload: Array(content.utf8))
        #expect(try await peer.push(push) == .cursor(1))
        tokens.append(try await token(key, ["test": .view]))
        try await peer.say(.token(Array(tokens[3].utf8)))
        try await peer.socket.send([0, 5, 1] + Array(content.utf8))
        _ = try await peer.farewell()
        try folder.write(secret + secret, to: folder.secretFile)
        await relay.reload()
        try folder.write("-----BEGIN \(content)", to: folder.secretFile)
        await relay.reload()
      }
      let audit = try ["", "rare/"].map {
        try String(contentsOfFile: folder.path + "/data/audit/\($0)current.jsonl", encoding: .utf8)
      }.joined()
      #expect(book.text.contains("keys") && audit.contains("reload-failed"))
      for text in [book.text, audit] {
        #expect(!text.contains(content) && !text.contains(secret))
        for part in tokens.flatMap({ $0.split(separator: ".") }) where part.count > 8 {
          #expect(!text.contains(part), "\(part.prefix(8))")
        }
      }
    }
  }

  private func record(
    _ time: UInt64, _ act: AuditRecord.Act = .joined, by subject: String? = "ann", from address: String? = nil
  ) -> AuditRecord {
    var record = AuditRecord(time: time, act: act, subject: subject, room: "r")
    record.from = address
    return record
  }

  private func read(_ path: String) throws -> (records: [AuditRecord], damaged: Int) {
    var records: [AuditRecord] = []
    let damaged = try AuditReader(dataDirectory: path).read { records.append($0) }
    return (records, damaged)
  }

  @Test func filesAreBoundedInSizeNumberAndAge() async throws {
    try await withDirectory { path in
      let folder = AuditReader.folder(of: path)
      let log = AuditLog(folder: folder, bounds: .init(fileBytes: 4096, files: 3, age: 1_000_000))
      for time in 1...1000 as ClosedRange<UInt64> {
        log.record(record(time, by: "ann\(time)"))
        if time.isMultiple(of: 20) { log.flush() }
      }
      log.close(now: 1000)
      let times = try read(path).records.map(\.time)
      #expect(times.last == 1000 && times == Array((times.first ?? 0)...1000))
      #expect(AuditReader.closedFiles(folder).count == 3 && times.count < 400)
      // Everything that is closed is old by now.
      let later = AuditLog(folder: folder, bounds: .init(fileBytes: 1 << 20, files: 3, age: 1_000_000))
      later.record(record(5_000_000))
      later.close(now: 5_000_000)
      #expect(AuditReader.closedFiles(folder).count == 1)
      #expect(try read(path).records.last?.time == 5_000_000)
    }
  }

  @Test func halfALineOfAKilledProcessHurtsNoOther() async throws {
    try await withDirectory { path in
      let log = AuditLog(folder: AuditReader.folder(of: path))
      log.record(record(1))
      log.close(now: 1)
      let file = AuditReader.folder(of: path) + "/current.jsonl"
      let handle = try #require(FileHandle(forUpdatingAtPath: file))
      try handle.seekToEnd()
      try handle.write(contentsOf: Data("{\"act\":\"joi".utf8))
      try handle.close()
      let next = AuditLog(folder: AuditReader.folder(of: path))
      next.record(record(2))
      next.close(now: 2)
      let (records, damaged) = try read(path)
      #expect(records.map(\.time) == [1, 2] && damaged == 1)
      let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
      #expect(mode == 0o600)
    }
  }

  @Test(arguments: ["", "/rare"]) func whatTheDiskDidNotTakeIsCountedAndTold(set: String) async throws {
    try await withDirectory { path in
      let (folder, book) = (AuditReader.folder(of: path), LogBook())
      let file = folder + set + "/current.jsonl"
      // Where a folder is, no file can be.
      try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: true)
      let log = AuditLog(folder: folder, logger: book.logger)
      let act: AuditRecord.Act = set.isEmpty ? .joined : .administered
      for time in 1...3 as ClosedRange<UInt64> {
        log.record(record(time, act))
        log.flush()
      }
      #expect(book.text.components(separatedBy: "The audit log cannot be written").count == 2)
      #expect(!book.text.contains("written again"))
      try FileManager.default.removeItem(atPath: file)
      log.record(record(4, act))
      log.flush()
      #expect(book.text.contains("The audit log is written again"))
      #expect(try read(path).records.map(\.count) == [3, nil])
      #expect(try read(path).records.map(\.detail) == ["the disk did not take them", nil])
      // Nor is it forgotten if nothing happens any more.
      log.close(now: 5)
      try FileManager.default.removeItem(atPath: file)
      try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: true)
      let next = AuditLog(folder: folder)
      next.record(record(6, act))
      next.flush()
      try FileManager.default.removeItem(atPath: file)
      next.close(now: 7)
      #expect(try read(path).records.map(\.count) == [1])
    }
  }

  private func dropped(_ records: [AuditRecord]) -> UInt64 {
    records.reduce(0) { $0 + ($1.act == .dropped ? $1.count ?? 0 : 0) }
  }

  @Test func aFloodOfStrangersIsCountedAndNotWritten() async throws {
    try await withDirectory { path in
      let log = AuditLog(folder: AuditReader.folder(of: path))
      // One network, whichever of its addresses; and then many.
      for number in 0..<500 {
        log.record(record(60_000, .refused, by: nil, from: "2001:db8::\(number + 1)"), isStranger: true)
      }
      for number in 0..<500 {
        log.record(record(60_000, .refused, by: nil, from: "192.0.2.\(number % 250)"), isStranger: true)
      }
      log.record(record(60_001, .revoked))
      log.record(record(180_000, .refused, by: nil, from: "2001:db8::7"), isStranger: true)
      log.close(now: 180_001)
      let records = try read(path).records
      #expect(records.count { $0.act == .refused && $0.from?.hasPrefix("2001") == true } == 61)
      #expect(records.count { $0.act == .refused } == 121)
      #expect(records.count { $0.act == .revoked } == 1)
      #expect(dropped(records) == 880)
      // The count comes before the record that is written again.
      let count = try #require(
        records.firstIndex { $0.act == .dropped && $0.from?.hasPrefix("2001") == true })
      #expect(records[count].count == 440 && records[count].code == "refused")
      #expect(records[count + 1].from == "2001:db8::7")
    }
  }

  @Test func oneSubjectPushesOutNobodyElsesRecords() async throws {
    try await withDirectory { path in
      let log = AuditLog(folder: AuditReader.folder(of: path))
      log.record(record(1, .administered, by: "own"))
      log.record(record(2, .joined, by: "ben"))
      // Who is called `anonymous` has no name, but an address.
      for number in 0..<10_000 as Range<UInt64> {
        log.record(record(3 + number, .refused, by: "mallory"))
        log.record(record(3 + number, .joined, by: "anonymous", from: "192.0.2.1"))
        log.record(record(3 + number, .revoked, by: "mallory"))
      }
      log.record(record(20_000, .administered, by: "mallory"))
      log.record(record(20_000, .joined, by: "anonymous", from: "192.0.2.2"))
      log.close(now: 20_001)
      let records = try read(path).records
      #expect(records.prefix(2).map(\.subject) == ["own", "ben"])
      for (act, count) in [(.refused, 240), (.joined, 242), (.revoked, 30), (.administered, 2)]
        as [(AuditRecord.Act, Int)]
      {
        #expect(records.count { $0.act == act } == count, "\(act)")
      }
      #expect(dropped(records) == 30_000 - 240 - 240 - 30)
      #expect(records.map(\.time) == records.map(\.time).sorted())
    }
  }

  @Test func bothSetsAreReadInTheOrderOfTime() async throws {
    try await withDirectory { path in
      let log = AuditLog(folder: AuditReader.folder(of: path), bounds: .init(fileBytes: 4096, files: 100))
      let acts: [AuditRecord.Act] = [.joined, .reloaded, .left, .left, .administered, .joined, .started]
      var expected: [String] = []
      for number in 0..<600 as Range<UInt64> {
        // Several in one millisecond.
        let act = acts[Int(number) % acts.count]
        log.record(record(number / 5 * 100_000, act, by: "\(number)"))
        expected.append("\(number)")
        if number.isMultiple(of: 50) { log.flush() }
      }
      log.close(now: 1 << 40)
      #expect(AuditReader.closedFiles(AuditReader.folder(of: path)).count > 2)
      #expect(AuditReader.closedFiles(AuditReader.rareFolder(in: AuditReader.folder(of: path))).count > 2)
      let subjects = try read(path).records.compactMap(\.subject)
      #expect(subjects == expected)
    }
  }

  /// A link where a file of the audit log should be is not followed.
  @Test func linksAreNotFollowed() async throws {
    try await withDirectory { path in
      let folder = AuditReader.folder(of: path)
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Data("precious".utf8).write(to: URL(fileURLWithPath: path + "/file"))
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/current.jsonl", withDestinationPath: path + "/file")
      let log = AuditLog(folder: folder)
      log.record(record(1))
      log.close(now: 1)
      #expect(try String(contentsOfFile: path + "/file", encoding: .utf8) == "precious")
    }
  }

  @Test func namesOfAnyKindSurviveALine() throws {
    for name in ["a\"b\\c", "é\u{2028}\u{85}", "🪢", String(repeating: "x", count: 255)] {
      let record = AuditRecord(time: 1, act: .joined, subject: name, room: name)
      #expect(record.line.utf8.allSatisfy { $0 >= 0x20 } && AuditRecord(line: record.line) == record)
      #expect(!record.line.unicodeScalars.contains("\u{2028}"))
    }
  }
}
