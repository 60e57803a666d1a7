import ArgumentParser
import Foundation
import RelayLoad

struct RelayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relay",
    abstract: "A relay under load, in a process of its own, beside a bare NIO hub.",
    discussion: """
      Every client checks that nothing is missing and that all comes in order; one in each room computes the log's \
      digest. Latencies are from the write of an update in this process to its arrival in it.
      """)

  @Option(help: ArgumentHelp("Clients that are connected.", valueName: "n")) var connections = 1000
  @Option(help: ArgumentHelp("Rooms they are spread over.", valueName: "n")) var rooms = 10
  @Option(help: ArgumentHelp("Updates a second, all rooms together.", valueName: "n")) var rate = 1000
  @Option(help: ArgumentHelp("Payload of an update.", valueName: "bytes")) var payload = 64
  @Option(help: ArgumentHelp("How long updates are sent.", valueName: "s")) var seconds = 10
  @Option(help: ArgumentHelp("Clients that stop reading for that long, and then read on.", valueName: "n"))
  var slowReaders = 0
  @Flag(help: "Kill the relay at the end, start it again, and let all clients come back.") var storm = false
  @Option(help: ArgumentHelp("Within how long they come back.", valueName: "ms")) var stormJitter = 2000
  @Option(
    help: ArgumentHelp(
      "A steady load for so long, with clients that come and go; a row each 30 s.", valueName: "s"))
  var soak = 0
  @Flag(help: "Let the clients take zstd.") var compressed = false
  @Option(help: ArgumentHelp("Event loops of the generator.", valueName: "n")) var loops = 1
  @Option(help: ArgumentHelp("Threads of the bare hub.", valueName: "n")) var bareThreads = 2
  @Option(
    help: ArgumentHelp(
      "The ropewalk program; otherwise one beside this or in the package above.", valueName: "file"))
  var relay: String?
  @Option(help: ArgumentHelp("An argument more for ropewalk serve, once or more.", valueName: "argument"))
  var serve: [String] = []
  @Flag(name: .long, help: "Print one JSON object a line instead of a table.") var json = false

  func validate() throws {
    guard connections >= rooms, rooms > 0, rate >= 0, payload >= 8, payload <= 1 << 19, seconds > 0,
      loops > 0,
      slowReaders >= 0, soak >= 0, stormJitter >= 0, bareThreads > 0
    else {
      throw ValidationError("There must be a client in every room, and a payload has at least 8 bytes.")
    }
  }

  func run() throws {
    var plan = LoadPlan()
    plan.connections = connections
    plan.rooms = rooms
    plan.rate = rate
    plan.payload = payload
    plan.seconds = seconds
    plan.slowReaders = slowReaders
    plan.storm = storm
    plan.soakSeconds = soak
    plan.stormJitter = stormJitter
    plan.compressed = compressed
    plan.loops = loops
    let program = try relay.map { URL(fileURLWithPath: $0) } ?? Self.findRelay()
    guard FileManager.default.isExecutableFile(atPath: program.path) else {
      throw BenchError("\(program.relativePath) is no program")
    }
    var results: [LoadResult] = []
    let load = RelayLoad(
      plan, relay: program, bare: (Child.executable, ["bare-hub", "\(bareThreads)"]), serverArguments: serve,
      report: { result in
        results.append(result)
        Terminal.clearProgress()
        if json { try Terminal.line(jsonLine(result)) }
      }, progress: Terminal.progress)
    try load.run()
    Terminal.clearProgress()
    if !json { Terminal.line(Self.table(results).plain) }
    try checked(results.allSatisfy(\.ok))
  }

  /// The relay beside this program, or the one that was built in the package above.
  private static func findRelay() throws -> URL {
    let beside = Child.executable.deletingLastPathComponent()
    // …/Benchmarks/.build/TRIPLE/release, and …/.build/TRIPLE/release of the package above.
    let build = beside.deletingLastPathComponent().deletingLastPathComponent()
    let above = build.deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent(build.lastPathComponent)
      .appendingPathComponent(beside.deletingLastPathComponent().lastPathComponent)
      .appendingPathComponent(beside.lastPathComponent)
    for folder in [beside, above] {
      let program = folder.appendingPathComponent("ropewalk")
      if FileManager.default.isExecutableFile(atPath: program.path) { return program }
    }
    throw BenchError(
      "no relay is built yet: `swift build -c release --product ropewalk` in the package above")
  }

  private static func table(_ results: [LoadResult]) -> Table {
    var table = Table(
      "phase", "server", "s", "updates/s", "deliveries/s", "ack p50", "p99, ms", "delivery p50", "p99, ms",
      "p99.9",
      "CPU, %", "µs/delivery", "generator, %", "MiB", "KiB/connection", "refused", "ok")
    for one in results {
      table.add(
        one.phase, one.server, number(one.seconds), number(one.updatesPerSecond),
        number(one.deliveriesPerSecond), number(one.acknowledgement?.p50), number(one.acknowledgement?.p99),
        number(one.delivery?.p50), number(one.delivery?.p99), number(one.delivery?.p999),
        number(one.serverCPU / one.seconds * 100), number(one.microsecondsPerDelivery),
        number(one.generatorCPU / one.seconds * 100), number(mebibytes(one.residentBytes)),
        number(one.bytesPerConnection.map { Double($0) / 1024 }), "\(one.refused)", one.ok ? "yes" : "NO")
    }
    return table
  }
}

/// What `ropewalk-bench relay` compares with.
struct BareHubCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "bare-hub", shouldDisplay: false)
  @Argument var threads: Int

  func run() throws {
    // Whoever started it is gone when its input ends.
    Thread.detachNewThread {
      while !FileHandle.standardInput.availableData.isEmpty {}
      kill(getpid(), SIGTERM)
    }
    try BareHub.run(threads: max(1, threads)) { Terminal.line($0) }
  }
}
