/// Updates that wait for events they follow.
struct PendingUpdates: Sendable {
  struct Waiting: Sendable {
    /// The event waited for is the one of its replica with this sequence number.
    let seq: UInt32
    let update: Update
  }

  /// By replica waited for, latest sequence number first.
  private(set) var byReplica: [ReplicaID: [Waiting]] = [:]
  private(set) var count = 0

  mutating func insert(_ update: Update, waitingFor event: EventID) {
    var list = byReplica[event.replica] ?? []
    var (low, high) = (0, list.count)
    while low < high {
      let middle = (low + high) / 2
      if list[middle].seq > event.seq { low = middle + 1 } else { high = middle }
    }
    var same = low
    while same < list.count, list[same].seq == event.seq {
      if list[same].update.bytes == update.bytes { return }
      same += 1
    }
    list.insert(Waiting(seq: event.seq, update: update), at: low)
    byReplica[event.replica] = list
    count += 1
  }

  /// Takes out one update whose event is among the first `known` of `replica`.
  mutating func take(of replica: ReplicaID, known: UInt32) -> Update? {
    guard let last = byReplica[replica]?.last, last.seq < known else { return nil }
    byReplica[replica]?.removeLast()
    if byReplica[replica]?.isEmpty == true { byReplica[replica] = nil }
    count -= 1
    return last.update
  }

  /// All updates, in a fixed order.
  var all: [Update] { events.flatMap { event in byReplica[event]?.map { $0.update } ?? [] } }

  /// What is waited for.
  var missing: [EventID] {
    var missing: [EventID] = []
    for replica in events {
      for waiting in byReplica[replica] ?? [] {
        let event = EventID(replica: replica, seq: waiting.seq)
        if missing.last != event { missing.append(event) }
      }
    }
    return missing.sorted()
  }

  private var events: [ReplicaID] { byReplica.keys.sorted() }
}
