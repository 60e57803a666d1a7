import RopewalkCore
import RopewalkReplica
import RopewalkSync

/// A connection between a replica and a relay double that sends ahead of answers, as a session does: pushes,
/// answers and entries are on their way for as long as chance will have it.
struct ConnectionDouble {
  private struct Push {
    let cut: OutboxCut
    let refusalsSeen: Int
    var isOvertaken = false
  }

  private enum Answer {
    case acknowledged(cursor: UInt64)
    case refused(through: UInt64)
    case ownedByAnother
    case overtaken
  }

  private let replica: Replica
  private let room: RoomName
  private let subject: String
  /// In the order of pushing; answers are in the same order.
  private var sent: [Push] = []
  private var judged = 0
  private var answers: [Answer] = []
  private var refusalsByRelay = 0
  private var refusalsSeen = 0

  init(_ replica: Replica, _ room: RoomName, to relay: RelayDouble, as subject: String = "ann") throws {
    self.subject = subject
    self.replica = replica
    self.room = room
    try relay.deliver(to: replica, in: room)
    try replica.settle(room, at: UInt64(relay.entries.count))
  }

  /// Whether nothing is on its way, and nothing can be sent.
  func isQuiet(_ relay: RelayDouble) throws -> Bool {
    try sent.isEmpty && replica.status(of: room).cursor == UInt64(relay.entries.count)
      && replica.cuts(in: room, maximumBytes: 60, limit: 1, excluding: []).isEmpty
  }

  /// Lets one thing happen.
  mutating func step(_ relay: inout RelayDouble, _ random: inout SeededGenerator) throws {
    switch Int.random(in: 0..<4, using: &random) {
    case 0: try push(&random)
    case 1: judge(&relay)
    case 2: try answer()
    default: try relay.deliver(to: replica, in: room, batch: Int.random(in: 1...4, using: &random))
    }
  }

  private mutating func push(_ random: inout SeededGenerator) throws {
    let going = sent.filter { !$0.isOvertaken }.map(\.cut.id)
    let overtaken = sent.filter(\.isOvertaken).map(\.cut.id)
    let cuts = try replica.cuts(
      in: room, maximumBytes: 60, limit: Int.random(in: 1...4, using: &random), going: Set(going),
      excluding: Set(overtaken))
    for cut in cuts {
      if sent.contains(where: { $0.cut.header == cut.header }) { return }
      sent.append(Push(cut: cut, refusalsSeen: refusalsSeen))
    }
  }

  private mutating func judge(_ relay: inout RelayDouble) {
    guard judged < sent.count else { return }
    let push = sent[judged]
    judged += 1
    if push.refusalsSeen < refusalsByRelay { return answers.append(.overtaken) }
    switch relay.push(push.cut.header, push.cut.payload, by: subject) {
    case .acknowledged(let cursor): answers.append(.acknowledged(cursor: cursor))
    case .refused(.covered(_, let cursor)), .refused(.idClash(let cursor)):
      refusalsByRelay += 1
      answers.append(.refused(through: cursor))
    case .refused(.ownedByAnother):
      refusalsByRelay += 1
      answers.append(.ownedByAnother)
    case .refused: break
    }
  }

  private mutating func answer() throws {
    guard !answers.isEmpty else { return }
    let header = sent.removeFirst().cut.header
    judged -= 1
    switch answers.removeFirst() {
    case .acknowledged(let cursor): try replica.acknowledge([(header, cursor)], in: room)
    case .refused(let cursor):
      refusalsSeen += 1
      for index in sent.indices { sent[index].isOvertaken = true }
      try replica.holdBack(header, through: cursor, in: room)
    case .ownedByAnother:
      refusalsSeen += 1
      for index in sent.indices { sent[index].isOvertaken = true }
      try replica.disown(header, in: room)
    case .overtaken: break
    }
  }
}
