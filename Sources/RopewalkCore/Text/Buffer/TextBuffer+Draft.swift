extension TextBuffer {
  /// One edit that is not in the leaves yet: at scalar `position` of the settled text `deleted` scalars go,
  /// and `inserted` comes. Typing or deleting goes on here as long as it stays in place, so that a word
  /// costs the leaves one change and not one per key.
  struct Draft: Sendable {
    var position = 0
    var deleted = 0
    var inserted: [UInt8] = []
    /// Scalars, bytes and UTF-16 units of `inserted`.
    var insertedSum = SumTree.Sum.zero

    @inline(__always) var isEmpty: Bool { deleted == 0 && inserted.isEmpty }
    @inline(__always) var insertedScalars: Int { Int(insertedSum[TextMetrics.scalars]) }

    /// A longer text goes to the leaves at once.
    #if DEBUG
      static let limit = 24
    #else
      static let limit = 4096
    #endif
  }

  /// Inserts as `insert` does, into the draft if it can be continued.
  @inline(__always)
  mutating func draftInsert(
    _ bytes: UnsafeBufferPointer<UInt8>, measuring sum: SumTree.Sum, at index: Int
  ) {
    if index != draft.position + draft.insertedScalars || draft.inserted.count + bytes.count > Draft.limit {
      settle()
      guard bytes.count <= Draft.limit else {
        insert(bytes, measuring: sum, at: index)
        liftFinger()
        return
      }
      draft.position = index
    }
    draft.inserted.append(bytes)
    draft.insertedSum &+= sum
  }

  /// Whether a key typed there goes on with the draft.
  @inline(__always)
  func draftGoesOn(at index: Int) -> Bool {
    index == draft.position &+ draft.insertedScalars && draft.inserted.count < Draft.limit
  }

  /// Adds one ASCII character to a draft that it goes on with.
  @inline(__always)
  mutating func draftType(_ key: UInt8) {
    draft.inserted.append(key)
    draft.insertedSum &+= SumTree.Sum(1, 1, 1, 0)
  }

  /// Deletes as `delete` does, from the draft or by it if it can be continued.
  @inline(__always)
  mutating func draftDelete(_ count: Int, at index: Int) {
    if draft.inserted.isEmpty {
      if draft.deleted > 0, index == draft.position {
        draft.deleted += count
        return
      }
      if draft.deleted > 0, index + count == draft.position {
        draft.position = index
        draft.deleted += count
        return
      }
    } else if index + count == draft.position + draft.insertedScalars, count <= draft.insertedScalars {
      shortenDraft(by: count)
      return
    }
    settle()
    draft.position = index
    draft.deleted = count
  }

  private mutating func shortenDraft(by count: Int) {
    for _ in 0..<count {
      var width: UInt32 = 1
      while let byte = draft.inserted.popLast(), byte & 0xc0 == 0x80 { width += 1 }
      draft.insertedSum &-= SumTree.Sum(1, width, width == 4 ? 2 : 1, 0)
    }
  }

  /// Puts the draft into the leaves.
  mutating func settle() {
    guard !draft.isEmpty else { return }
    let settled = draft
    draft.deleted = 0
    draft.inserted = []
    draft.insertedSum = .zero
    if settled.deleted > 0 { delete(settled.deleted, at: settled.position) }
    settled.inserted.withUnsafeBufferPointer {
      insert($0, measuring: settled.insertedSum, at: settled.position)
    }
    liftFinger()
    draft.inserted = settled.inserted
    draft.inserted.removeAll(keepingCapacity: true)
  }

  /// Scalars, bytes and UTF-16 units of the settled text before the draft, and of what it takes out.
  func draftBounds() -> (before: SumTree.Sum, removed: SumTree.Sum) {
    let before = settledSums(beforeScalar: draft.position)
    guard draft.deleted > 0 else { return (before, .zero) }
    return (before, settledSums(beforeScalar: draft.position + draft.deleted) &- before)
  }
}
