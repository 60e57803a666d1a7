import DamagedFiles
import Foundation
import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// Starting, stopping, and what is found in the data directory.
@Suite(.timeLimit(.minutes(5))) struct LifeTests {
  private func fill(_ relay: Relay, _ seqs: Range<UInt32>) async throws {
    let peer = try await Peer.greeted(by: relay)
    let number = try await peer.join(.test).joined.number
    for seq in seqs {
      let push = ClientMessage.Push(
        room: number, number: UInt64(seq), header: header(seq..<seq + 1), payload: [UInt8(seq)])
      guard case .cursor = try await peer.push(push) else {
        Issue.record("not acknowledged")
        return
      }
    }
  }

  private func seqs(_ relay: Relay) async throws -> [UInt32] {
    try await Peer.greeted(by: relay).join(.test).entries.map(\.header.span.seqs.lowerBound)
  }

  @Test func stoppingTellsClientsToComeBack() async throws {
    try await withDirectory { path in
      let relay = try await startRelay(path)
      let peer = try await Peer.greeted(by: relay)
      try await peer.join(.test)
      async let stopped: Void = relay.stop()
      let (error, closeCode) = try await peer.farewell()
      #expect(error?.code == .draining && closeCode == ErrorCode.draining.closeCode)
      guard case .after? = error?.retry else {
        Issue.record("no time to come back")
        return
      }
      try await peer.socket.send(opcode: 8, [0x03, 0xe8])
      await stopped
      await relay.stop()
    }
  }

  @Test func pushesThatWereSentBeforeAStopAreThereOrUnanswered() async throws {
    try await withDirectory { path in
      var relay = try await startRelay(path)
      let peer = try await Peer.greeted(by: relay)
      let number = try await peer.join(.test).joined.number
      for seq in 0..<50 as Range<UInt32> {
        try await peer.say(
          .push(
            ClientMessage.Push(room: number, number: UInt64(seq), header: header(seq..<seq + 1), payload: [1])
          ))
      }
      await relay.stop()
      var acknowledged = 0
      while let message = try? await peer.hear() {
        if case .acknowledged(_, let more) = message { acknowledged += more.count }
      }
      relay = try await startRelay(path)
      let found = try await seqs(relay)
      #expect(found.count >= acknowledged && found == Array(0..<UInt32(found.count)))
      await relay.stop()
    }
  }

  @Test func aDeletedLogIsAnEmptyOneAndAnOlderCopyIsServedAsItIs() async throws {
    try await withDirectory { path in
      var relay = try await startRelay(path)
      try await fill(relay, 0..<5)
      #expect(try await seqs(relay) == Array(0..<5))
      await relay.stop()
      // A stop that must be fast leaves the write-ahead log where it is.
      let files = ["log.sqlite", "log.sqlite-wal", "log.sqlite-shm"]
      let copy = path + "/copy-"
      for file in files { try? FileManager.default.copyItem(atPath: path + "/" + file, toPath: copy + file) }
      relay = try await startRelay(path)
      try await fill(relay, 5..<9)
      #expect(try await seqs(relay) == Array(0..<9))
      await relay.stop()
      for file in files { try? FileManager.default.removeItem(atPath: path + "/" + file) }
      relay = try await startRelay(path)
      #expect(try await seqs(relay) == [])
      try await fill(relay, 7..<9)
      await relay.stop()
      for file in files {
        try? FileManager.default.removeItem(atPath: path + "/" + file)
        try? FileManager.default.moveItem(atPath: copy + file, toPath: path + "/" + file)
      }
      relay = try await startRelay(path)
      #expect(try await seqs(relay) == Array(0..<5))
      try await fill(relay, 5..<6)
      #expect(try await seqs(relay) == Array(0..<6))
      await relay.stop()
    }
  }

  /// Where others may write, they could put links and files of their own.
  @Test(arguments: [0o777, 0o770, 0o720, 0o702, 0o1777])
  func aDirectoryInWhichOthersMayWriteIsRefused(_ mode: Int) async throws {
    try await withDirectory { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
      await #expect(throws: RelayError.dataDirectoryOpen(path: path, mode: UInt32(mode))) {
        try await startRelay(path)
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
      // One inside of it is made for the relay alone.
      await (try startRelay(path + "/relay")).stop()
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
      await (try startRelay(path)).stop()
    }
  }

  @Test func aDirectoryServesOneRelay() async throws {
    try await withDirectory { path in
      let relay = try await startRelay(path)
      await #expect(throws: RelayError.dataDirectoryInUse(path: path)) { try await startRelay(path) }
      await relay.stop()
      await (try startRelay(path)).stop()
    }
  }

  @Test func aFileThatIsNoLogIsRefused() async throws {
    try await withDirectory { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      for content in [Array("this is not a database, by far".utf8), [UInt8](repeating: 7, count: 100_000)] {
        try Data(content).write(to: URL(fileURLWithPath: path + "/log.sqlite"))
        await #expect { try await startRelay(path) } throws: { error in
          if case .logUnusable? = error as? RelayError { true } else { false }
        }
      }
    }
  }

  @Test func aDamagedLogGivesErrorsAndNeverATrap() async throws {
    try await withDirectory { path in
      var relay = try await startRelay(path)
      try await fill(relay, 0..<40)
      await relay.stop()
      let file = URL(fileURLWithPath: path + "/log.sqlite")
      let intact = try Data(contentsOf: file)
      let seed = UInt64.random(in: 0...1 << 48)
      print("damaged log: seed \(seed)")
      var random = DamageRandom(seed: seed)
      for _ in 0..<10 {
        var damaged = intact
        for _ in 0..<Int.random(in: 1...40, using: &random) {
          damaged[Int.random(in: 100..<damaged.count, using: &random)] = .random(in: 0...255, using: &random)
        }
        try damaged.write(to: file)
        try? FileManager.default.removeItem(atPath: path + "/log.sqlite-wal")
        do { relay = try await startRelay(path) } catch { continue }
        let peer = try await Peer.greeted(by: relay)
        try await peer.say(.join(ClientMessage.Join(room: .test, cursor: 0, digest: .zero)))
        reading: while true {
          switch try await peer.hear() {
          case .caughtUp, .error: break reading
          default: break
          }
        }
        await relay.stop()
      }
    }
  }

  @Test func anAddressThatIsTakenIsAnError() async throws {
    try await withRelay { relay in
      try await withDirectory { path in
        await #expect { try await startRelay(path) { $0.port = relay.port } } throws: { error in
          if case .cannotListen(_, relay.port, _)? = error as? RelayError { true } else { false }
        }
      }
    }
  }
}
