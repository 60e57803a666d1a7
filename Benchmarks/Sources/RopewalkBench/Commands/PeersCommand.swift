import ArgumentParser

/// Where the peers' script is.
struct PeersOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The folder of the peers' scripts.", valueName: "folder"))
  var peers = "Peers"
}

struct PeersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "peers", abstract: "yrs and Loro, from PyPI, on the same traces; needs python3.")
  @OptionGroup var traces: TraceArguments
  @OptionGroup var location: PeersOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let results = try output.report(
      traces.files.lazy.flatMap { file in
        Result { try PeerResult.measure([file], runs: output.runs, folder: location.peers) }.each
      }, table: PeerResult.table)
    try checked(results.allSatisfy(\.ok))
  }
}

extension Result where Success == [PeerResult], Failure == any Error {
  /// One measurement per element, or one that fails.
  fileprivate var each: [() throws -> PeerResult?] {
    switch self {
    case .success(let all): all.map { one in { one } }
    case .failure(let error): [{ throw error }]
    }
  }
}
