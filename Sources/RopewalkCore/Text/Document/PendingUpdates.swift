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
    var missing: [EventID]
    var progress: WaitingProgress?
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

  /// How many updates wait.
  var count: Int { held.count }

  /// Keeps an update until any of the events it waits for comes. One that is here already is passed over.
  mutating func insert(_ update: Update, waitingFor events: [EventID]) {
    guard tickets[update] == nil else { return }
    let ticket = nextTicket
    nextTicket += 1
    tickets[update] = ticket
    held[ticket] = Held(update: update, missing: [])
    wait(ticket, for: events)
  }

  /// Lets an update that is kept wait for other events.
  mutating func wait(_ ticket: UInt64, for events: [EventID]) {
    held[ticket]?.missing = events
    for event in events {
      var list = byReplica[event.replica] ?? []
      byReplica[event.replica] = nil  // so that the list is changed in place
      list.insert(Waiting(seq: event.seq, ticket: ticket), at: Self.start(of: event.seq, in: list))
      byReplica[event.replica] = list
    }
  }

  /// Finds an update that waits for an event among the first `known` of `replica`, which then waits no more.
  mutating func wake(of replica: ReplicaID, known: UInt32) -> (ticket: UInt64, update: Update)? {
    guard let last = byReplica[replica]?.last, last.seq < known, let woken = held[last.ticket] else {
      return nil
    }
    for event in woken.missing { forget(event, last.ticket) }
    held[last.ticket]?.missing = []
    return (last.ticket, woken.update)
  }

  /// Lets an update go.
  mutating func remove(_ ticket: UInt64) {
    guard let removed = held.removeValue(forKey: ticket) else { return }
    tickets[removed.update] = nil
  }

  /// How far an update has been taken in, while those that wait for each other are woken in turn.
  subscript(progressOf ticket: UInt64) -> WaitingProgress? {
    get { held[ticket]?.progress }
    set { held[ticket]?.progress = newValue }
  }

  /// Ends a round of waking.
  mutating func forgetProgress(of ticketsWoken: [UInt64]) {
    for ticket in ticketsWoken { held[ticket]?.progress = nil }
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

/// An update of one author, decoded, and how many of its runs are merged: two long ones that follow each
/// other to and fro are woken as many times as they cross. Lives only while a document wakes what waits, so
/// no two documents ever hold it.
///
/// `@unchecked Sendable` for that reason: the call that makes one lets it go before it returns.
final class WaitingProgress: @unchecked Sendable {
  let decoded: DecodedUpdate
  var runs = 0

  init(_ decoded: consuming DecodedUpdate) { self.decoded = decoded }
}
