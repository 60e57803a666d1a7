import RopewalkCore

/// Reads an update as the sequence of events that it says, by `Spec/update-format.md` and slowly, in whatever form it
/// says them: whether that is the form that an encoder gives shows when they are written again.
enum ReferenceDecoder {
  /// What is read of claims that a few bytes can make.
  static let mostEvents = 4096

  /// Nil for what says no sequence of events, or one of more than `mostEvents`.
  static func events(_ parts: UpdateParts) -> [ReferenceEvent]? {
    let replicas = parts.authors.map { $0.replica } + parts.others
    guard Set(replicas).count == replicas.count, parts.lineage != 0 else { return nil }
    for author in parts.authors {
      guard author.count > 0, author.count <= mostEvents, author.first <= 1 << 31 - author.count else {
        return nil
      }
    }
    guard parts.authors.reduce(0, { $0 + $1.count }) <= mostEvents,
      let text = String(validating: parts.content, as: UTF8.self)
    else { return nil }
    var reading = Reading(
      parts: parts, replicas: replicas, scalars: Array(text.unicodeScalars)[...],
      next: parts.authors.map { $0.first }, carets: parts.authors.map { _ in 0 })
    return reading.events()
  }

  /// Whether bytes are the update of some sequence of events; nil if that cannot be told here.
  static func isCanonical(_ bytes: [UInt8]) -> Bool? {
    guard let parts = UpdateParts(bytes), parts.bytes == bytes else { return false }
    if parts.authors.contains(where: { $0.count > mostEvents }) { return nil }
    if parts.authors.reduce(0, { $0 + $1.count }) > mostEvents { return nil }
    guard let events = events(parts) else { return false }
    return ReferenceEncoder.update(of: events, lineage: Lineage(rawValue: parts.lineage ?? 0)) == bytes
  }

  private struct Reading {
    let parts: UpdateParts
    let replicas: [UInt64]
    var scalars: ArraySlice<Unicode.Scalar>
    /// By author.
    var next: [UInt64]
    var carets: [Int]
    var parentsRead = 0
    var operationsRead = 0
    var ends: [EventID] = []

    mutating func events() -> [ReferenceEvent]? {
      var events: [ReferenceEvent] = []
      for (number, length) in zip(parts.runAuthors, parts.runLengths) {
        guard number < next.count, length > 0 else { return nil }
        let author = Int(number)
        let (first, end) = (next[author], parts.authors[author].first + parts.authors[author].count)
        guard length <= end - first, let parents = parents(of: first, by: author),
          let operations = operations(Int(length), by: author)
        else { return nil }
        let replica = ReplicaID(rawValue: replicas[author])
        for (place, operation) in operations.enumerated() {
          let seq = UInt32(first) + UInt32(place)
          events.append(
            ReferenceEvent(
              id: EventID(replica: replica, seq: seq),
              parents: place == 0 ? parents : [EventID(replica: replica, seq: seq - 1)], operation: operation)
          )
        }
        next[author] += length
        ends.append(EventID(replica: replica, seq: UInt32(next[author] - 1)))
      }
      guard scalars.isEmpty, parentsRead == parts.parents.count, operationsRead == parts.operations.count,
        parts.positions.count == parts.operations.count,
        !zip(next, parts.authors).contains(where: { $0 < $1.first + $1.count })
      else { return nil }
      return events
    }

    private mutating func number() -> UInt64? {
      guard parentsRead < parts.parents.count else { return nil }
      defer { parentsRead += 1 }
      return parts.parents[parentsRead]
    }

    private mutating func parents(of seq: UInt64, by author: Int) -> [EventID]? {
      guard let count = number(), count <= UInt64(mostEvents) else { return nil }
      var parents: [EventID] = []
      if seq > 0 {
        parents.append(EventID(replica: ReplicaID(rawValue: replicas[author]), seq: UInt32(seq - 1)))
      }
      for _ in 0..<count {
        guard let parent = reference(of: seq, by: author) else { return nil }
        parents.append(parent)
      }
      return Set(parents).count == parents.count ? parents : nil
    }

    private mutating func reference(of seq: UInt64, by author: Int) -> EventID? {
      guard let reference = number() else { return nil }
      if reference & 1 == 0 {
        guard reference > 0, reference >> 1 <= UInt64(ends.count) else { return nil }
        return ends[ends.count - Int(reference >> 1)]
      }
      guard reference >> 1 < UInt64(replicas.count), let parent = number(), parent < 1 << 31 else {
        return nil
      }
      let replica = Int(reference >> 1)
      // It comes before its child.
      if replica == author, parent >= seq { return nil }
      if replica < next.count, parent >= next[replica],
        parent < parts.authors[replica].first + parts.authors[replica].count
      {
        return nil
      }
      return EventID(replica: ReplicaID(rawValue: replicas[replica]), seq: UInt32(parent))
    }

    private mutating func operations(_ length: Int, by author: Int) -> [ReferenceEvent.Operation]? {
      var operations: [ReferenceEvent.Operation] = []
      while operations.count < length {
        guard operationsRead < parts.operations.count, operationsRead < parts.positions.count else {
          return nil
        }
        let (word, zigzag) = (parts.operations[operationsRead], parts.positions[operationsRead])
        operationsRead += 1
        guard word >> 2 > 0, word >> 2 <= UInt64(length - operations.count), zigzag < 1 << 40 else {
          return nil
        }
        let count = Int(word >> 2)
        let position = carets[author] + (zigzag & 1 == 0 ? Int(zigzag >> 1) : -Int(zigzag >> 1) - 1)
        let step = [1, 0, -1, 0][Int(word & 3)]
        let last = position + step * (count - 1)
        guard word & 3 < 3, min(position, last) >= 0, max(position, last) < 1 << 30 else { return nil }
        for place in 0..<count {
          if word & 3 == 0 {
            guard let scalar = scalars.popFirst() else { return nil }
            operations.append(.insert(scalar, at: position + place))
          } else {
            operations.append(.delete(at: position + step * place))
          }
        }
        carets[author] = word & 3 == 0 ? position + count : last
      }
      return operations
    }
  }
}
