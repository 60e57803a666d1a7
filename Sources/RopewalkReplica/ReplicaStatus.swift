import RopewalkCore
import RopewalkSync

/// A document at a glance.
public struct DocumentStatus: Hashable, Sendable {
  /// The room.
  public var room: RoomName
  /// Name and lineage.
  public var key: DocumentKey
  /// Whether `Replica.document(_:in:)` means this lineage by the name.
  public var isCurrent: Bool
  /// The present moment.
  public var version: Version
  /// Events merged.
  public var eventCount: Int
  /// Length of the text in scalars.
  public var scalarCount: Int
  /// Events that the relay has not acknowledged.
  public var unsentEventCount: Int
}

/// A room's log as this replica knows it.
public struct RoomStatus: Hashable, Sendable {
  /// The room.
  public var room: RoomName
  /// The last entry read, 0 for none.
  public var cursor: UInt64
  /// The log's digest there.
  public var digest: LogDigest
  /// The log began anew and what it lacks has not been offered yet.
  public var needsOffer: Bool
  /// Events that the relay has not acknowledged, without those of documents that stay on this device since the
  /// room's was adopted (`LineageStatus.isHeldBack`).
  public var unsentEventCount: Int
  /// What the relay allowed when it was last heard: below `edit`, edits stay on this device. Nil if the room
  /// was never joined, or not allowed.
  public var role: Role?
}

/// An update that is not in the text here, and is kept: it contradicts what the document knows under the same ids, or it is
/// damaged, or it waits for events that the room's log does not have. What was written here stays.
public struct HeldEntry: Hashable, Sendable {
  /// The room.
  public var room: RoomName
  /// The document that it was for, if that is known.
  public var key: DocumentKey?
  /// Its place in the room's log; nil if it came otherwise.
  public var cursor: UInt64?
  /// Who pushed it, by the relay's word.
  public var subject: String?
  /// What is wrong with it: a sentence without content.
  public var reason: String
  /// Its size, in bytes.
  public var byteCount: Int

  init(
    room: RoomName, key: DocumentKey?, cursor: UInt64? = nil, subject: String? = nil, reason: String,
    byteCount: Int
  ) {
    (self.room, self.key, self.cursor, self.subject) = (room, key, cursor, subject)
    (self.reason, self.byteCount) = (reason, byteCount)
  }
}

/// Unsent events that have another id than they had, since somebody else uses theirs in the room. They go on to the relay
/// under that, with all that follows them.
public struct ReauthoredEvents: Hashable, Sendable {
  /// The room.
  public var room: RoomName
  /// Name and lineage of the document.
  public var key: DocumentKey
  /// How many events these are.
  public var eventCount: Int

  /// Names events.
  package init(room: RoomName, key: DocumentKey, eventCount: Int) {
    self.room = room
    self.key = key
    self.eventCount = eventCount
  }
}

/// Documents of one name.
public struct LineageStatus: Hashable, Sendable {
  /// What this one began as.
  public var lineage: Lineage
  /// Whether the name means this one here.
  public var isCurrent: Bool
  /// Whether it is the room's: the lineage of the first entry of that name in the log.
  public var isRooms: Bool
  /// Whether its events stay on this device, since the room's log never had them and the name means another
  /// one, here or in the room: until somebody decides (`ReplicaDocument.adoptRoomLineage`).
  public var isHeldBack: Bool
  /// Events merged.
  public var eventCount: Int
}

/// Something that happened to a document.
public struct DocumentChange: Hashable, Sendable {
  /// Where a change came from.
  public enum Origin: Hashable, Sendable {
    /// A call of `insert`, `delete`, `replace`, `edit` or `seed` through this `Replica`.
    case edit
    /// Another process, or another `Replica` on the same file.
    case otherProcess
    /// The room's log.
    case relay
    /// A merged file.
    case file
    /// The name came to mean another document, or a text was carried over into that.
    case adoption
    /// Refused events were taken out (`ReplicaDocument.discardRefused`), in this process.
    case discarding
  }

  /// Where it came from.
  public var origin: Origin
  /// The room.
  public var room: RoomName
  /// The document.
  public var key: DocumentKey
  /// What to do to the text, in order.
  public var patches: [TextPatch]
}

/// One stretch of a document's history.
public struct HistoryEntry: Hashable, Sendable {
  /// How this replica came by it.
  public enum Origin: Int, Hashable, Sendable {
    /// Written in this file.
    case edit = 0
    /// Read from the room's log.
    case relay = 1
    /// Merged from another file.
    case file = 2
    /// What the document began as.
    case seed = 3
    /// Read from a checkpoint in place of the log's beginning. `subject` and `time` are those of the last
    /// entry that it stands for, `cursor` is the checkpoint's, and what the text gained is not known.
    case checkpoint = 4
  }

