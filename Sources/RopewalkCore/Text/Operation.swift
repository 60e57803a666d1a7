/// A run of like events: typing, or deleting in one direction.
struct Operation: Hashable, Sendable {
  enum Kind: UInt8, Sendable {
    /// Event i inserts one scalar at `position + i`.
    case insert = 0
    /// Every event deletes the scalar at `position`.
    case deleteForward = 1
    /// Event i deletes the scalar at `position - i`. Only in runs of two events or more.
    case deleteBackward = 2
  }

  /// The index of every event, and so every position, is below this.
  static let positionLimit: UInt64 = 1 << 30

  var kind: Kind
  /// A scalar index in the version that the first event's author saw.
  var position: UInt32
  /// Number of events.
  var length: UInt32

  /// Where the author's caret stands after the run.
  @inline(__always) var caret: UInt32 {
    switch kind {
    case .insert: position &+ length
    case .deleteForward: position
    case .deleteBackward: position &+ 1 &- length
    }
  }

  /// Without its first `count` events, which must not be all.
  @inline(__always) func dropping(_ count: UInt32) -> Operation {
    var rest = self
    rest.length -= count
    switch kind {
    case .insert: rest.position += count
    case .deleteForward: break
    case .deleteBackward:
      rest.position -= count
      if rest.length == 1 { rest.kind = .deleteForward }
    }
    return rest
  }

  /// Only its first `count` events, at least one.
  @inline(__always) func prefix(_ count: UInt32) -> Operation {
    Operation(kind: count == 1 && kind != .insert ? .deleteForward : kind, position: position, length: count)
  }

  /// Takes in the events with which `next` continues this run, and returns how many. Event by event, so
  /// that how events are grouped does not depend on how they were cut before.
  mutating func absorb(_ next: Operation) -> UInt32 {
    if kind == .insert {
      guard next.kind == .insert, next.position == position + length else { return 0 }
      length += next.length
      return next.length
    }
    guard next.kind != .insert else { return 0 }
    let goesForward = (length == 1 || kind == .deleteForward) && next.position == position
    let goesBackward =
      length == 1
      ? next.position &+ 1 == position
      : kind == .deleteBackward && next.position &+ length == position
    guard goesForward || goesBackward else { return 0 }
    kind = goesForward ? .deleteForward : .deleteBackward
    let absorbed = next.length == 1 || next.kind == kind ? next.length : 1
    length += absorbed
    return absorbed
  }
}
