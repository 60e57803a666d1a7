/// An update that had waited for others and could not be merged when those had come.
public struct RefusedUpdate: Hashable, Sendable {
  /// The update.
  public let update: Update
  /// Why: `idClash` where it contradicts what is known by now, or `tooLarge`.
  public let error: ApplyError
}

/// Updates that wait for events they follow. Each is found by any of the events it waits for, in O(log n).
struct PendingUpdates: Sendable {
  /// An update waits for the event of a replica with this sequence number.
  private struct Waiting: Comparable, Sendable {
    let seq: UInt32
    let ticket: UInt64
    /// Which time it was that the update began to wait: what is of an earlier one counts no more.
    let round: UInt32

    static func < (a: Waiting, b: Waiting) -> Bool {
      a.seq == b.seq ? a.ticket < b.ticket : a.seq < b.seq
    }
  }

  private struct Held: Sendable {
    let update: Update
    var missing: [EventID] = []
    var round: UInt32 = 0
    var progress: WaitingProgress?
  }

  /// By ticket: drawn in order of arrival, never twice.
  private var held: [UInt64: Held] = [:]
  private var tickets: [Update: UInt64] = [:]
  private var nextTicket: UInt64 = 0
  /// By replica waited for.
  private var byReplica: [ReplicaID: MinHeap<Waiting>] = [:]

  /// Those that had waited and could not be merged when their turn came.
  var refused: [RefusedUpdate] = []

  var isEmpty: Bool { held.isEmpty }

  /// How many updates wait. O(1).
  var count: Int { held.count }

  /// Keeps an update until any of the events it waits for comes. One that is here already is passed over.
  mutating func insert(_ update: Update, waitingFor events: [EventID]) {
    guard tickets[update] == nil else { return }
    let ticket = nextTicket
    nextTicket += 1
    tickets[update] = ticket
    held[ticket] = Held(update: update)
    wait(ticket, for: events)
  }

  /// Lets an update that is kept wait for other events.
  mutating func wait(_ ticket: UInt64, for events: [EventID]) {
    guard let round = held[ticket]?.round else { return }
    held[ticket]?.missing = events
    for event in events {
      byReplica[event.replica, default: MinHeap()].insert(
        Waiting(seq: event.seq, ticket: ticket, round: round))
    }
  }

  /// Finds an update that waits for an event among the first `known` of `replica`, which then waits no more.
  mutating func wake(of replica: ReplicaID, known: UInt32) -> (ticket: UInt64, update: Update)? {
    while let first = byReplica[replica]?.first, first.seq < known {
      byReplica[replica]?.removeFirst()
      if byReplica[replica]?.isEmpty == true { byReplica[replica] = nil }
      guard let woken = held[first.ticket], woken.round == first.round else { continue }
      held[first.ticket]?.missing = []
      held[first.ticket]?.round = first.round &+ 1
      return (first.ticket, woken.update)
    }
    return nil
  }

  /// Lets an update go.
  mutating func remove(_ ticket: UInt64) {
    guard let removed = held.removeValue(forKey: ticket) else { return }
    tickets[removed.update] = nil
    if held.isEmpty { byReplica = [:] }
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

  /// All updates, in order of arrival.
  var all: [Update] { held.keys.sorted().compactMap { held[$0]?.update } }

  /// What is waited for, ascending.
  var missing: [EventID] {
    var missing: [EventID] = []
    for event in held.values.flatMap({ $0.missing }).sorted() where missing.last != event {
      missing.append(event)
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
