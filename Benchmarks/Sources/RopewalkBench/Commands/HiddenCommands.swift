import ArgumentParser

/// What `ropewalk-bench` runs as a process of its own, to see that process's memory.
struct ChildCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "child", shouldDisplay: false)
  @Argument var mode: String
  @Argument var argument: String

  func run() throws {
    switch mode {
    case "serve-ot", "serve-relay":
      try Terminal.line(jsonLine(ServerMemory.answer(mode: mode, operations: Int(argument) ?? 0)))
    default: try Terminal.line(jsonLine(ReplayMemory.answer(mode: mode, path: argument)))
    }
  }
}

struct WorkloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workload",
    abstract:
      "Fixed work to count instructions over: \(Workload.allCases.map(\.rawValue).joined(separator: ", ")).")
  @Argument(help: "Which.") var name: String
  @Flag(help: "Only prepare, so that the difference is the work itself.") var prepareOnly = false

  func run() throws {
    guard let workload = Workload(rawValue: name) else {
      throw ValidationError("There is no workload \(name).")
    }
    try Terminal.line("\(workload.run(onlyPreparing: prepareOnly))")
  }
}
