import RopewalkCore

/// A history that no honest document writes: events that do not list their author's event before, though nothing else
/// that they list follows it, parents that say too much, indices far outside the text.
struct StrangeHistory {
  private(set) var reference = ReferenceHistory()

  static func random(seed: UInt64) -> StrangeHistory {
    var random = SplitMix(seed: seed)
    var history = StrangeHistory()
    let replicas = 1 + random.below(4)
    let breadth = 1 + random.below(6)
    let deletes = 10 + random.below(60)
    for _ in 0..<2 + random.below(60) {
      let parents = history.parents(breadth: breadth, using: &random)
      let length = history.reference.scalars(in: history.reference.version(parents)).count
      let index = random.chance(3) ? 1 << 29 : random.below(length + (random.chance(80) ? 1 : 4))
      let replica = ReplicaID(rawValue: UInt64(random.below(replicas)) &* 0x9e37_79b9_7f4a_7c15)
      let seq = history.reference.events.count { $0.id.replica == replica }
      let text = String.random(1, using: &random).unicodeScalars
      let operation: ReferenceEvent.Operation =
        random.chance(deletes) ? .delete(at: index) : .insert(text[text.startIndex], at: index)
      let id = EventID(replica: replica, seq: UInt32(seq))
      history.reference.add(ReferenceEvent(id: id, parents: parents, operation: operation))
    }
    return history
  }

  /// Some events near the end; mostly only those that no other of them follows.
  private func parents(breadth: Int, using random: inout SplitMix) -> [EventID] {
    guard !reference.events.isEmpty, !random.chance(2) else { return [] }
    let recent = reference.events.suffix(breadth * 2).map { $0.id }
    let chosen = (0..<1 + random.below(3)).map { _ in recent[random.below(recent.count)] }
    return random.chance(90) ? reference.heads(of: reference.version(chosen)) : Array(Set(chosen)).sorted()
  }

  /// The events as updates: one, or several in any order.
  func updates(using random: inout SplitMix) throws -> [Update] {
    var rest = reference.events[...]
    var updates: [Update] = []
    let longest = [1, 5, rest.count][random.below(3)]
    while !rest.isEmpty {
      let chunk = rest.prefix(1 + random.below(longest))
      updates.append(try Update(bytes: ReferenceEncoder.update(of: Array(chunk))))
      rest = rest.dropFirst(chunk.count)
    }
    return random.chance(50) ? updates : updates.shuffled(using: &random)
  }
}
