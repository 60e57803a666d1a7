import Foundation
import GRDB
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// Checking, copying and shrinking a data directory.
@Suite(.timeLimit(.minutes(5))) struct StoreTests {
  private func push(_ range: Range<UInt32>, to peer: Peer, _ number: RoomNumber) async throws {
    for index in range {
      let push = ClientMessage.Push(
        room: number, number: UInt64(index), header: header(index..<index + 1),
        payload: Array("entry number \(index)".utf8))
      #expect(try await peer.push(push) == .cursor(UInt64(index) + 1))
    }
  }

  private func change(_ path: String, _ sql: String) throws {
    let queue = try DatabaseQueue(path: path + "/log.sqlite")
    try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
    try queue.close()
  }

  @Test func nobodyElseOnTheMachineCanReadALogOrItsCopy() async throws {
    try await withDirectory { path in
      let relay = try await startRelay(path + "/data")
      let peer = try await Peer.greeted(by: relay)
      _ = try await peer.join(.test)
      _ = try RelayStore(directory: path + "/data").backup(to: path + "/copy")
      for name in ["data/log.sqlite", "data/log.sqlite-wal", "data/log.sqlite-shm", "copy/log.sqlite"] {
        let mode = try FileManager.default.attributesOfItem(atPath: path + "/" + name)[.posixPermissions]
        #expect(mode as? Int == 0o600, "\(name)")
      }
      for name in ["data", "copy"] {
        let mode = try FileManager.default.attributesOfItem(atPath: path + "/" + name)[.posixPermissions]
        #expect(mode as? Int == 0o700, "\(name)")
      }
      await relay.stop()
    }
  }

  @Test func aDirectoryWithoutALogIsNotMadeIntoOne() async throws {
    try await withDirectory { path in
      let store = RelayStore(directory: path + "/nowhere")
      #expect(throws: RelayStore.Failure.noLog(path: path + "/nowhere/log.sqlite")) { try store.compact() }
      #expect(!FileManager.default.fileExists(atPath: path + "/nowhere"))
    }
  }

  @Test func aCopyMadeWhileTheRelayRunsIsALogOfItsOwn() async throws {
    try await withDirectory { path in
      let relay = try await startRelay(path)
      let peer = try await Peer.greeted(by: relay)
      let number = try await peer.join(.test).joined.number
      try await push(0..<30, to: peer, number)
      let store = RelayStore(directory: path)
      #expect(try store.backup(to: path + "/copy") > 0)
      try await push(30..<40, to: peer, number)
      #expect(try store.verify().rooms.map(\.head) == [40])
      #expect(throws: RelayStore.Failure.taken(path: path + "/copy/log.sqlite")) {
        try store.backup(to: path + "/copy")
      }
      let compaction = try store.compact()
      #expect(compaction.segments == 1 && !compaction.wasRewritten)
      try await push(40..<50, to: peer, number)
      let all = try await Peer.greeted(by: relay, codecs: .zstd).join(.test)
      #expect(all.entries.map(\.cursor) == Array(1...50))
      await relay.stop()
      #expect(try store.compact().wasRewritten)
      let copy = try await startRelay(path + "/copy")
      let found = try await Peer.greeted(by: copy).join(.test)
      #expect(found.entries == Array(all.entries[..<30]))
      await copy.stop()
      #expect(try store.verify().isSound)
      #expect(try RelayStore(directory: path + "/copy").verify().isSound)
    }
  }

  @Test func whoOwnsAReplicaIDOutlivesRestartsCompactionAndCopies() async throws {
    try await withDirectory { path in
      let relay = try await startRelay(path + "/data")
      let peer = try await Peer.greeted(by: relay)
      try await push(0..<20, to: peer, try await peer.join(.test).joined.number)
      await relay.stop()
      let store = RelayStore(directory: path + "/data")
      _ = try store.compact()
      _ = try store.backup(to: path + "/copy")
      for data in ["/data", "/copy"] {
        #expect(try RelayStore(directory: path + data).verify().isSound)
        let relay = try await startRelay(path + data)
        for identity in [[], [UInt8](repeating: 8, count: 16)] {
          let other = try await Peer.greeted(by: relay, identity: identity)
          let number = try await other.join(.test).joined.number
          for (count, document) in ["a", "elsewhere"].enumerated() {
            let push = ClientMessage.Push(
              room: number, number: UInt64(count), refusalsSeen: UInt64(count),
              header: header(20..<21, document: document), payload: [1])
            #expect(try await other.push(push) == .refusal(.ownedByAnother))
          }
        }
        let again = try await Peer.greeted(by: relay)
        try await push(20..<21, to: again, try await again.join(.test).joined.number)
        await relay.stop()
      }
    }
  }

  @Test(arguments: [
    "DELETE FROM owners",
    "UPDATE owners SET since = 3",
    "UPDATE owners SET identity = x'00'",
    "INSERT INTO subjects (id, name) VALUES (9, 'mallory'); UPDATE owners SET subject = 9",
    "INSERT INTO subjects (id, name) VALUES (9, 'mallory'); UPDATE entries SET subject = 9 WHERE cursor = 7",
  ]) func anEntryThatIsNotItsOwnersIsDamage(_ sql: String) async throws {
    try await withDirectory { path in
      let relay = try await startRelay(path)
      let peer = try await Peer.greeted(by: relay)
      try await push(0..<20, to: peer, try await peer.join(.test).joined.number)
      await relay.stop()
      try change(path, sql)
      let report = try RelayStore(directory: path).verify()
      #expect(report.rooms[0].damage.contains { $0.contains("replica id") }, "\(report)")
    }
  }

  @Test(arguments: [
    "UPDATE entries SET payload = x'00' WHERE cursor = 7",
    "UPDATE entries SET digest = zeroblob(16) WHERE cursor = 7",
    "UPDATE entries SET hash = zeroblob(32) WHERE cursor = 7",
    "DELETE FROM entries WHERE cursor = 7",
    "UPDATE entries SET replica = 8 WHERE cursor = 7",
    "UPDATE entries SET codec = 3 WHERE cursor = 7",
  ]) func damageIsNamedAndNeverFolded(_ sql: String) async throws {
    try await withDirectory { path in
      let relay = try await startRelay(path)
      let peer = try await Peer.greeted(by: relay)
      try await push(0..<20, to: peer, try await peer.join(.test).joined.number)
      await relay.stop()
      let store = RelayStore(directory: path)
      #expect(try store.verify().isSound)
      try change(path, sql)
      let report = try store.verify()
      #expect(!report.isSound && report.rooms[0].soundThrough == 6, "\(report)")
      #expect(throws: RelayStore.Failure.self) { try store.compact() }
      #expect(try store.verify() == report)
    }
  }

  @Test func aDamagedSegmentIsNamed() async throws {
    try await withDirectory { path in
      let relay = try await startRelay(path)
      let peer = try await Peer.greeted(by: relay)
      try await push(0..<20, to: peer, try await peer.join(.test).joined.number)
      await relay.stop()
      let store = RelayStore(directory: path)
      #expect(try store.compact().segments == 1)
      try change(path, "UPDATE segments SET content = zeroblob(length(content))")
      #expect(try !store.verify().isSound)
      #expect(throws: RelayStore.Failure.noLog(path: path + "/none/log.sqlite")) {
        try RelayStore(directory: path + "/none").verify()
      }
    }
  }

  /// Whatever fails in the middle of a fold, the log is as before.
  @Test func aFoldThatIsInterruptedAtAnyWriteChangesNothing() async throws {
    try await withDirectory { path in
      let relay = try await startRelay(path)
      let peer = try await Peer.greeted(by: relay)
      try await push(0..<20, to: peer, try await peer.join(.test).joined.number)
      await relay.stop()
      let store = RelayStore(directory: path)
      for (table, event) in [
        ("segments", "INSERT"), ("segment_spans", "INSERT"), ("entries", "DELETE"),
      ] {
        try change(
          path,
          "CREATE TRIGGER stop BEFORE \(event) ON \(table) BEGIN SELECT RAISE(ABORT, 'interrupted'); END")
        #expect(throws: RelayStore.Failure.self) { try store.compact() }
        try change(path, "DROP TRIGGER stop")
        let report = try store.verify()
        #expect(report.isSound && report.rooms[0].head == 20 && report.rooms[0].segments == 0)
      }
      #expect(try store.compact().segments == 1)
    }
  }
}
