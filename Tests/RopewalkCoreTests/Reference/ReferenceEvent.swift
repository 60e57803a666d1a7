import RopewalkCore

/// One event as its author made it: one scalar in or out, at an index of the version that the author saw.
struct ReferenceEvent: Hashable {
  enum Operation: Hashable {
    case insert(Unicode.Scalar, at: Int)
    case delete(at: Int)
  }

  let id: EventID
  /// The heads of the version that the author saw. The author's event before is one in any case, listed or not.
  let parents: [EventID]
  let operation: Operation

  /// All events that it follows.
  var followed: [EventID] {
    guard id.seq > 0 else { return parents }
    let own = EventID(replica: id.replica, seq: id.seq - 1)
    return parents.contains(own) ? parents : parents + [own]
  }
}
