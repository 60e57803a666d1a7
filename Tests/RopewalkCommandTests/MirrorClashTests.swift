import Foundation
import Ropewalk
import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkCommand

/// Somebody pushes events under the id of a mirror's saves, which go on under another one then.
@Suite(.timeLimit(.minutes(3))) struct MirrorClashTests {
  private let folder: TestFolder
  private let replica: Replica
  private let room = RoomName("team")!

  init() throws {
    folder = try TestFolder()
    replica = try Replica(path: folder["replica"])
  }

  private func open() throws -> Mirror {
    try Mirror.open(
      file: PlainFile(path: folder["a"]), replica: replica, name: "a", room: "team", take: nil
    ).mirror
  }

  /// The room's log has what the file began with, and then as many events as were saved, under their id.
  private func clash(_ document: TextDocument, with forged: String) throws {
    var log = TextDocument(seed: "one\ntwo\n")
    let begun = log.versionVector
    let writer = try #require(document.versionVector.entries.first { begun[$0.replica] == 0 }).replica
    log.replica = writer
    log.insert(forged, at: log.scalarCount)
    let key = DocumentKey(name: DocumentName("a")!, lineage: log.lineage)
    var digest = LogDigest.zero
    var entries: [LogEntry] = []
    for replica in [try #require(begun.entries.first).replica, writer] {
      let span = EventSpan(replica: replica, seqs: 0..<log.versionVector[replica])
      let entry = LogEntry(
        cursor: UInt64(entries.count + 1), subject: [65], time: 1,
        header: EntryHeader(document: key, span: span),
        payload: try #require(log.update(of: span)).bytes)
      digest = entry.digest(after: digest)
      entries.append(entry)
    }
    _ = try replica.receive(entries, cursor: 2, digest: digest, in: room)
  }

  @Test(arguments: ["FORGED", "F", "much more than was saved"], [false, true])
  func whatTheEditorHadIsStillKnownAfterItsSaveGotAnotherID(forged: String, isReopened: Bool) throws {
    try folder.write("one\ntwo\n", to: "a")
    var mirror = try open()
    _ = try mirror.settle()
    try folder.replace("a", by: "one\ntwo\nthree\n")
    _ = try mirror.settle()
    try clash(mirror.document.read(), with: forged)
    if isReopened { mirror = try open() }
    _ = try mirror.settle()
    let whole = try mirror.document.read()
    #expect(TextDocument(whole, at: mirror.seen.saved)?.text == "one\ntwo\nthree\n")
    #expect(folder.text("a") == whole.text)
    // An editor that has read none of that goes on.
    try folder.replace("a", by: "zero\none\ntwo\nthree\nfour\n")
    _ = try mirror.settle()
    let text = try #require(folder.text("a"))
    #expect(text == (try mirror.document.text))
    for part in ["zero\none\ntwo\n", "three\n", "four\n", forged] {
      #expect(text.ranges(of: part).count == 1, "\(text)")
    }
    #expect(text.unicodeScalars.count == "zero\none\ntwo\nthree\nfour\n".unicodeScalars.count + forged.count)
  }

  @Test func aSaveThatWasReadBeforeTheIDsChangedIsMadeAnew() throws {
    try folder.write("one\ntwo\n", to: "a")
    var mirror = try open()
    _ = try mirror.settle()
    try folder.replace("a", by: "one\ntwo\nthree\n")
    _ = try mirror.settle()
    let (read, generation) = try mirror.document.readWithGeneration()
    try clash(read, with: "FORGED")
    let text = try mirror.document.text
    #expect(throws: RewrittenDocument.self) {
      try mirror.document.edit(localValues: ["key": [1]], in: generation) { try $0.insert("late", at: 0) }
    }
    #expect(try mirror.document.text == text)
    #expect(try mirror.document.localValue("key") == nil)
    let now = try mirror.document.readWithGeneration()
    try mirror.document.edit(in: now.generation) { try $0.insert("late", at: 0) }
    #expect(try mirror.document.text == "late" + text)
  }

  @Test func anEntryThatIsNoUpdateKeepsNoFileOutOfTheRoom() throws {
    let key = DocumentKey(name: DocumentName("a")!, lineage: Lineage(rawValue: 77))
    let span = EventSpan(replica: ReplicaID(rawValue: 5), seqs: 0..<3)
    let entry = LogEntry(
      cursor: 1, subject: [65], time: 1, header: EntryHeader(document: key, span: span), payload: [9])
    _ = try replica.receive([entry], cursor: 1, digest: entry.digest(after: .zero), in: room)
    try folder.write("one\ntwo\n", to: "a")
    var mirror = try open()
    #expect(try mirror.settle().standing == .equal)
    #expect(try mirror.document.text == "one\ntwo\n")
    #expect(folder.text("a") == "one\ntwo\n")
    #expect(try mirror.document.lineage == key.lineage)
    #expect(try replica.refused().isEmpty)
    #expect(
      try replica.cuts(in: room, maximumBytes: 1000, limit: 9, excluding: []).map(\.header.document) == [key])
  }

  @Test func whatTwoSessionsSavedIsThereOnceThoughSomebodyUsedTheFirstOnesID() async throws {
    let bench = try MirrorBench()
    try await bench.relay.start()
    let other = try Replica(path: bench.folder["other"])
    try other.document("notes", in: "team").insert("base\n", at: 0)
    try await exchange(other, bench)
    let begun = try await bench.mirror("a")
    try await bench.wait { bench.folder.text("a.md") == "base\n" }
    await begun.killAndWait()
    await bench.relay.stop()
    // Two sessions, offline.
    for (text, added) in [("base\nFIRST\n", 6), ("base\nFIRST\nSECOND\n", 7)] {
      let session = try await bench.mirror("a")
      try bench.folder.replace("a.md", by: text)
      _ = try await session.line(beginning: "saved: +\(added) -0")
      await session.killAndWait()
    }
    let replica = try ReplicaPath.replica(at: ReplicaPath.resolved(bench.folder["a.md"]))
    let unsent = try replica.document("notes", in: "team").receipts().onThisDevice
    try replica.close()
    let first = try #require(unsent.first { $0.seqs.count == 6 }).replica
    // As many other events under the first one's id.
    try await bench.relay.start()
    var options = ReplicaOptions()
    options.drawReplicaID = { first }
    let mallory = try Replica(path: bench.folder["mallory"], options: options)
    try await exchange(mallory, bench)
    try mallory.document("notes", in: "team").insert("forged", at: 5)
    try await exchange(mallory, bench)
    let mirror = try await bench.mirror("a")
    try await bench.wait { bench.folder.text("a.md")?.contains("forged") == true }
    let sync = try await Tool.run("sync", bench.folder["a.md"], "--relay", await bench.relay.url)
    #expect(sync.status == 0, "\(sync)")
    try await exchange(other, bench)
    let text = try other.document("notes", in: "team").text
    for part in ["base\n", "FIRST\nSECOND\n", "forged"] {
      #expect(text.ranges(of: part).count == 1, "\(text)")
    }
    #expect(text.unicodeScalars.count == 24)
    try await bench.wait { bench.folder.text("a.md") == text }
    await mirror.killAndWait()
    await bench.relay.stop()
  }

  private func exchange(_ replica: Replica, _ bench: MirrorBench) async throws {
    let client = try Client(replica: replica, relay: await bench.relay.url, token: nil)
    try await client.join("team")
    try await client.sync()
    await client.close()
  }
}
