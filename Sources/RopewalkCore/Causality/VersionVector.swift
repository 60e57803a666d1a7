/// How many events of each replica are known. What is known of a replica is always a prefix of its sequence.
public struct VersionVector: Hashable, Sendable {
  private struct Entry: Hashable, Sendable {
    let replica: ReplicaID
    var count: UInt32
  }

  private var sorted: [Entry] = []

  /// Nothing is known.
  public init() {}

  /// So many events of each of some replicas, which are all different, in any order. O(n log n).
  init(_ counts: [(ReplicaID, UInt32)]) {
    sorted = counts.filter { $0.1 > 0 }.map { Entry(replica: $0.0, count: $0.1) }
    sorted.sort { $0.replica < $1.replica }
  }

  /// The replicas known, ascending, with counts above 0.
  public var entries: [(replica: ReplicaID, count: UInt32)] { sorted.map { ($0.replica, $0.count) } }

  /// The number of events known of `replica`. O(log n) to read.
  public subscript(replica: ReplicaID) -> UInt32 {
    get {
      let place = place(of: replica)
      return place < sorted.count && sorted[place].replica == replica ? sorted[place].count : 0
    }
    set {
      let place = place(of: replica)
      let isThere = place < sorted.count && sorted[place].replica == replica
      switch (isThere, newValue) {
      case (true, 0): sorted.remove(at: place)
      case (true, _): sorted[place].count = newValue
      case (false, 0): break
      case (false, _): sorted.insert(Entry(replica: replica, count: newValue), at: place)
      }
    }
  }

  /// Whether an event is known.
  public func contains(_ event: EventID) -> Bool { event.seq < self[event.replica] }

  /// Bytes: a varint count, then per replica eight bytes and a varint.
  public var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.varint(UInt64(sorted.count))
    for entry in sorted {
      writer.fixed64(entry.replica.rawValue)
      writer.varint32(entry.count)
    }
    return writer.bytes
  }

  /// Reads `encoded`. Throws `FormatError` when the bytes are not exactly that.
  public init(encoded: [UInt8]) throws(FormatError) {
    var reader = ByteReader(encoded)
    let count = try reader.count("versionVector.count", unit: 9)
    for _ in 0..<count {
      let start = reader.offset
      let replica = ReplicaID(rawValue: try reader.fixed64("versionVector.replica"))
      let known = try reader.varint32("versionVector.count")
      guard known > 0, known <= EventID.seqLimit else {
        throw FormatError(.badValue, at: start, field: "versionVector.count")
      }
      if let last = sorted.last, last.replica >= replica {
        throw FormatError(.badValue, at: start, field: "versionVector.order")
      }
      sorted.append(Entry(replica: replica, count: known))
    }
    try reader.expectEnd()
  }

  private func place(of replica: ReplicaID) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle].replica < replica { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
