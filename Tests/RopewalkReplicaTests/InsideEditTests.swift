import RopewalkCore
import Testing

@testable import RopewalkReplica

/// What a closure does wrong inside `edit` is an error of that call, and nothing else has happened.
@Suite struct InsideEditTests {
  let scratch: Scratch
  let replica: Replica
  let notes: ReplicaDocument

  init() throws {
    scratch = try Scratch()
    replica = try scratch.open()
    notes = try replica.document("notes.md", in: "team")
    try notes.insert("abc", at: 0)
  }

  @Test(arguments: [-1, 4, Int.min, Int.max]) func anIndexOutsideTheTextThrows(index: Int) throws {
    let wrong = ReplicaError.outOfBounds(scalarCount: 3)
    #expect(throws: wrong) { try notes.edit { try $0.insert("x", at: index) } }
    #expect(throws: wrong) { try notes.edit { try $0.utf16Offset(ofScalar: index) } }
    #expect(throws: wrong) { try notes.edit { try $0.scalarIndex(ofUTF16: index) } }
    let range = min(index, 1)..<max(index, 1)
    #expect(throws: wrong) { try notes.edit { try $0.delete(range) } }
    #expect(throws: wrong) { try notes.edit { try $0.replace(range, with: "y") } }
    #expect(throws: wrong) { try notes.edit { try $0.text(in: range) } }
    #expect(try notes.text == "abc")
    #expect(try notes.status().eventCount == 3)
  }

  @Test func aMistakeThatTheClosureCatchesUndoesNothingElse() throws {
    let length = try notes.edit { text in
      try text.append("d")
      #expect(throws: ReplicaError.outOfBounds(scalarCount: 4)) { try text.delete(2..<9) }
      try text.delete(0..<1)
      return text.scalarCount
    }
    #expect(length == 3)
    #expect(try notes.text == "bcd")
  }

  @Test func whatWasEditedBeforeAMistakeIsUndone() async throws {
    let watched = Watched(try notes.observe())
    #expect(throws: ReplicaError.outOfBounds(scalarCount: 7)) {
      try notes.edit { text in
        try text.insert("lost", at: 1)
        try text.insert("x", at: 8)
      }
    }
    #expect(try notes.text == "abc")
    try notes.insert("d", at: 3)
    #expect(try scratch.open().document("notes.md", in: "team").text == "abcd")
    try replica.close()
    #expect(await watched.drained() == "abcd")
  }

  @Test func theReplicaCannotBeUsedInside() throws {
    let inside = ReplicaError.insideEdit
    let replica = replica
    let notes = notes
    let path = scratch.path("copy")
    let other = scratch.path("other")
    try Replica(path: other, options: .forTests()).close()
    try notes.edit { text in
      try text.append("d")
      #expect(throws: inside) { try notes.text }
      #expect(throws: inside) { try notes.insert("x", at: 0) }
      #expect(throws: inside) { try notes.edit { try $0.append("x") } }
      #expect(throws: inside) { try notes.observe() }
      #expect(throws: inside) { try notes.setLocalValue([1], for: "k") }
      #expect(throws: inside) { try replica.refresh() }
      #expect(throws: inside) { try replica.seed("other", in: "team", with: "text") }
      #expect(throws: inside) { try replica.copy(to: path) }
      #expect(throws: inside) { try replica.merge(from: other) }
      #expect(throws: inside) { try replica.close() }
    }
    #expect(try notes.text == "abcd")
    #expect(throws: inside) { try notes.edit { _ in try notes.insert("x", at: 0) } }
    #expect(try notes.text == "abcd")
  }

  @Test func anotherReplicaCanBeEditedInside() throws {
    let other = try scratch.open("other").document("notes.md", in: "team")
    try notes.edit { text in
      let found = text.text
      try other.edit { try $0.append(found) }
    }
    #expect(try other.text == "abc")
  }

  @Test func editsThatWereSwappedAreRefused() throws {
    let other = try scratch.open("other").document("notes.md", in: "team")
    try other.insert("other", at: 0)
    #expect(throws: ReplicaError.invalidEdit) {
      try notes.edit { one in try other.edit { two in swap(&one, &two) } }
    }
    #expect(try notes.text == "abc")
    #expect(try other.text == "other")
    try notes.insert("!", at: 3)
    #expect(try notes.text == "abc!")
  }
}
