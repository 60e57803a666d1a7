import Foundation
import NIOCore
import NIOPosix

/// All clients, on all loops of the generator. Used from one thread that may wait.
final class LoadFleet {
  private let group: MultiThreadedEventLoopGroup
  private let crews: [LoadCrew]
  let plan: LoadPlan

  /// - Parameter dialect: how the server speaks.
  init(_ plan: LoadPlan, dialect: Dialect) throws {
    self.plan = plan
    group = MultiThreadedEventLoopGroup(numberOfThreads: plan.loops)
    let crews = try group.makeIterator().map { try LoadCrew(loop: $0, dialect: dialect, plan: plan) }
    let size = plan.connections / plan.rooms
    // A room's clients are on one loop, so that they can compare what they have read.
    for room in 0..<plan.rooms { try crews[room % crews.count].addRoom(room, members: size) }
    self.crews = crews
  }

  func close() { try? group.syncShutdownGracefully() }

  /// Connects everybody and returns when all are in their rooms. The seconds it took.
  func connect(to port: Int, jitter: Int = 0) throws -> Double {
    let start = NIODeadline.now()
    for future in crews.map({ $0.connectAll(to: port, jitter: jitter) }) { try future.wait() }
    return Self.seconds(since: start)
  }

  /// Sends so many updates a second for some time, then waits until everything has arrived. `during` is
  /// called while it sends.
  func push(during: () throws -> Void = {}) throws -> (tally: LoadTally, seconds: Double) {
    _ = try take()
    let start = NIODeadline.now()
    let share = Double(plan.rate) / Double(crews.count)
    for crew in crews { try crew.loop.submit { crew.startPushing(rate: share) }.wait() }
    try during()
    let left = Double(plan.seconds) - Self.seconds(since: start)
    if left > 0 { Thread.sleep(forTimeInterval: left) }
    for crew in crews { try crew.loop.submit { crew.stopPushing() }.wait() }
    let isLevel = try level(within: 120)
    let seconds = Self.seconds(since: start)
    var tally = try take()
    if !isLevel { tally.faults += 1 }
    return (tally, seconds)
  }

  /// Waits until every client has read all; false if that takes longer than so many seconds.
  ///
  /// - Parameter countingAnswers: every push must also have been answered.
  func level(within seconds: Double, countingAnswers: Bool = true) throws -> Bool {
    let start = NIODeadline.now()
    while Self.seconds(since: start) < seconds {
      var isLevel = true
      for crew in crews {
        isLevel = try crew.loop.submit { crew.isLevel(countingAnswers: countingAnswers) }.wait() && isLevel
      }
      if isLevel { return true }
      Thread.sleep(forTimeInterval: 0.01)
    }
    return false
  }

  /// Begins to send, and to let clients come and go, stall and change their presence.
  func startSoak() throws {
    _ = try take()
    let share = Double(plan.rate) / Double(crews.count)
    for crew in crews {
      try crew.loop.submit {
        crew.startPushing(rate: share)
        crew.startChurning()
      }.wait()
    }
  }

  /// Ends that. All clients read on.
  func stopSoak() throws {
    for crew in crews {
      try crew.loop.submit {
        crew.stopPushing()
        crew.stopChurning()
      }.wait()
    }
    try resume()
  }

  /// Lets so many clients stop reading.
  func stall(_ count: Int) throws {
    let step = max(1, plan.connections / max(1, count))
    for crew in crews {
      try crew.loop.submit {
        for member in crew.members where member.index % step == 1 % step && !member.isScribe {
          member.setReading(false)
        }
      }.wait()
    }
  }

  /// Lets all clients read on. Their deliveries are late, and not timed.
  func resume() throws {
    for crew in crews {
      try crew.loop.submit {
        crew.isTiming = false
        for member in crew.members where member.isStalled { member.setReading(true) }
      }.wait()
    }
  }

  /// Times deliveries again.
  func startTiming() throws {
    for crew in crews { try crew.loop.submit { crew.isTiming = true }.wait() }
  }

  /// Whether all clients have noticed that the server is gone.
  func allAreAway() throws -> Bool {
    for crew in crews {
      let isAway = try crew.loop.submit { crew.members.allSatisfy { $0.stage == .away } }.wait()
      guard isAway else { return false }
    }
    return true
  }

  /// What was seen since this was last asked.
  func take() throws -> LoadTally {
    var sum = LoadTally()
    for crew in crews { sum.add(try crew.loop.submit { crew.takeTally() }.wait()) }
    return sum
  }

  static func seconds(since start: NIODeadline) -> Double {
    Double((NIODeadline.now() - start).nanoseconds) / 1e9
  }
}
