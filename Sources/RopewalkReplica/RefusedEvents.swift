import RopewalkCore
import RopewalkSync

/// Events in the outbox that are not at the relay, and do not get there unless something changes. They are in
/// the document here, and stay until they are sent or discarded (`ReplicaDocument.discardRefused`).
public struct RefusedEvents: Hashable, Sendable {
  /// Why they are not sent.
  public enum Reason: Hashable, Sendable, CaseIterable {
    /// The token does not allow editing in the room. With one that does they are sent by themselves.
    case forbidden
    /// The relay does not take so large an update, though it was cut as small as can be. They are offered
    /// again at each connection.
    case tooLarge
    /// The document is damaged in this file, so that they cannot be read (`Replica.verify`).
    case unreadable
    /// The document's name means another one in the room, whose log never had this one. They are kept, and
    /// sent or not as somebody decides (`ReplicaDocument.adoptRoomLineage`).
    case anotherLineage
    /// They build on events that were refused, and are sent after those.
    case followsRefused
  }

  /// The room.
  public var room: RoomName
  /// Name and lineage of the document.
  public var key: DocumentKey
  /// The events.
  public var span: EventSpan
  /// Why they are not sent.
  public var reason: Reason

  /// Names refused events.
  package init(room: RoomName, key: DocumentKey, span: EventSpan, reason: Reason) {
    self.room = room
    self.key = key
    self.span = span
    self.reason = reason
  }

  /// How many events these are.
  public var eventCount: Int { span.seqs.count }
}

extension RefusedEvents.Reason: CustomStringConvertible {
  /// A part of a sentence: "… are not at the relay: the token does not allow editing in this room".
  public var description: String {
    switch self {
    case .forbidden: "the token does not allow editing in this room"
    case .tooLarge: "the relay does not take an update of this size"
    case .unreadable: "the document is damaged in this replica"
    case .anotherLineage: "the room's document of that name began with another text"
    case .followsRefused: "they build on events that were refused"
    }
  }
}

extension RefusedEvents.Reason {
  /// What an outbox row's state says; nil where the row waits for its turn or for the log.
  init?(_ state: OutboxState) {
    switch state {
    case .ready, .untilLogIsRead: return nil
    case .forbidden: self = .forbidden
    case .tooLarge: self = .tooLarge
    case .unreadable: self = .unreadable
    }
  }
}

/// What an outbox holds for one room.
package struct OutboxStanding: Sendable {
  /// Entries that wait for their turn, for the relay's answer, or for the log to show them.
  package var waiting = 0
  /// What is not sent.
  package var refused: [RefusedEvents] = []

  /// Makes a standing; an empty one by default.
  package init(waiting: Int = 0) { self.waiting = waiting }
}
