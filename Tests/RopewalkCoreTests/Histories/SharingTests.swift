import RopewalkCore
import Testing

/// A document is a value: tasks may read one and change their own copies of it at the same time.
@Suite struct SharingTests {
  @Test func tasksReadOneDocumentAndChangeTheirCopies() async throws {
    var random = SplitMix(seed: RandomSeeds(default: 1).first)
    var authors = [Author(1), Author(2)]
    for author in authors.indices { authors[author].edit(60, using: &random) }
    let past = authors[0].document.version
    let pastText = authors[0].document.text
    try authors[0].merge(authors[1].document)
    let shared = authors[0].document
    let text = shared.text
    let bytes = shared.update(since: VersionVector()).bytes
    let merged = try await withThrowingTaskGroup(of: TextDocument.self) { group in
      for id in 0..<8 {
        group.addTask {
          #expect(shared.text(at: past) == pastText)
          #expect(shared.update(since: VersionVector()).bytes == bytes)
          var copy = shared
          copy.replica = ReplicaID(rawValue: UInt64(100 + id))
          copy.insert("\(id)", at: copy.scalarCount / 2)
          copy.delete(0..<3)
          #expect(copy.text != shared.text)
          return copy
        }
      }
      var merged = shared
      for try await copy in group { _ = try merged.apply(copy.update(since: shared.versionVector)) }
      return merged
    }
    #expect(shared.text == text)
    #expect(merged.version.heads.count == 8)
  }
}
