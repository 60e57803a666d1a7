import RopewalkCore
import RopewalkReplica
import RopewalkSync

/// The relay's rules of coverage for one room, in memory and in one thread.
struct RelayDouble {
  /// Whether a replica id is its first pusher's. A relay that does not care shows what a log may hold.
  var keepsOwners = false
  private(set) var entries: [LogEntry] = []
  private var digests: [LogDigest] = [.zero]

  enum Answer: Equatable {
    case acknowledged(cursor: UInt64)
    case refused(Refusal)
  }

  mutating func push(_ header: EntryHeader, _ payload: [UInt8], by subject: String = "ann") -> Answer {
    var missing = RangeSet(header.span.seqs)
    for entry in entries
    where entry.header.document == header.document && entry.header.span.replica == header.span.replica {
      if entry.header == header {
        return entry.payload == payload
          ? .acknowledged(cursor: entry.cursor) : .refused(.idClash(at: entry.cursor))
      }
      missing.remove(contentsOf: entry.header.span.seqs)
    }
    guard missing == RangeSet(header.span.seqs) else {
      return .refused(.covered(missing: Array(missing.ranges), through: UInt64(entries.count)))
    }
    let first = entries.first { $0.header.span.replica == header.span.replica }
    if keepsOwners, let first, first.subject != Array(subject.utf8) { return .refused(.ownedByAnother) }
    pushUnchecked(header, payload, by: subject)
    return .acknowledged(cursor: UInt64(entries.count))
  }

  /// Who pushed first under an id.
  func owner(of replica: ReplicaID) -> String? {
    entries.first { $0.header.span.replica == replica }.map { String(decoding: $0.subject, as: UTF8.self) }
  }

  /// Appends whatever it is, as a relay does that is broken.
  mutating func pushUnchecked(_ header: EntryHeader, _ payload: [UInt8], by subject: String = "ann") {
    let entry = LogEntry(
      cursor: UInt64(entries.count) + 1, subject: Array(subject.utf8), time: 5_000_000, header: header,
      payload: payload)
    digests.append(entry.digest(after: digests[entries.count]))
    entries.append(entry)
  }

  /// Goes back to an older copy of itself.
  mutating func restore(entries count: Int) {
    entries.removeLast(entries.count - count)
    digests.removeLast(digests.count - 1 - count)
  }

  /// One exchange, as a session does it: read what is new, then push until the outbox is empty, then read
  /// what came of it. Pushes that are refused wait for the log, and so does what was sent with them.
  mutating func exchange(
    with replica: Replica, in room: RoomName, by subject: String = "ann", largest: Int = 1000
  ) throws {
    try deliver(to: replica, in: room)
    try replica.settle(room, at: UInt64(entries.count))
    var rounds = 0
    while true {
      let cuts = try replica.cuts(in: room, maximumBytes: largest, limit: 7, excluding: [])
      if cuts.isEmpty { break }
      sending: for cut in cuts {
        switch push(cut.header, cut.payload, by: subject) {
        case .acknowledged(let cursor): try replica.acknowledge([(cut.header, cursor)], in: room)
        case .refused(.covered(_, let cursor)), .refused(.idClash(let cursor)):
          try replica.holdBack(cut.header, through: cursor, in: room)
          break sending
        case .refused(.ownedByAnother):
          try replica.disown(cut.header, in: room)
          break sending
        case .refused: throw RelayDoubleError.unexpected
        }
      }
      try deliver(to: replica, in: room)
      rounds += 1
      if rounds > 1000 { throw RelayDoubleError.endless }
    }
  }

  func deliver(to replica: Replica, in room: RoomName, batch: Int = 5) throws {
    var status = try replica.status(of: room)
    if status.cursor > UInt64(entries.count) || digests[Int(status.cursor)] != status.digest {
      try replica.restart(room)
      status = try replica.status(of: room)
    }
    var next = Int(status.cursor)
    while next < entries.count {
      let end = min(entries.count, next + batch)
      _ = try replica.receive(
        Array(entries[next..<end]), cursor: UInt64(end), digest: digests[end], in: room)
      next = end
    }
  }

  /// Whether no event is in the log twice.
  var holdsNothingTwice: Bool {
    for (place, entry) in entries.enumerated() {
      for other in entries[..<place] where other.header.document == entry.header.document {
        guard other.header.span.replica == entry.header.span.replica else { continue }
        if other.header.span.seqs.overlaps(entry.header.span.seqs) { return false }
      }
    }
    return true
  }
}

enum RelayDoubleError: Error {
  case unexpected
  case endless
}
