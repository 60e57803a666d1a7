import RopewalkCore

/// Writes events as an update by `Spec/update-format.md`, event by event and slowly.
///
/// The events' parents come before them, and each replica's events follow one another. For such a sequence there is one
/// update.
enum ReferenceEncoder {
  static func update(of events: [ReferenceEvent], lineage: Lineage = .blank) -> [UInt8] {
    parts(of: events, lineage: lineage).bytes
  }

  /// The same, before it is put together.
  static func parts(of events: [ReferenceEvent], lineage: Lineage = .blank) -> UpdateParts {
    var parts = UpdateParts()
    parts.lineage = lineage == .blank ? nil : lineage.rawValue
    for event in events {
      if let author = parts.authors.firstIndex(where: { $0.replica == event.id.replica.rawValue }) {
        parts.authors[author].count += 1
      } else {
        parts.authors.append(.init(replica: event.id.replica.rawValue, first: UInt64(event.id.seq), count: 1))
      }
    }
    // Of each run that is over: its last event.
    var ends: [EventID] = []
    var carets: [ReplicaID: Int] = [:]
    for run in runs(of: events) {
      let author = parts.authors.firstIndex { $0.replica == run[0].id.replica.rawValue } ?? 0
      parts.runAuthors.append(UInt64(author))
      parts.runLengths.append(UInt64(run.count))
      write(parentsOf: run[0], after: ends, to: &parts)
      for operation in operations(of: run) {
        parts.operations.append(UInt64(operation.length) << 2 | UInt64(operation.kind))
        let shift = operation.position - carets[run[0].id.replica, default: 0]
        parts.positions.append(shift < 0 ? UInt64(-shift) * 2 - 1 : UInt64(shift) * 2)
        carets[run[0].id.replica] = operation.caret
      }
      for event in run {
        if case .insert(let scalar, _) = event.operation { parts.content += Array(String(scalar).utf8) }
      }
      ends.append(run[run.count - 1].id)
    }
    return parts
  }

  private static func before(_ id: EventID) -> EventID? {
    id.seq > 0 ? EventID(replica: id.replica, seq: id.seq - 1) : nil
  }

  /// Longest stretches of one author in which each but the first has no parent but the event before it.
  private static func runs(of events: [ReferenceEvent]) -> [[ReferenceEvent]] {
    var runs: [[ReferenceEvent]] = []
    for event in events {
      if let last = runs.last?.last, before(event.id) == last.id, event.parents.allSatisfy({ $0 == last.id })
      {
        runs[runs.count - 1].append(event)
      } else {
        runs.append([event])
      }
    }
    return runs
  }

  private static func write(
    parentsOf event: ReferenceEvent, after ends: [EventID], to parts: inout UpdateParts
  ) {
    let besides = event.parents.filter { $0 != before(event.id) }.sorted()
    parts.parents.append(UInt64(besides.count))
    for parent in besides {
      if let run = ends.firstIndex(of: parent) {
        parts.parents.append(UInt64(ends.count - run) << 1)
        continue
      }
      let replica = parent.replica.rawValue
      let author = parts.authors.firstIndex { $0.replica == replica }
      if author == nil, !parts.others.contains(replica) { parts.others.append(replica) }
      let number = author ?? parts.authors.count + (parts.others.firstIndex(of: replica) ?? 0)
      parts.parents += [UInt64(number) << 1 | 1, UInt64(parent.seq)]
    }
  }

  private struct Operation {
    /// 0 insert, 1 delete forwards, 2 delete backwards.
    var kind: Int
    var position: Int
    var length: Int

    var caret: Int { [position + length, position, position + 1 - length][kind] }
  }

  private static func operations(of run: [ReferenceEvent]) -> [Operation] {
    var operations: [Operation] = []
    for event in run {
      let last = operations.last ?? Operation(kind: -1, position: 0, length: 0)
      switch event.operation {
      case .insert(_, let index):
        if last.kind == 0, index == last.caret {
          operations[operations.count - 1].length += 1
        } else {
          operations.append(Operation(kind: 0, position: index, length: 1))
        }
      case .delete(let index):
        if last.kind == 1, index == last.position {
          operations[operations.count - 1].length += 1
        } else if last.kind == 1 && last.length == 1 || last.kind == 2, index == last.caret - 1 {
          operations[operations.count - 1].length += 1
          operations[operations.count - 1].kind = 2
        } else {
          operations.append(Operation(kind: 1, position: index, length: 1))
        }
      }
    }
    return operations
  }

  /// Seven bits a byte, lowest first, all but the last with the high bit set.
  static func varint(_ value: UInt64) -> [UInt8] {
    value > 0x7f ? [UInt8(value & 0x7f) | 0x80] + varint(value >> 7) : [UInt8(value)]
  }

  /// CRC-32C, bit by bit.
  static func castagnoli(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var remainder = UInt32.max
    for byte in bytes {
      remainder ^= UInt32(byte)
      for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1) * 0x82f6_3b78 }
    }
    return ~remainder
  }
}
