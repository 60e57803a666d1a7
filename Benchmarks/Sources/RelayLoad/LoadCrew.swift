import NIOCore
import NIOPosix
import RopewalkCore
import RopewalkSync

/// How the other side speaks.
enum Dialect: Sendable {
  case relay
  /// `BareHub`: what one client sends goes to all of its room, and nothing else happens.
  case bare
}

/// The clients of one event loop.
///
/// `@unchecked Sendable` because everything that changes is touched on `loop` alone.
final class LoadCrew: @unchecked Sendable {
  let loop: any EventLoop
  let dialect: Dialect
  let plan: LoadPlan
  let filler: [UInt8]
  /// What makes a bare message as long as the relay's for the same payload.
  let bareHead = [UInt8](repeating: 0x42, count: 48)
  let document: DocumentKey
  private(set) var members: [LoadMember] = []
  private var rooms: [LoadRoom] = []
  var tally = LoadTally()
  var isTiming = true
  private var ticker: RepeatedTask?
  private var churn: RepeatedTask?
  private var pinger: RepeatedTask?
  /// Which clients ping next.
  private var pingTurn = 0
  private(set) var port = 0
  private var away: ArraySlice<LoadMember> = []
  private var missing = 0
  private var assembly: EventLoopPromise<Void>?
  private var nextWriter = 0
  private var sent = 0

  init(loop: any EventLoop, dialect: Dialect, plan: LoadPlan) throws {
    self.loop = loop
    self.dialect = dialect
    self.plan = plan
    guard let name = DocumentName("load") else { throw LoadError("no document name") }
    document = DocumentKey(name: name, lineage: .blank)
    // Neither all alike nor all different, as text is.
    var state: UInt64 = 1
    filler = (0..<max(8, plan.payload)).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(97 + (state >> 33) % 16)
    }
  }

  /// Adds a room of so many clients.
  func addRoom(_ number: Int, members count: Int) throws {
    let room = try LoadRoom(number)
    rooms.append(room)
    for index in 0..<count {
      members.append(
        LoadMember(
          index: number * count + index, room: room, crew: self, isScribe: dialect == .relay && index == 0))
    }
  }

  // MARK: Connecting

  /// Connects the clients that are away, some at a time, each after a random part of `jitter` milliseconds,
  /// and tries again until all are there.
  func connectAll(to port: Int, jitter: Int) -> EventLoopFuture<Void> {
    loop.flatSubmit { [self] in
      self.port = port
      startPinging()
      away = members.filter { $0.stage == .away }[...]
      missing = away.count
      guard missing > 0 else { return loop.makeSucceededVoidFuture() }
      let done = loop.makePromise(of: Void.self)
      assembly = done
      let atOnce = jitter == 0 ? max(1, plan.connecting / plan.loops) : missing
      for _ in 0..<atOnce { connectNext(to: port, jitter: jitter) }
      return done.futureResult
    }
  }

  /// Who says nothing for a minute is closed, whether it reads or not: each client pings every fifteen
  /// seconds.
  private func startPinging() {
    guard dialect == .relay, pinger == nil else { return }
    let turns = 150
    pinger = loop.scheduleRepeatedTask(initialDelay: .milliseconds(100), delay: .milliseconds(100)) {
      [self] _ in
      pingTurn = (pingTurn + 1) % turns
      for index in stride(from: pingTurn, to: members.count, by: turns) where members[index].stage == .live {
        members[index].say(.ping(1))
      }
    }
  }

  private func connectNext(to port: Int, jitter: Int) {
    guard let member = away.popFirst() else { return }
    attempt(member, to: port, after: jitter == 0 ? 0 : Int.random(in: 0...jitter), times: 0, jitter)
  }

  private func attempt(_ member: LoadMember, to port: Int, after pause: Int, times: Int, _ jitter: Int) {
    loop.scheduleTask(in: .milliseconds(Int64(pause))) { [self] in
      let arrival = loop.makePromise(of: Void.self)
      do { member.connect(try bootstrap(for: member), to: port, arrival: arrival) } catch {
        arrival.fail(error)
      }
      arrival.futureResult.whenComplete { [self] result in
        if case .failure = result, times < 200 {
          return attempt(member, to: port, after: .random(in: 100...500), times: times + 1, jitter)
        }
        if case .failure(let error) = result {
          assembly?.fail(error)
          assembly = nil
          return
        }
        missing -= 1
        if missing > 0 { return connectNext(to: port, jitter: jitter) }
        assembly?.succeed()
        assembly = nil
      }
    }
  }

  /// One address has some 28,000 ports for connections to one other.
  private static let connectionsPerAddress = 25_000

  func bootstrap(for member: LoadMember) throws -> ClientBootstrap {
    let bootstrap = ClientBootstrap(group: loop)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .connectTimeout(.seconds(10))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(member) }
      }
    guard plan.connections > Self.connectionsPerAddress else { return bootstrap }
    let host = "127.0.0.\(1 + member.index / Self.connectionsPerAddress)"
    return bootstrap.bind(to: try SocketAddress(ipAddress: host, port: 0))
  }

  // MARK: Pushing

  /// Begins to send so many updates a second, whatever the answers are.
  func startPushing(rate: Double) {
    let start = NIODeadline.now()
    sent = 0
    ticker = loop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(1)) { [self] _ in
      let elapsed = Double((NIODeadline.now() - start).nanoseconds) / 1e9
      let due = Int(elapsed * rate)
      while sent < due {
        pushOne()
        sent += 1
      }
    }
  }

  func stopPushing() {
    ticker?.cancel()
    ticker = nil
  }

  /// Another room and another of its members each time.
  private func pushOne() {
    guard !members.isEmpty else { return }
    let (room, turn) = (nextWriter % rooms.count, nextWriter / rooms.count)
    nextWriter += 1
    let size = members.count / rooms.count
    // Who does not read does not see its answers.
    let member = members[room * size + turn % size]
    (member.isStalled ? members[room * size] : member).push()
  }

  func setChurn(_ task: RepeatedTask?) {
    churn?.cancel()
    churn = task
  }

  // MARK: Looking

  /// Whether every client that reads has read as far as its room's scribe and no push waits.
  ///
  /// - Parameter countingAnswers: every push must also have been answered.
  func isLevel(countingAnswers: Bool) -> Bool {
    if dialect == .bare {
      return tally.deliveries == tally.pushes * UInt64(members.count / max(1, rooms.count))
    }
    return members.allSatisfy { $0.isStalled || $0.stage == .live && $0.cursor == $0.room.head.cursor }
      && (!countingAnswers || tally.acknowledged + tally.refused == tally.pushes)
  }

  func takeTally() -> LoadTally {
    defer { tally = LoadTally() }
    return tally
  }
}
