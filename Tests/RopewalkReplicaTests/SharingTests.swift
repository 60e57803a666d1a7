import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkReplica

/// Several handles on one file behave as several processes do: each has its own connection, memory and id.
@Suite struct SharingTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test func eachSeesWhatTheOtherWrote() throws {
    let (one, two) = (try scratch.open(), try scratch.open())
    let (a, b) = (try one.document("notes.md", in: "team"), try two.document("notes.md", in: "team"))
    try a.insert("abc", at: 0)
    #expect(try b.text == "abc")
    try b.insert("def", at: 3)
    try a.insert("ghi", at: 6)
    try b.delete(0..<1)
    #expect(try a.text == "bcdefghi")
    #expect(try b.text == "bcdefghi")
  }

  @Test func manyHandlesWriteAtOnce() async throws {
    let scratch = scratch
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<4 {
        group.addTask {
          var options = ReplicaOptions.forTests()
          options.updatesPerSnapshot = 7 + writer
          let notes = try scratch.open("replica.sqlite", options).document("notes.md", in: "team")
          for _ in 0..<50 { try notes.insert("\(writer)", at: 0) }
        }
      }
      try await group.waitForAll()
    }
    let text = try scratch.open().document("notes.md", in: "team").text
    for writer in "0123" { #expect(text.filter { $0 == writer }.count == 50) }
    #expect(try Replica.verify(path: scratch.path()).damage == [])
  }

  @Test func patchesFollowRandomEditsOfSeveralHandles() async throws {
    let seed = testSeed()
    var random = SeededGenerator(seed: seed)
    var options = ReplicaOptions.forTests()
    options.updatesPerSnapshot = 4
    let replicas = try (0..<3).map { _ in try scratch.open("replica.sqlite", options) }
    let documents = try replicas.map { try $0.document("notes.md", in: "team") }
    let watched = Watched(try documents[0].observe())
    for _ in 0..<300 {
      let document = documents.randomElement(using: &random) ?? documents[0]
      let count = try document.read().scalarCount
      let start = Int.random(in: 0...count, using: &random)
      let end = Int.random(in: start...min(count, start + 3), using: &random)
      try document.replace(start..<end, with: ["", "a", "é", "xyz"].randomElement(using: &random) ?? "")
      if Bool.random(using: &random) { try replicas[0].refresh() }
    }
    try replicas[0].refresh()
    let text = try documents[1].text
    try replicas[0].close()
    #expect(await watched.drained() == text, "seed \(seed)")
  }

  @Test func watchersOfANameAreToldWhenItBegins() async throws {
    let (one, two) = (try scratch.open(), try scratch.open())
    let watched = Watched(try one.document("notes.md", in: "team").observe())
    try two.document("notes.md", in: "team").insert("abc", at: 0)
    try one.refresh()
    try two.document("notes.md", in: "team").insert("d", at: 3)
    try one.refresh()
    try one.close()
    #expect(await watched.drained() == "abcd")
  }

  @Test func whatOneHandleMergedFromAFileTheOthersKeep() throws {
    let (one, two) = (try scratch.open(), try scratch.open())
    let (a, b) = (try one.document("notes.md", in: "team"), try two.document("notes.md", in: "team"))
    try a.insert("abc", at: 0)
    #expect(try b.text == "abc")
    try scratch.open("other").document("notes.md", in: "team").insert("merged", at: 0)
    _ = try one.merge(from: scratch.path("other"))
    let merged = try a.text
    #expect(merged.count == 9)
    #expect(try b.text == merged)
    for _ in 0..<600 { try b.insert("x", at: 9) }
    #expect(try scratch.open().document("notes.md", in: "team").text.hasPrefix(merged))
    #expect(try Replica.verify(path: scratch.path()).isSound)
  }

  @Test func editsOfAllAreDeliveredWithTheirOrigin() async throws {
    let replica = try scratch.open()
    let notes = try replica.document("notes.md", in: "team")
    let changes = try notes.changes()
    try notes.insert("abc", at: 0)
    try scratch.open().document("notes.md", in: "team").insert("x", at: 0)
    try replica.refresh()
    try replica.close()
    var origins: [DocumentChange.Origin] = []
    for await change in changes { origins.append(change.origin) }
    #expect(origins == [.edit, .otherProcess])
  }
}
