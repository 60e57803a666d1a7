import DamagedFiles
import Foundation
import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkReplica

#if canImport(Glibc)
  import Glibc
#endif

/// Whatever stands in a replica file, it gives errors and nothing else.
@Suite struct DamagedFileTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// A file with snapshots, a tail, an outbox with a fixed cut, a log, an entry that is held, events that
  /// wait, two lineages of one name, and local values.
  private func makeFile(_ path: String) throws {
    var options = ReplicaOptions.forTests()
    options.updatesPerSnapshot = 3
    let replica = try Replica(path: path, options: options)
    let room = try #require(RoomName("team"))
    let notes = try replica.document("notes", in: "team")
    for number in 0..<5 { try notes.insert("word \(number) ", at: 0) }
    try replica.seed("seeded", in: "team", with: "A text.")
    var relay = RelayDouble()
    try relay.exchange(with: replica, in: room)
    try notes.edit { edit in
      var other = edit.document
      other.replica = ReplicaID(rawValue: 7)
      other.insert("onetwo", at: 0)
      let second = EventSpan(replica: ReplicaID(rawValue: 7), seqs: 3..<6)
      try edit.apply(#require(other.update(of: second)))
    }
    for number in 0..<2 { try notes.insert("unsent \(number) ", at: 3) }
    _ = try replica.cuts(in: room, maximumBytes: 1000, limit: 1, excluding: [])
    try notes.setLocalValue([1, 2, 3], for: "key")
    try notes.insert("tail", at: 0)
    try takeCheckpoint(replica)
    try replica.close()
    try scratch.execute(
      "INSERT INTO held VALUES (1, 1, 0, 'a reason', x'0102')", in: URL(filePath: path).lastPathComponent)
  }

  /// A room whose log began with a checkpoint.
  private func takeCheckpoint(_ replica: Replica) throws {
    let name = try #require(DocumentName("late"))
    let room = try #require(RoomName("large"))
    var document = TextDocument()
    document.replica = ReplicaID(rawValue: 9)
    document.insert("old", at: 0)
    let span = EventSpan(replica: ReplicaID(rawValue: 9), seqs: 0..<3)
    let part = CheckpointPart(
      cursor: 6, header: EntryHeader(document: DocumentKey(name: name, lineage: .blank), span: span),
      payload: try #require(document.update(of: span)).bytes)
    let head = LogHead(cursor: 6, digest: Checkpoint.digest(of: [part]))
    _ = try replica.receive(
      CheckpointBatch(
        head: head, first: 0, parts: [AttributedPart(part: part, subject: [65], time: 1000)], isLast: true),
      in: room)
  }

  @Test func damagedFilesGiveErrorsAndNothingElse() async throws {
    try makeFile(scratch.path("good.sqlite"))
    try makeFile(scratch.path("other.sqlite"))
    let damaged = try DamagedDatabase(
      of: scratch.path("good.sqlite"), change: "UPDATE documents SET generation = generation + 1")
    try DamagedDatabase.write(replicaVersion1, to: scratch.path("old.sqlite"))
    let old = try DamagedDatabase(
      of: scratch.path("old.sqlite"), change: "UPDATE documents SET generation = generation + 1")
    let other = try Replica(path: scratch.path("other.sqlite"), options: .forTests())
    try await DamageRun("replica files", count: 300).forEach { _, random in
      let path = scratch.path("damaged.sqlite")
      try (random.once(in: 8) ? old : damaged).write(to: path, using: &random)
      _ = try? Replica.verify(path: path)
      if random.once(in: 8) { _ = try? other.merge(from: path) }
      if let replica = try? Replica(path: path, options: .forTests()) { use(replica, path, &random) }
      for end in ["", "-wal", "-shm"] { unlink(path + end) }
    }
  }

  /// Reads and edits; now and then does everything else that can be done with a file.
  private func use(_ replica: Replica, _ path: String, _ random: inout DamageRandom) {
    let everything = random.once(in: 4)
    for status in (try? replica.documents()) ?? [] {
      guard let document = try? replica.document(status.key, in: status.room) else { continue }
      _ = try? document.text
      try? document.insert("x", at: 0)
      guard everything else { continue }
      _ = try? document.history()
      _ = try? document.receipts()
      _ = try? document.lineages()
      _ = try? document.localValue("key")
      _ = try? document.adoptRoomLineage(carryingOver: .appending)
    }
    try? replica.document("notes", in: "team").insert("y", at: 0)
    if everything, let room = RoomName("team") { exchange(replica, room, path) }
    try? replica.close()
  }

  private func exchange(_ replica: Replica, _ room: RoomName, _ path: String) {
    _ = try? replica.rooms()
    _ = try? replica.outboxStandings()
    var relay = RelayDouble()
    try? relay.exchange(with: replica, in: room)
    _ = try? replica.cuts(in: room, maximumBytes: 200, limit: 5, excluding: [])
    try? replica.restart(room)
    _ = try? replica.settle(room, at: 0)
    try? replica.document("new", in: "team").insert("x", at: 0)
    _ = try? replica.seed("seeded", in: "team", with: "Another text.")
    _ = try? replica.merge(from: path)
  }
}
