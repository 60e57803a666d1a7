import ArgumentParser

struct MirrorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "mirror")
}
