import RopewalkCore

/// What a client sends as its presence: an application's value, and which text it belongs to. A relay does not
/// look into it. See *Presence* in `Spec/protocol.md`.
public struct PresenceEnvelope: Hashable, Sendable {
  /// Events of one replica in one document, up to some sequence number.
  public struct Events: Hashable, Sendable {
    /// The document.
    public var document: DocumentKey
    /// Who wrote them.
    public var replica: ReplicaID
    /// How many events of that replica are needed: those with smaller sequence numbers.
    public var count: UInt32

    /// Describes events.
    public init(document: DocumentKey, replica: ReplicaID, count: UInt32) {
      (self.document, self.replica, self.count) = (document, replica, count)
    }
  }

  /// How far the room's log belongs to it.
  public var cursor: UInt64
  /// What belongs to it and was not known to be in the log; at most `mostEvents`.
  public var events: [Events]
  /// The application's value.
  public var value: [UInt8]

  /// What an envelope without events adds to a value, in bytes at most.
  public static let reserve = 16
  /// The most entries of `events`.
  public static let mostEvents = 16

  /// Puts a value into an envelope.
  public init(cursor: UInt64, events: [Events], value: [UInt8]) {
    (self.cursor, self.events, self.value) = (cursor, events, value)
  }

  /// The bytes on the wire.
  public var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.byte(1)
    writer.varint(cursor)
    writer.varint32(UInt32(events.count))
    for events in events {
      writer.block(events.document.name.utf8)
      writer.fixed64(events.document.lineage.rawValue)
      writer.fixed64(events.replica.rawValue)
      writer.varint32(events.count)
    }
    writer.append(value)
    return writer.bytes
  }

  /// Reads what another client sent. Throws `FormatError`.
  public init(decoding bytes: [UInt8]) throws(FormatError) {
    var reader = ByteReader(bytes)
    guard try reader.byte("form") == 1 else { throw FormatError(.badValue, at: 0, field: "form") }
    cursor = try reader.varint("cursor")
    let place = reader.offset
    let count = try reader.varint32("count of events")
    guard count <= Self.mostEvents else { throw FormatError(.badValue, at: place, field: "count of events") }
    events = []
    for _ in 0..<count {
      let start = reader.offset
      guard let name = DocumentName(utf8: Array(try reader.block("document name"))) else {
        throw FormatError(.badValue, at: start, field: "document name")
      }
      let lineage = Lineage(rawValue: try reader.fixed64("lineage"))
      let replica = ReplicaID(rawValue: try reader.fixed64("replica"))
      events.append(
        Events(
          document: DocumentKey(name: name, lineage: lineage), replica: replica,
          count: try reader.varint32("event count")))
    }
    value = Array(try reader.bytes(reader.remaining, "value"))
  }
}
