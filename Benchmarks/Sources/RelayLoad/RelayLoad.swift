import Foundation
import NIOCore

/// Loads a relay, and a bare NIO hub in the same way, and says what each of them did.
public struct RelayLoad {
  private let plan: LoadPlan
  private let relay: URL
  private let bare: (program: URL, arguments: [String])
  private let serverArguments: [String]
  private let report: (LoadResult) throws -> Void
  private let progress: (String) -> Void

  /// - Parameters:
  ///   - relay: the `ropewalk` program.
  ///   - bare: a program that runs `BareHub.run`.
  ///   - serverArguments: added to `ropewalk serve`.
  ///   - report: told of each phase when it is over.
  ///   - progress: told what is being done.
  public init(
    _ plan: LoadPlan, relay: URL, bare: (program: URL, arguments: [String]), serverArguments: [String] = [],
    report: @escaping (LoadResult) throws -> Void, progress: @escaping (String) -> Void
  ) {
    self.plan = plan
    self.relay = relay
    self.bare = bare
    self.serverArguments = serverArguments
    self.report = report
    self.progress = progress
  }

  /// Runs all phases.
  public func run() throws {
    guard plan.rooms > 0, plan.connections >= plan.rooms else {
      throw LoadError("There must be a client in every room.")
    }
    let files = ProcessFigures.raiseFileLimit()
    guard files >= plan.connections + 100 else {
      throw LoadError(
        "\(plan.connections) connections need as many open files, and this system allows \(files): raise the hard limit "
          + "(ulimit -Hn, LimitNOFILE= in a unit, /etc/security/limits.conf).")
    }
    try runBare()
    try runRelay()
  }

  private func runBare() throws {
    let server = try ServerProcess(bare.program, bare.arguments)
    let fleet = try LoadFleet(plan, dialect: .bare)
    defer { fleet.close() }
    let phases = Phases(server, fleet, name: "bare NIO")
    try report(phases.connect(progress))
    progress("bare NIO: sending")
    try report(phases.fanOut("fan-out"))
  }

  private func runRelay() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "ropewalk-load-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    func start(port: Int) throws -> ServerProcess {
      try ServerProcess(
        relay,
        ["serve", "--ends-with-input", "--data", folder.path, "--listen", "127.0.0.1:\(port)"]
          + serverArguments)
    }
    // Not one of the ports that the system gives to connections, so that it can be had again after a restart.
    var server = try start(port: plan.storm ? Int.random(in: 20_000..<32_000) : 0)
    let fleet = try LoadFleet(plan, dialect: .relay)
    defer { fleet.close() }
    var phases = Phases(server, fleet, name: "ropewalk")
    try report(phases.connect(progress))
    progress("ropewalk: sending")
    try report(phases.fanOut("fan-out"))
    if plan.soakSeconds > 0 {
      progress("ropewalk: soaking")
      try phases.soak(report)
    }
    if plan.slowReaders > 0 {
      progress("ropewalk: \(plan.slowReaders) clients do not read")
      try fleet.stall(plan.slowReaders)
      try report(phases.fanOut("slow readers"))
      progress("ropewalk: they read on")
      try report(phases.catchUp())
    }
    if plan.storm {
      progress("ropewalk: killed and started again")
      server.end(SIGKILL)
      let port = server.port
      while try !fleet.allAreAway() { Thread.sleep(forTimeInterval: 0.01) }
      _ = try fleet.take()
      server = try start(port: port)
      phases = Phases(server, fleet, name: "ropewalk")
      try report(phases.storm())
    }
    server.end(SIGTERM)
  }
}

/// The phases of a load on one server.
private struct Phases {
  let server: ServerProcess
  let fleet: LoadFleet
  let name: String
  private let emptyBytes: Int

  init(_ server: ServerProcess, _ fleet: LoadFleet, name: String) {
    self.server = server
    self.fleet = fleet
    self.name = name
    emptyBytes = server.residentBytes
  }

  func connect(_ progress: (String) -> Void) throws -> LoadResult {
    progress("\(name): connecting \(fleet.plan.connections) clients")
    return try measure("idle") { result in
      result.seconds = try fleet.connect(to: server.port)
      _ = try fleet.take()
    }
  }

  func fanOut(_ phase: String) throws -> LoadResult {
    try measure(phase) { result in
      let (tally, seconds) = try fleet.push()
      result.seconds = seconds
      result.note(tally)
    }
  }

  /// A steady load with clients that come and go, stall and change their presence, as a row every half
  /// minute.
  func soak(_ report: (LoadResult) throws -> Void) throws {
    try fleet.startSoak()
    var left = fleet.plan.soakSeconds
    while left > 0 {
      let step = min(30, left)
      left -= step
      try report(
        measure("soak") { result in
          Thread.sleep(forTimeInterval: Double(step))
          result.seconds = Double(step)
          result.note(try fleet.take())
        })
    }
    try report(
      measure("after the soak") { result in
        let start = NIODeadline.now()
        try fleet.stopSoak()
        let isLevel = try fleet.level(within: 300, countingAnswers: false)
        result.seconds = LoadFleet.seconds(since: start)
        result.note(try fleet.take())
        if !isLevel { result.faults += 1 }
      })
  }

  func catchUp() throws -> LoadResult {
    try measure("catch-up") { result in
      let start = NIODeadline.now()
      try fleet.resume()
      let isLevel = try fleet.level(within: 300)
      result.seconds = LoadFleet.seconds(since: start)
      result.note(try fleet.take())
      if !isLevel { result.faults += 1 }
      try fleet.startTiming()
    }
  }

  func storm() throws -> LoadResult {
    try measure("storm") { result in
      result.seconds = try fleet.connect(to: server.port, jitter: fleet.plan.stormJitter)
      result.note(try fleet.take())
    }
  }

  private func measure(_ phase: String, _ body: (inout LoadResult) throws -> Void) throws -> LoadResult {
    let (serverCPU, ownCPU) = (server.processorSeconds, ProcessFigures.ownProcessorSeconds)
    var result = LoadResult(
      phase: phase, server: name, connections: fleet.plan.connections, rooms: fleet.plan.rooms, seconds: 0,
      serverCPU: 0, generatorCPU: 0, residentBytes: 0, refused: 0, lost: 0, faults: 0)
    try body(&result)
    result.serverCPU = server.processorSeconds - serverCPU
    result.generatorCPU = ProcessFigures.ownProcessorSeconds - ownCPU
    result.residentBytes = server.residentBytes
    if phase == "idle" || phase == "storm" {
      result.bytesPerConnection = max(0, result.residentBytes - emptyBytes) / fleet.plan.connections
    }
    if let rate = result.deliveriesPerSecond, rate > 0 {
      result.microsecondsPerDelivery = result.serverCPU * 1e6 / (rate * result.seconds)
    }
    return result
  }
}

extension LoadResult {
  fileprivate mutating func note(_ tally: LoadTally) {
    refused = tally.refused
    lost = tally.lost
    faults += tally.faults
    if tally.pushes > 0 { updatesPerSecond = Double(tally.pushes) / seconds }
    guard tally.deliveries > 0 else { return }
    deliveriesPerSecond = Double(tally.deliveries) / seconds
    entriesPerMessage = Double(tally.deliveries) / Double(max(1, tally.messages))
    acknowledgement = Latency(tally.toAcknowledgement)
    delivery = Latency(tally.toDelivery)
  }
}
