import ArgumentParser
import Foundation

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Runs everything and writes a Markdown report with plots.")
  @OptionGroup var traces: TraceArguments
  @Option(help: ArgumentHelp("The folder to write into.", valueName: "folder")) var into = "Report"
  @OptionGroup var location: PeersOptions
  @Flag(help: "Leave the peers out.") var withoutPeers = false
  @Flag(help: "Smaller sizes, for a look.") var quick = false
  @OptionGroup var output: OutputOptions

  func run() throws {
    let findings = try Findings.measure(
      traces.files, runs: output.runs, quick: quick, peersFolder: withoutPeers ? nil : location.peers)
    let folder = URL(fileURLWithPath: into, isDirectory: true)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try write(findings.markdown(.here()), to: folder.appendingPathComponent("README.md"))
    for plot in findings.plots { try write(plot.svg, to: folder.appendingPathComponent(plot.name)) }
    Terminal.clearProgress()
    let written = Written(
      report: folder.appendingPathComponent("README.md").relativePath, ok: findings.isCorrect)
    Terminal.line(output.json ? try jsonLine(written) : "wrote \(written.report)")
    try checked(findings.isCorrect)
  }

  private struct Written: Encodable {
    let report: String
    let ok: Bool
  }

  private func write(_ text: String, to url: URL) throws {
    try Data(text.utf8).write(to: url)
  }
}
