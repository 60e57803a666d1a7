import RopewalkCore

/// One event as its author made it: one scalar in or out, at an index of the version that the author saw.
struct ReferenceEvent: Hashable {
  enum Operation: Hashable {
    case insert(Unicode.Scalar, at: Int)
    case delete(at: Int)
  }

  let id: EventID
  /// The heads of the version that the author saw.
  let parents: [EventID]
  let operation: Operation
}
