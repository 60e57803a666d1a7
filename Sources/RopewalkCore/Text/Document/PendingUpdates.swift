/// An update that had waited for others and could not be merged when those had come.
public struct RefusedUpdate: Hashable, Sendable {
  /// The update.
  public let update: Update
  /// Why: `idClash` where it contradicts what is known by now, or `tooLarge`.
  public let error: ApplyError
}

/// Updates that wait for events they follow. Each is found by any of the events it waits for.
struct PendingUpdates: Sendable {
  private struct Waiting: Sendable {
    /// The event waited for is the one of its replica with this sequence number.
    let seq: UInt32
    let ticket: UInt64
  }

  private struct Held: Sendable {
    let update: Update
    let missing: [EventID]
  }

  /// By ticket: drawn in order of arrival, never twice.
  private var held: [UInt64: Held] = [:]
  private var tickets: [Update: UInt64] = [:]
  private var nextTicket: UInt64 = 0
  /// By replica waited for, latest sequence number first.
  private var byReplica: [ReplicaID: [Waiting]] = [:]

  /// Those that had waited and could not be merged when their turn came.
  var refused: [RefusedUpdate] = []

  var isEmpty: Bool { held.isEmpty }

  /// Keeps an update until any of the events it waits for comes. One that is here already is passed over.
  mutating func insert(_ update: Update, waitingFor events: [EventID]) {
    guard tickets[update] == nil else { return }
    let ticket = nextTicket
    nextTicket += 1
    tickets[update] = ticket
    held[ticket] = Held(update: update, missing: events)
    for event in events {
      var list = byReplica[event.replica] ?? []
      byReplica[event.replica] = nil  // so that the list is changed in place
      list.insert(Waiting(seq: event.seq, ticket: ticket), at: Self.start(of: event.seq, in: list))
      byReplica[event.replica] = list
    }
  }

  /// Takes out one update that waits for an event among the first `known` of `replica`.
  mutating func take(of replica: ReplicaID, known: UInt32) -> Update? {
    guard let last = byReplica[replica]?.last, last.seq < known, let taken = held[last.ticket] else {
      return nil
    }
    held[last.ticket] = nil
    tickets[taken.update] = nil
    for event in taken.missing { forget(event, last.ticket) }
    return taken.update
  }

  private mutating func forget(_ event: EventID, _ ticket: UInt64) {
    guard var list = byReplica[event.replica] else { return }
    byReplica[event.replica] = nil
    var at = Self.start(of: event.seq, in: list)
    while at < list.count, list[at].ticket != ticket { at += 1 }
    if at < list.count { list.remove(at: at) }
    if !list.isEmpty { byReplica[event.replica] = list }
  }

  /// The first of a list, latest first, that is not later than `seq`.
  private static func start(of seq: UInt32, in list: [Waiting]) -> Int {
    var (low, high) = (0, list.count)
    while low < high {
      let middle = (low + high) / 2
      if list[middle].seq > seq { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// All updates, in order of arrival.
  var all: [Update] { held.keys.sorted().compactMap { held[$0]?.update } }

  /// What is waited for, ascending.
  var missing: [EventID] {
    var missing: [EventID] = []
    for replica in byReplica.keys.sorted() {
      for waiting in (byReplica[replica] ?? []).reversed() {
        let event = EventID(replica: replica, seq: waiting.seq)
        if missing.last != event { missing.append(event) }
      }
    }
    return missing
  }
}
