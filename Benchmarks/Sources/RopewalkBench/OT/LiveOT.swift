import OperationalTransform

/// Users of one OT server.
struct LiveOT: LiveRoom {
  private var server: Server
  private var clients: [Client]
  private var toServer = Mail<[UInt8]>()
  private var toClients = Mail<[UInt8]>()
  private let latency: Int
  private(set) var bytesUp = 0
  private(set) var bytesDown = 0

  /// - Parameter latency: one way, in ticks.
  init(_ text: String, users: Int, latency: Int) {
    let server = Server(text)
    clients = (0..<UInt32(users)).map { Client(author: $0, text: server.text) }
    self.server = server
    self.latency = latency
  }

  func length(of user: Int) -> Int { clients[user].text.count }

  private mutating func send(_ submission: Submission?, tick: Int) {
    guard let submission else { return }
    let message = submission.encoded
    bytesUp += message.count
    toServer.send(message, due: tick + latency)
  }

  mutating func edit(_ edit: LiveEdit, by user: Int, tick: Int) {
    let operation = TextOperation(at: edit.position, deleting: edit.deleted, inserting: edit.inserted)
    send(clients[user].edit(operation), tick: tick)
  }

  mutating func runServer(tick: Int) throws {
    while let message = toServer.next(at: tick) {
      guard let submission = Submission(encoded: message) else { throw BenchError("damaged submission") }
      guard let revision = try server.receive(submission) else { continue }
      let broadcast = revision.encoded
      bytesDown += broadcast.count
      toClients.send(broadcast, due: tick + latency)
    }
  }

  mutating func runClients(tick: Int, moved: (Int, LiveEdit) -> Void) throws {
    while let message = toClients.next(at: tick) {
      for user in clients.indices {
        guard let revision = Revision(encoded: message) else { throw BenchError("damaged revision") }
        let (change, submission) = clients[user].receive(revision)
        send(submission, tick: tick)
        Self.report(change) { moved(user, $0) }
      }
    }
  }

  private static func report(_ change: TextOperation, to moved: (LiveEdit) -> Void) {
    var position = 0
    for component in change.components {
      switch component {
      case .retain(let count): position += count
      case .insert(let text):
        moved(LiveEdit(position: position, deleted: 0, inserted: "", insertedCount: text.count))
        position += text.count
      case .delete(let count):
        moved(LiveEdit(position: position, deleted: count, inserted: "", insertedCount: 0))
      }
    }
  }

  var isQuiet: Bool { toServer.isEmpty && toClients.isEmpty && clients.allSatisfy(\.isSynchronized) }
  var hasConverged: Bool { clients.allSatisfy { $0.text.utf8 == server.text.utf8 } }
}
