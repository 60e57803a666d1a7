import ArgumentParser

/// `ropewalk-bench`: what the engine costs, beside operational transformation and other engines.
@main
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ropewalk-bench",
    abstract: "What shared text costs: replay, editing, opening, size, memory, growth, OT.",
    discussion: """
      Times are processor time of one thread, the minimum of several runs with the median beside it. The text of \
      everything timed is checked. Exit code 1 means that a result was wrong.
      """,
    subcommands: [
      ReplayCommand.self, EditCommand.self, OpenCommand.self, SizeCommand.self, MemoryCommand.self,
      OfflineCommand.self, GrowthCommand.self, HurtCommand.self, KeystrokeCommand.self, OTCommand.self,
      PeersCommand.self, ReportCommand.self, RelayCommand.self, BareHubCommand.self, WorkloadCommand.self,
      ChildCommand.self,
    ])
}