  /// The events.
  public var span: EventSpan
  /// How this replica came by it.
  public var origin: Origin
  /// When it began and ended, milliseconds since 1970: by this device's clock, or by the relay's.
  public var time: ClosedRange<UInt64>
  /// Who pushed it, by the relay's word; nil if it is not at the relay or the relay has not said.
  public var subject: String?
  /// Its place in the room's log; nil if it is not there.
  public var cursor: UInt64?
  /// Scalars that the text here gained by it.
  public var inserted: Int
  /// Scalars that the text here lost by it.
  public var deleted: Int
}

/// Where the events that were written in this file are.
public struct Receipts: Hashable, Sendable {
  /// On this device only.
  public var onThisDevice: [EventSpan]
  /// Durable at the relay, with their cursors.
  public var atRelay: [Stored]
  /// Those on this device only that are not sent unless something changes, and why.
  public var refused: [RefusedEvents] = []
  /// Those that had another id when they were written, by their places there: somebody else uses that in the room.
  public var reauthored: [Reauthored] = []

  /// Events that have another id than they had: those under the old one's replica id, from it on.
  public struct Reauthored: Hashable, Sendable {
    /// The first of them, as it was.
    public var event: EventID
    /// Their replica id now, under which they are numbered from 0.
    public var replica: ReplicaID
  }

  /// A span in the room's log.
  public struct Stored: Hashable, Sendable {
    /// The events.
    public var span: EventSpan
    /// Their place in the log.
    public var cursor: UInt64
  }

  /// Where one event is.
  public enum Place: Hashable, Sendable {
    /// On this device only; it is sent when the relay can be reached.
    case onThisDevice
    /// On this device only, and not sent.
    case refused(RefusedEvents.Reason)
    /// In the room's log.
    case atRelay(cursor: UInt64)
  }

  /// How many events are on this device only.
  public var unsentCount: Int { onThisDevice.reduce(0) { $0 + $1.seqs.count } }
  /// How many events are at the relay.
  public var sentCount: Int { atRelay.reduce(0) { $0 + $1.span.seqs.count } }
  /// How many events are not sent unless something changes.
  public var refusedCount: Int { refused.reduce(0) { $0 + $1.eventCount } }

  /// Where an event is that was written in this file; nil for others. For an edit, ask for a head of the
  /// version after it. One that has got another id since then (`reauthored`) is found by the one that it had. O(n) in
  /// the stretches.
  public func place(of event: EventID) -> Place? {
    var event = event
    // Each step leads to an id that was new then.
    for _ in 0...reauthored.count {
      let next = reauthored.filter { $0.event.replica == event.replica && $0.event.seq <= event.seq }
        .max { $0.event.seq < $1.event.seq }
      guard let next else { break }
      event = EventID(replica: next.replica, seq: event.seq - next.event.seq)
    }
    return currentPlace(of: event)
  }

  private func currentPlace(of event: EventID) -> Place? {
    if let stored = atRelay.first(where: { $0.span.contains(event) }) {
      return .atRelay(cursor: stored.cursor)
    }
    if let refused = refused.first(where: { $0.span.contains(event) }) { return .refused(refused.reason) }
    return onThisDevice.contains { $0.contains(event) } ? .onThisDevice : nil
  }
}

extension EventSpan {
  fileprivate func contains(_ event: EventID) -> Bool {
    replica == event.replica && seqs.contains(event.seq)
  }
}

/// What a merge of two files did.
public struct MergeReport: Hashable, Sendable {
  /// The documents that gained events, and how many.
  public var gained: [Gain]
  /// Documents that could not be merged: one id was used for different events, and both may be known to
  /// others.
  public var clashes: [Clash]

  /// A document that gained events.
  public struct Gain: Hashable, Sendable {
    /// The room.
    public var room: RoomName
    /// The document.
    public var key: DocumentKey
    /// New events.
    public var eventCount: Int
  }

  /// A document that could not be merged.
  public struct Clash: Hashable, Sendable {
    /// The room.
    public var room: RoomName
    /// The document.
    public var key: DocumentKey
    /// The first event that differs.
    public var event: EventID
  }
}

/// What a check of a file found.
public struct VerificationReport: Hashable, Sendable {
  /// What is wrong; empty if all is well.
  public var damage: [ReplicaError.Damage]
  /// The documents that could be read in full and whose every event is safe.
  public var soundDocuments: [DocumentStatus]
  /// The documents that could not.
  public var damagedDocuments: [Lost]
  /// Updates that are whole in the file and could not be merged. No damage of the file.
  public var held: [HeldEntry]

  /// A document that could not be read in full.
  public struct Lost: Hashable, Sendable {
    /// The room.
    public var room: String
    /// Name and lineage.
    public var name: String
    /// What it began as.
    public var lineage: Lineage
    /// The plain text that the file holds for it, if that can be read, has this many bytes.
    public var readableTextBytes: Int?
  }

  /// Whether nothing is wrong.
  public var isSound: Bool { damage.isEmpty }
}
