import Foundation
import Ropewalk
import RopewalkCore
import RopewalkReplica
import RopewalkSync
import Testing

@testable import RopewalkCommand
@testable import RopewalkRelay

/// A room in which somebody has written under the names of others' documents, and a newcomer who has no file of that name, or an
/// empty one: the newcomer has the room's document, whatever else there is.
@Suite(.timeLimit(.minutes(3))) struct MirrorLureTests {
  private static let room = RoomName("team")!

  /// What may be under a name besides.
  private enum Lure: CaseIterable {
    /// A letter.
    case letter
    /// A letter that was taken out again: a text that is empty.
    case nothing
    /// Bytes that are no update.
    case garbage
    /// An event that follows one that nobody has.
    case orphan
  }

  private struct Piece {
    let header: EntryHeader
    let payload: [UInt8]
  }

  private func pieces(of document: TextDocument, _ spans: [EventSpan]) throws -> [Piece] {
    try spans.map { span in
      let key = DocumentKey(name: DocumentName("notes")!, lineage: document.lineage)
      return Piece(
        header: EntryHeader(document: key, span: span), payload: try #require(document.update(of: span)).bytes
      )
    }
  }

  private func lure(_ lure: Lure) throws -> [Piece] {
    let replica = ReplicaID(rawValue: 66)
    var document = TextDocument()
    document.replica = replica
    document.insert("x", at: 0)
    if lure != .letter { document.delete(0..<1) }
    let whole = EventSpan(replica: replica, seqs: 0..<UInt32(document.eventCount))
    switch lure {
    case .letter, .nothing: return try pieces(of: document, [whole])
    case .garbage:
      return try pieces(of: document, [whole]).map { Piece(header: $0.header, payload: [1, 2, 3]) }
    case .orphan: return try pieces(of: document, [EventSpan(replica: replica, seqs: 1..<2)])
    }
  }

  /// The text that ann began with, and more that she typed.
  private func text() throws -> [Piece] {
    var document = TextDocument(seed: "of ann\n")
    let replica = ReplicaID(rawValue: 7)
    document.replica = replica
    document.insert("more ", at: 0)
    var spans = document.versionVector.entries.map { EventSpan(replica: $0.replica, seqs: 0..<$0.count) }
    spans.sort { $0.replica.rawValue > $1.replica.rawValue }
    return try pieces(of: document, spans)
  }

  private func fill(_ bench: MirrorBench, _ pieces: [Piece]) throws {
    let directory = try DataDirectory(path: bench.relayData)
    defer { directory.unlock() }
    let log = try SQLiteLog(path: directory.logPath)
    var digest = LogDigest.zero
    var entries: [RelayRoom.NewEntry] = []
    for (number, piece) in pieces.enumerated() {
      let entry = LogEntry(
        cursor: UInt64(number) + 1, subject: Array("ann".utf8), time: 5_000_000, header: piece.header,
        payload: piece.payload)
      digest = entry.digest(after: digest)
      entries.append(
        RelayRoom.NewEntry(entry: entry, payloadHash: PayloadHash(of: piece.payload), digest: digest))
    }
    log.append(entries, to: Self.room) { _ in }
    log.close()
  }

  private func mirror(_ bench: MirrorBench, _ file: String) async throws -> RunningTool {
    try RunningTool([
      "mirror", bench.folder[file], "--room", "team", "--document", "notes", "--relay", await bench.relay.url,
    ])
  }

  @Test func aNewcomerWithoutATextTakesTheRooms() async throws {
    for lure in Lure.allCases {
      let bench = try MirrorBench()
      let text = try text()
      try fill(bench, text + (try self.lure(lure)))
      try await bench.relay.start()
      try bench.folder.write("", to: "b.md")
      for name in ["a.md", "b.md"] {
        let mirror = try await mirror(bench, name)
        _ = try await mirror.line(beginning: "from others: ")
        #expect(bench.folder.text(name) == "more of ann\n", "\(lure) \(name)")
        mirror.signal(SIGTERM)
        let end = await mirror.end()
        #expect(end.status == 0 && !end.problems.contains("--take"), "\(lure) \(end)")
      }
      await bench.relay.stop()
    }
  }

  /// Somebody was there first, with nothing to read.
  @Test(arguments: [false, true]) func aTextGoesIntoADocumentThatHoldsNone(_ wasOffline: Bool) async throws {
    for lure in Lure.allCases where lure != .letter {
      let bench = try MirrorBench()
      try fill(bench, try self.lure(lure))
      try bench.folder.write("own\n", to: "a.md")
      if wasOffline {
        // The relay's address must be known, and nobody there.
        try await bench.relay.start()
        await bench.relay.stop()
      } else {
        try await bench.relay.start()
      }
      let mirror = try await mirror(bench, "a.md")
      if wasOffline {
        _ = try await mirror.line(beginning: "offline")
        try await bench.relay.start()
      }
      _ = try await mirror.line(beginning: "everything is at the relay")
      try bench.append("more\n", to: "a")
      _ = try await mirror.line(beginning: "saved: +5")
      let sync = try await Tool.run("sync", bench.folder["a.md"], "--relay", await bench.relay.url)
      #expect(sync.status == 0, "\(lure) \(sync)")
      mirror.signal(SIGTERM)
      let end = await mirror.end()
      #expect(end.status == 0 && bench.folder.text("a.md") == "own\nmore\n", "\(lure) \(end)")
      #expect(!bench.folder.names.contains("a.md.room"))
      let newcomer = bench.folder["new.ropewalk"]
      _ = try await Tool.run("sync", newcomer, "--room", "team", "--relay", await bench.relay.url)
      #expect(try await Tool.run("cat", newcomer).output == "own\nmore\n", "\(lure)")
      await bench.relay.stop()
    }
  }

  /// Where both have a text, a person says which one goes on.
  @Test func aTextOfItsOwnIsNoOneElsesToReplace() async throws {
    for pieces in [try lure(.letter), try text() + lure(.garbage)] {
      let bench = try MirrorBench()
      try fill(bench, pieces)
      try await bench.relay.start()
      try bench.folder.write("own\n", to: "a.md")
      let end = await (try await mirror(bench, "a.md")).end()
      #expect(end.status == 5 && bench.folder.text("a.md") == "own\n", "\(end)")
      await bench.relay.stop()
    }
  }
}
