/// What others in a room show, each value held back until the text that it belongs to is there.
///
/// Until then their earlier value is shown. Of each session a few values are held, so that one whose text comes
/// late is shown although newer ones have come; when there are too many, the newest takes the place of the one
/// before it.
public struct OthersPresence: Sendable {
  /// What one session shows.
  public struct Shown: Hashable, Sendable {
    /// Names the session at the relay.
    public var session: UInt64
    /// Who it is, by the relay's word, in UTF-8.
    public var subject: [UInt8]
    /// The application's value.
    public var value: [UInt8]
  }

  private struct Member: Sendable {
    var subject: [UInt8]
    var shown: [UInt8]?
    var held: [PresenceEnvelope] = []
  }

  /// The most values that are held of one session.
  public static let mostHeld = 16

  private var members: [UInt64: Member] = [:]

  /// Nobody.
  public init() {}

  /// Whether a value waits for its text.
  public var isHolding: Bool { members.values.contains { !$0.held.isEmpty } }

  /// The documents in which values wait for their text.
  public var awaitedDocuments: Set<DocumentKey> {
    var documents: Set<DocumentKey> = []
    for member in members.values {
      for envelope in member.held { for events in envelope.events { documents.insert(events.document) } }
    }
    return documents
  }

  /// What is shown, ordered by session.
  public var shown: [Shown] {
    members.sorted { $0.key < $1.key }.compactMap { session, member in
      member.shown.map { Shown(session: session, subject: member.subject, value: $0) }
    }
  }

  /// Takes in what the relay sent. A value that is not an envelope withdraws the one before it.
  public mutating func receive(_ values: [RelayMessage.PresenceValue], isComplete: Bool) {
    if isComplete {
      let named = Set(values.map { $0.session })
      members = members.filter { named.contains($0.key) }
    }
    for value in values {
      guard let bytes = value.value, let envelope = try? PresenceEnvelope(decoding: bytes) else {
        members[value.session] = nil
        continue
      }
      var member = members[value.session] ?? Member(subject: value.subject)
      member.subject = value.subject
      if member.held.count >= Self.mostHeld { member.held.removeLast() }
      member.held.append(envelope)
      members[value.session] = member
    }
  }

  /// Shows of each session the newest value whose text is there.
  public mutating func release(_ isThere: (PresenceEnvelope) -> Bool) {
    for (session, member) in members {
      guard let place = member.held.lastIndex(where: isThere) else { continue }
      members[session]?.shown = member.held[place].value
      members[session]?.held.removeFirst(place + 1)
    }
  }
}
