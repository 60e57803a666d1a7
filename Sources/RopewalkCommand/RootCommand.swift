import ArgumentParser
import Foundation
import RopewalkPlainText

/// `ropewalk`: everything the library does, at a terminal.
@main
struct RootCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ropewalk",
    abstract: "Text that people write together, with or without a network.",
    discussion: """
      New here? Try `ropewalk demo`: two people edit one text offline and meet at a relay.

      Exit codes: 0 done; 1 a check did not hold; 2 a file cannot be read or written; 3 the relay cannot be \
      reached; 4 the relay refuses; 5 documents of one name began with different texts; 64 wrong usage; 70 any other \
      failure.

      ROPEWALK_RELAY and ROPEWALK_TOKEN stand in for --relay and --token.
      """,
    version: "0.1.0",
    groupedSubcommands: [
      CommandGroup(
        name: "To begin with:", subcommands: [DemoCommand.self, MirrorCommand.self, ServeCommand.self]),
      CommandGroup(
        name: "Replicas:",
        subcommands: [
          SyncCommand.self, CatCommand.self, LogCommand.self, StatusCommand.self, DiscardCommand.self,
          MergeCommand.self, VerifyCommand.self,
        ]),
      CommandGroup(
        name: "Running a relay:",
        subcommands: [KeysCommand.self, TokenCommand.self, AuditCommand.self, RelayCommand.self]),
      CommandGroup(name: "For developers:", subcommands: [ReplayCommand.self, ConformCommand.self]),
    ])

  static func main() async {
    do {
      try Self.checkArguments()
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      try Console.standard.checkOutput()
    } catch {
      guard let failure = Failure(error) else { leave(error) }
      for (number, line) in failure.lines.enumerated() {
        Console.standard.problem((number == 0 ? "ropewalk: " : "") + line)
      }
      Foundation.exit(failure.code.rawValue)
    }
  }

  /// Ends with what the argument parser has to say: help, or what is wrong with an argument, which it quotes.
  private static func leave(_ error: any Error) -> Never {
    let code = exitCode(for: error)
    var message = fullMessage(for: error)
    // An argument that is quoted does not begin a line.
    for argument in CommandLine.arguments.dropFirst() {
      for part in [argument, argument.split(separator: "=", maxSplits: 1).last.map(String.init) ?? ""]
      where part.utf8.contains(0x0a) { message = message.replacing(part, with: VisibleText.line(part)) }
    }
    let lines = VisibleText.lines(message).utf8.split(separator: 0x0a, omittingEmptySubsequences: false)
    if lines.contains(where: { !$0.isEmpty }) {
      for line in lines.map({ String(decoding: $0, as: UTF8.self) }) {
        code.isSuccess ? Console.standard.line(line) : Console.standard.problem(line)
      }
    }
    Foundation.exit(code.rawValue)
  }

  /// Refuses what is not UTF-8: Swift would repair it, and a repaired name is the name of another file.
  private static func checkArguments() throws {
    for index in 1..<max(1, Int(CommandLine.argc)) {
      guard let argument = CommandLine.unsafeArgv[index], String(validatingCString: argument) == nil else {
        continue
      }
      let bytes = UnsafeBufferPointer(start: argument, count: strlen(argument)).map { UInt8(bitPattern: $0) }
      throw Failure(
        .usage, "argument \(index) is not UTF-8: \(shown(bytes)); rename the file, or give it a name that is")
    }
  }

  /// Bytes as a shell takes them.
  private static func shown(_ bytes: [UInt8]) -> String {
    "$'"
      + bytes.map { byte -> String in
        let isPlain = 0x20..<0x7f ~= byte && byte != 0x27 && byte != 0x5c
        let digits = String(byte, radix: 16)
        return isPlain ? String(UnicodeScalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + digits
      }.joined() + "'"
  }
}
