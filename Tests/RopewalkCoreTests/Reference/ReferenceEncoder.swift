import RopewalkCore

/// Writes events as an update by `Spec/update-format.md`, one run per event: what another implementation, or a hostile
/// peer, may send.
struct ReferenceEncoder {
  private(set) var bytes: [UInt8] = []

  /// The events' parents come before them; each replica's events follow one another.
  static func update(of events: [ReferenceEvent], lineage: Lineage = .blank) -> [UInt8] {
    var replicas: [ReplicaID] = []
    var counts: [ReplicaID: (first: UInt32, count: UInt64)] = [:]
    for event in events {
      if counts[event.id.replica] == nil { replicas.append(event.id.replica) }
      counts[event.id.replica, default: (event.id.seq, 0)].count += 1
    }
    var others: [ReplicaID] = []
    for parent in events.flatMap({ $0.parents })
    where counts[parent.replica] == nil && !others.contains(parent.replica) {
      others.append(parent.replica)
    }
    var out = ReferenceEncoder()
    out.bytes = [0x52, lineage == .blank ? 1 : 0x81]
    if lineage != .blank { out.fixed(lineage.rawValue, 8) }
    out.varint(UInt64(replicas.count))
    for replica in replicas {
      out.fixed(replica.rawValue, 8)
      out.varint(UInt64(counts[replica]?.first ?? 0))
      out.varint(counts[replica]?.count ?? 0)
    }
    out.varint(UInt64(others.count))
    for other in others { out.fixed(other.rawValue, 8) }
    out.varint(UInt64(events.count))
    out.columns(events, replicas: replicas, others: others)
    out.fixed(UInt64(castagnoli(out.bytes)), 4)
    return out.bytes
  }

  private mutating func columns(_ events: [ReferenceEvent], replicas: [ReplicaID], others: [ReplicaID]) {
    var (authors, lengths, parents) = (ReferenceEncoder(), ReferenceEncoder(), ReferenceEncoder())
    var (operations, positions, content) = (ReferenceEncoder(), ReferenceEncoder(), [UInt8]())
    var carets: [ReplicaID: Int] = [:]
    for (number, event) in events.enumerated() {
      authors.varint(UInt64(replicas.firstIndex(of: event.id.replica) ?? 0))
      lengths.varint(1)
      parents.varint(UInt64(event.parents.count) + 2)
      for parent in event.parents {
        if let run = events[..<number].firstIndex(where: { $0.id == parent }) {
          parents.varint(UInt64(number - run) << 1)
        } else {
          let index = (replicas + others).firstIndex(of: parent.replica) ?? 0
          parents.varint(UInt64(index) << 1 | 1)
          parents.varint(UInt64(parent.seq))
        }
      }
      let caret = carets[event.id.replica] ?? 0
      switch event.operation {
      case .insert(let scalar, let index):
        operations.varint(1 << 2)
        positions.zigzag(index - caret)
        content.append(contentsOf: Array(String(scalar).utf8))
        carets[event.id.replica] = index + 1
      case .delete(let index):
        operations.varint(1 << 2 | 1)
        positions.zigzag(index - caret)
        carets[event.id.replica] = index
      }
    }
    if replicas.count > 1 { block(authors.bytes) }
    if events.count > 1 { block(lengths.bytes) }
    for column in [parents.bytes, operations.bytes, positions.bytes, content] { block(column) }
  }

  private mutating func varint(_ value: UInt64) { bytes += Self.varint(value) }

  /// Seven bits a byte, lowest first, all but the last with the high bit set.
  static func varint(_ value: UInt64) -> [UInt8] {
    value > 0x7f ? [UInt8(value & 0x7f) | 0x80] + varint(value >> 7) : [UInt8(value)]
  }

  private mutating func zigzag(_ value: Int) {
    varint(value < 0 ? UInt64(-value) * 2 - 1 : UInt64(value) * 2)
  }

  private mutating func fixed(_ value: UInt64, _ count: Int) {
    for place in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(place)))) }
  }

  private mutating func block(_ block: [UInt8]) {
    varint(UInt64(block.count))
    bytes.append(contentsOf: block)
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
