import RopewalkCore
import RopewalkSync

/// How many tips a subject may have in one document (`Spec/retention.md`, *Too many branches*).
package struct TipLimits: Sendable {
  /// Fewer than this many are never asked what they know.
  package var free = 64
  /// Never more than this many, so that no more of a subject's events than that are concurrent with each other.
  package var most = 1024

  /// Those of the specification.
  package init() {}
}

/// The tips of one subject in one document: replica ids whose events, with what these follow, are all that it has
/// written there and that can be merged.
final class SubjectTips {
  /// Where an id's last event is in the log.
  struct Last {
    /// How many events the id has up to there, those that are not there counted.
    var end: UInt32 = 0
    /// The entry that holds the last of them.
    var cursor: UInt64 = 0
  }

  /// By id. As long as `areLastsKnown` is false, only what came since then.
  private(set) var lasts: [ReplicaID: Last] = [:]
  /// Whether all of `lasts` was looked up.
  private(set) var areLastsKnown = false

  init(_ ids: [ReplicaID]) {
    for id in ids { lasts[id] = Last() }
  }

  var count: Int { lasts.count }

  /// Notes an entry if its id is a tip; false if it is not.
  func note(_ entry: LogEntry) -> Bool {
    guard let index = lasts.index(forKey: entry.header.span.replica) else { return false }
    let end = entry.header.span.seqs.upperBound
    if lasts.values[index].end < end { lasts.values[index] = Last(end: end, cursor: entry.cursor) }
    return true
  }

  func insert(_ id: ReplicaID, _ last: Last) { lasts[id] = last }

  func remove(_ id: ReplicaID) { lasts[id] = nil }

  /// Takes in what the file says of each id.
  func complete(_ stored: (ReplicaID) throws -> Last) rethrows {
    guard !areLastsKnown else { return }
    for (id, last) in lasts {
      let found = try stored(id)
      if found.end > last.end { lasts[id] = found }
    }
    areLastsKnown = true
  }

  /// The last event of each, as far as it has any.
  var lastEvents: [EventID] {
    lasts.compactMap { id, last in last.end > 0 ? EventID(replica: id, seq: last.end - 1) : nil }
  }

  /// The one whose last event came first of those of which that is known.
  func oldest(isKnown: (EventID) -> Bool) -> ReplicaID? {
    lasts.filter { id, last in last.end > 0 && isKnown(EventID(replica: id, seq: last.end - 1)) }
      .min { ($0.value.cursor, $0.key) < ($1.value.cursor, $1.key) }?.key
  }
}
