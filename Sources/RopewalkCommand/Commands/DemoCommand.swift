import ArgumentParser
import Foundation

/// Shows offline edits, the merge and the receipts, without any set-up.
struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "See two people edit a text offline and meet again. Needs no set-up and no network.")

  func run() async throws {
    let folder = try WorkFolder()
    defer { folder.remove() }
    // On a terminal there is time to read.
    let pause = isatty(STDOUT_FILENO) == 1 ? Duration.milliseconds(700) : .zero
    try await Demo(folder: folder.path, console: .standard, pause: pause).run()
  }
}
