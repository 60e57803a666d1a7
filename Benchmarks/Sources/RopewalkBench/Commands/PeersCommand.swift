import ArgumentParser

struct PeersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "peers")
}
