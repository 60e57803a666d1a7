import RopewalkCore

/// Users of one Ropewalk relay.
struct LiveRopewalk: LiveRoom {
  private var relay: RelayStandIn
  private var documents: [TextDocument]
  /// Events of the text that all began with.
  private let seeded: Int
  private var ownEvents: [UInt32]
  private var toServer = Mail<(session: UInt64, message: [UInt8])>()
  private var toClients = Mail<[UInt8]>()
  private let latency: Int
  private var pushes: UInt64 = 0
  private(set) var bytesUp = 0
  private(set) var bytesDown = 0

  /// - Parameter latency: one way, in ticks.
  init(_ text: String, users: Int, latency: Int) throws {
    let start = TextDocument(seed: text)
    documents = (0..<users).map { user in
      var document = start
      document.replica = Self.replica(user)
      return document
    }
    seeded = start.eventCount
    ownEvents = documents.map { _ in 0 }
    relay = try RelayStandIn(sessions: users, lineage: start.lineage)
    self.latency = latency
  }

  private static func replica(_ user: Int) -> ReplicaID {
    ReplicaID(rawValue: 0x1234_5678_9abc_0000 + UInt64(user))
  }

  func length(of user: Int) -> Int { documents[user].scalarCount }

  mutating func edit(_ edit: LiveEdit, by user: Int, tick: Int) {
    let range = edit.position..<edit.position + edit.deleted
    documents[user].replace(range, with: edit.inserted)
    let first = ownEvents[user]
    ownEvents[user] += UInt32(edit.deleted + edit.insertedCount)
    let span = EventSpan(replica: Self.replica(user), seqs: first..<ownEvents[user])
    guard let update = documents[user].update(of: span) else { return }
    pushes += 1
    let message = relay.pushMessage(update, number: pushes)
    bytesUp += message.count
    toServer.send((UInt64(user), message), due: tick + latency)
  }

  mutating func runServer(tick: Int) throws {
    while let (session, message) = toServer.next(at: tick) { try relay.receive(message, from: session) }
    for message in relay.publish() {
      bytesDown += message.count
      toClients.send(message, due: tick + latency)
    }
  }

  mutating func runClients(tick: Int, moved: (Int, LiveEdit) -> Void) throws {
    while let message = toClients.next(at: tick) {
      for user in documents.indices {
        for entry in try RelayStandIn.entries(in: message)
        where entry.header.span.replica != Self.replica(user) {
          for patch in try documents[user].apply(Update(bytes: entry.payload)) {
            let count = patch.inserted.reduce(0) { $0 + ($1 & 0xc0 != 0x80 ? 1 : 0) }
            moved(
              user,
              LiveEdit(position: patch.position, deleted: patch.deleted, inserted: "", insertedCount: count))
          }
        }
      }
    }
  }

  var isQuiet: Bool { toServer.isEmpty && toClients.isEmpty }
  var hasConverged: Bool {
    let first = documents[0].utf8
    let events = Int(ownEvents.reduce(0, +)) + seeded
    return documents.allSatisfy { $0.utf8 == first && $0.eventCount == events }
  }
}
