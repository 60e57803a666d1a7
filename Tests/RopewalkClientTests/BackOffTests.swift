import RopewalkCore
import RopewalkReplica
import RopewalkSync
import Synchronization
import Testing

@testable import RopewalkClient

@Suite(.timeLimit(.minutes(2))) struct BackOffTests {
  struct Unreachable: Error {}

  @Test func pausesDoubleUpToALimitAndAreJittered() async throws {
    let world = try World()
    let pauses = Mutex<[UInt64]>([])
    var options = ClientOptions()
    options.firstPause = 100
    options.longestPause = 1000
    options.watchInterval = .max
    let draws = Mutex([0.0, 1, 0.5, 1, 1, 1])
    options.random = { draws.withLock { $0.isEmpty ? 1 : $0.removeFirst() } }
    let (ticks, ticked) = AsyncStream.makeStream(of: Void.self)
    options.sleep = { milliseconds in
      if milliseconds == .max {
        // The watcher's sleep lasts until it is cancelled.
        for await _ in AsyncStream<Void>.makeStream().stream {}
        return
      }
      pauses.withLock { $0.append(milliseconds) }
      ticked.yield()
    }
    let transport = TransportDouble(open: { throw Unreachable() }, answer: { _ in [] })
    let client = try Client(
      replica: try world.replica("a"), relay: "ws://host", token: nil, options: options, transport: transport)
    await client.connect()
    var count = 0
    for await _ in ticks {
      count += 1
      if count == 6 { break }
    }
    await client.disconnect()
    await client.close()
    #expect(pauses.withLock { Array($0.prefix(6)) } == [50, 200, 300, 800, 1000, 1000])
  }

  @Test func damagedMessagesEndTheConnectionAndNothingElse() async throws {
    let seed = testSeed()
    let world = try World()
    let replica = try world.replica("a")
    try replica.notes.insert("abc", at: 0)
    let random = Mutex(SeededGenerator(seed: seed))
    let attempts = Mutex(0)
    let (opened, opening) = AsyncStream.makeStream(of: Int.self)
    let transport = TransportDouble(
      open: {
        opening.yield(
          attempts.withLock { attempts in
            attempts += 1
            return attempts
          })
      },
      answer: { _ in random.withLock { Self.damagedMessages(using: &$0) } })
    var options = ClientOptions.forTests
    options.sleep = { _ in await Task.yield() }
    options.watchInterval = 1_000_000
    let client = try Client(
      replica: replica, relay: "ws://host", token: nil, options: options, transport: transport)
    try await client.join("team")
    await client.connect()
    let asking = Task {
      // A refusal is final until somebody asks again.
      for await state in client.states() { if case .refused = state { await client.connect() } }
    }
    for await attempt in opened where attempt == 300 { break }
    asking.cancel()
    await client.close()
    #expect(try replica.notes.text.contains("abc"))
    #expect(try Replica.verify(path: world.path("a")).damage == [])
  }

  /// Messages of a relay, some of them damaged, then the end.
  private static func damagedMessages(using random: inout SeededGenerator) -> [[UInt8]?] {
    guard let room = RoomName("team"), let name = DocumentName("notes.md") else { return [nil] }
    let welcome = RelayMessage.Welcome(
      version: 1, features: .all, codecs: .zstd, session: 1, subject: [97], expires: nil, time: 0,
      limits: Limits())
    let number = RoomNumber(rawValue: 1)
    var document = TextDocument()
    document.replica = ReplicaID(rawValue: 7)
    document.insert("x", at: 0)
    let update = document.update(since: VersionVector())
    let entry = LogEntry(
      cursor: 1, subject: [97], time: 1,
      header: EntryHeader(
        document: DocumentKey(name: name, lineage: .blank),
        span: EventSpan(replica: ReplicaID(rawValue: 7), seqs: 0..<1)),
      payload: update.bytes)
    let messages: [RelayMessage] = [
      .welcome(welcome),
      .joined(
        .init(room: room, number: number, role: .edit, head: 1, isRestart: Bool.random(using: &random))),
      .entries(room: number, [entry]),
      .caughtUp(room: number, cursor: 1, digest: entry.digest(after: .zero)),
      .acknowledged(room: number, [.init(push: 1, cursor: 2)]),
      .refused(room: number, push: 1, .covered(missing: [0..<1], through: 9)),
      .presence(room: number, isComplete: true, [.init(session: 3, subject: [98], value: [1])]),
    ]
    var result: [[UInt8]?] = []
    for message in messages.prefix(Int.random(in: 0...messages.count, using: &random)) {
      var bytes = Envelope.plain(message.encoded)
      for _ in 0..<[0, 0, 0, 1, 5].randomElement(using: &random)! {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      result.append(bytes)
    }
    return result + [nil]
  }
}
