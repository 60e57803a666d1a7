import ArgumentParser
import Foundation
import RopewalkTraces
import UnixSignals

/// Plays a recorded session through replicas and a relay.
struct ReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Play a recorded session through real replicas and a real relay.",
    discussion: """
      One replica file per author, a relay in a process of its own, WebSockets between them. Every edit is made when its \
      author has received what the author had seen then. In the end every replica must hold the recorded text, and \
      nothing that the relay acknowledged may be missing; else it exits with 1.

      Traces: https://github.com/josephg/editing-traces
      """)

  @Argument(help: "A trace, .json or .json.zst.", completion: .file(extensions: ["json", "zst"]))
  var trace: String

  @Option(name: .customLong("offline"), help: "How many stretches an author is disconnected for.")
  var offlineStretches = 0

  @Option(name: .customLong("kill-relay"), help: "How often the relay is killed (kill -9) and started again.")
  var relayKills = 0

  @Option(
    name: .customLong("kill-clients"), help: "How often a client is dropped and its replica opened anew.")
  var clientKills = 0

  @Option(help: "The most patches in one edit.")
  var patchesPerEdit = 500

  @Flag(
    help: "Make every edit survive a power cut (fsync) before its author goes on, not only a killed process.")
  var fsync = false

  @Option(help: "Keep the replicas and the relay's data in this folder, which must be new.")
  var keep: String?

  func validate() throws {
    guard min(offlineStretches, relayKills, clientKills) >= 0, patchesPerEdit > 0 else {
      throw ValidationError("Counts are not negative, and --patches-per-edit is at least 1.")
    }
  }

  func run() async throws {
    let recorded = try Trace(path: trace)
    let name =
      URL(fileURLWithPath: trace).lastPathComponent.split(separator: ".").first.map(String.init) ?? trace
    let folder = try WorkFolder(keep)
    defer { folder.remove() }
    let progress = ReplayProgress(name: name, console: .standard)
    let plan = ReplayPlan(
      offlineStretches: offlineStretches, relayKills: relayKills, clientKills: clientKills,
      patchesPerEdit: patchesPerEdit, survivesPowerCut: fsync)
    let replay = Replay(
      recorded, plan: plan, folder: folder.path, executable: RelayProcess.thisExecutable, progress: progress)
    let relay = replay.relay
    let interruption = Task {
      for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
        await relay.kill()
        folder.remove()
        Foundation.exit(130)
      }
    }
    defer { interruption.cancel() }
    let report = try await replay.run()
    progress.clear()
    for line in report.lines { Console.standard.line("\(name): \(line)") }
    if !report.isGood { throw ExitCode(Failure.Code.checkFailed.rawValue) }
  }
}
