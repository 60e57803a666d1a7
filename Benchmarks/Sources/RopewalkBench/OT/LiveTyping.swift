/// A room in which users type live, with messages that take their time.
protocol LiveRoom {
  /// Length of a user's text, in scalars.
  func length(of user: Int) -> Int
  /// Makes an edit and sends what is to be sent.
  mutating func edit(_ edit: LiveEdit, by user: Int, tick: Int)
  /// The server takes in what has arrived, and sends what is to be sent.
  mutating func runServer(tick: Int) throws
  /// The clients take in what has arrived; `moved` hears of changes to a user's text that others made.
  mutating func runClients(tick: Int, moved: (Int, LiveEdit) -> Void) throws
  /// Nothing is on the way and nothing waits.
  var isQuiet: Bool { get }
  /// All users, and the server where it has one, have one text.
  var hasConverged: Bool { get }
  var bytesUp: Int { get }
  /// Per client.
  var bytesDown: Int { get }
}

/// One step of somebody's typing.
struct LiveEdit {
  let position: Int
  let deleted: Int
  let inserted: String
  let insertedCount: Int
}

/// Messages on their way, each with the tick at which it arrives.
struct Mail<Message> {
  private var messages: [(due: Int, message: Message)] = []
  private var start = 0

  var isEmpty: Bool { start == messages.count }

  mutating func send(_ message: Message, due: Int) { messages.append((due, message)) }

  mutating func next(at tick: Int) -> Message? {
    guard start < messages.count, messages[start].due <= tick else {
      if start > 1024, start == messages.count { (messages, start) = ([], 0) }
      return nil
    }
    start += 1
    return messages[start - 1].message
  }
}

/// What live typing costs in one of the systems.
struct LiveResult: Encodable {
  let comparison = "live"
  let system: String
  let users: Int
  let latencyMs: Int
  let keystrokes: Int
  let ok: Bool
  /// Processor time of the server per keystroke of anybody.
  let serverUs: Double
  /// Processor time of the typing client per own keystroke.
  let typingUs: Double
  /// Processor time of one client per keystroke of another.
  let receivingUs: Double
  let bytesUp: Double
  let bytesDown: Double

  static let tickMs = 20
  /// Five keystrokes a second and user.
  static let ticksBetweenKeystrokes = 10
  static let baseLength = 20_000
  /// Processor seconds after which nobody types any more.
  static let budget = 20.0

  static func measure(
    _ system: String, _ room: some LiveRoom, users: Int, latencyMs: Int, keystrokes: Int
  ) throws -> LiveResult {
    var room = room
    var typists = (0..<users).map { Typist(seed: UInt64($0), length: baseLength) }
    var (typing, serving, receiving) = (0.0, 0.0, 0.0)
    var (made, tick) = (0, 0)
    while (made < keystrokes && typing + serving + receiving < budget) || !room.isQuiet {
      Terminal.progress(tick % 500 == 0 ? "live, \(system), \(users) users: \(made) of \(keystrokes)" : nil)
      if made < keystrokes, typing + serving + receiving < budget {
        let first = tick % ticksBetweenKeystrokes
        var edits: [(Int, LiveEdit)] = []
        for user in stride(from: first, to: users, by: ticksBetweenKeystrokes) {
          edits.append((user, typists[user].next(length: room.length(of: user))))
        }
        typing += processorSeconds { for (user, edit) in edits { room.edit(edit, by: user, tick: tick) } }
        made += edits.count
      }
      serving += try processorSeconds { try room.runServer(tick: tick) }
      receiving += try processorSeconds {
        try room.runClients(tick: tick) { user, edit in typists[user].moved(by: edit) }
      }
      tick += 1
    }
    let count = Double(made)
    return LiveResult(
      system: system, users: users, latencyMs: latencyMs, keystrokes: made, ok: room.hasConverged,
      serverUs: serving / count * 1e6, typingUs: typing / count * 1e6,
      receivingUs: receiving / (count * Double(users)) * 1e6, bytesUp: Double(room.bytesUp) / count,
      bytesDown: Double(room.bytesDown) / count)
  }

  static func table(_ results: [LiveResult]) -> Table {
    var table = Table(
      "live typing", "users", "latency ms", "keystrokes", "ok", "server µs", "typing µs", "receiving µs",
      "bytes up", "bytes down")
    for one in results {
      table.add(
        one.system, grouped(one.users), grouped(one.latencyMs), grouped(one.keystrokes),
        one.ok ? "yes" : "NO",
        number(one.serverUs), number(one.typingUs), number(one.receivingUs), number(one.bytesUp),
        number(one.bytesDown))
    }
    return table
  }
}

/// One user's hands: types words, takes some back, now and then goes elsewhere.
private struct Typist {
  private var random: SplitMix
  private var caret: Int

  init(seed: UInt64, length: Int) {
    random = SplitMix(seed: seed &+ 100)
    caret = random.below(length)
  }

  mutating func next(length: Int) -> LiveEdit {
    caret = min(caret, length)
    if random.below(60) == 0 { caret = random.below(length + 1) }
    if random.below(10) == 0, caret > 0 {
      caret -= 1
      return LiveEdit(position: caret, deleted: 1, inserted: "", insertedCount: 0)
    }
    let edit = LiveEdit(position: caret, deleted: 0, inserted: random.letter(), insertedCount: 1)
    caret += 1
    return edit
  }

  mutating func moved(by edit: LiveEdit) {
    guard edit.position < caret else { return }
    caret += edit.insertedCount - min(edit.deleted, caret - edit.position)
  }
}
