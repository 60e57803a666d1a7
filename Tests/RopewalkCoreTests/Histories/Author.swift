import RopewalkCore

/// A document whose edits are noted down event by event.
struct Author {
  var document: TextDocument
  private(set) var events: [ReferenceEvent] = []

  init(_ id: UInt64, of document: TextDocument = TextDocument()) {
    self.document = document
    self.document.replica = ReplicaID(rawValue: id)
  }

  mutating func insert(_ text: String, at index: Int) {
    let parents = document.version.heads
    document.insert(text, at: index)
    for (offset, scalar) in text.unicodeScalars.enumerated() {
      note(.insert(scalar, at: index + offset), after: offset == 0 ? parents : nil)
    }
  }

  mutating func delete(_ range: Range<Int>) {
    let parents = document.version.heads
    document.delete(range)
    for offset in 0..<range.count {
      note(.delete(at: range.lowerBound), after: offset == 0 ? parents : nil)
    }
  }

  /// A few random edits.
  mutating func edit(_ times: Int, using random: inout SplitMix) {
    for _ in 0..<times {
      let at = random.below(document.scalarCount + 1)
      if random.chance(65) {
        insert(.random(1 + random.below(4), using: &random), at: at)
      } else {
        delete(at..<min(document.scalarCount, at + 1 + random.below(3)))
      }
    }
  }

  mutating func merge(_ other: TextDocument) throws {
    _ = try document.apply(other.update(since: document.versionVector))
  }

  private mutating func note(_ operation: ReferenceEvent.Operation, after parents: [EventID]?) {
    guard let replica = document.replica else { return }
    let last = events.last { $0.id.replica == replica }?.id
    let id = EventID(replica: replica, seq: last.map { $0.seq + 1 } ?? 0)
    events.append(ReferenceEvent(id: id, parents: parents ?? [last ?? id], operation: operation))
  }
}
