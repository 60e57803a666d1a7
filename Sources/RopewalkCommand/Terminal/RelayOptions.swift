import ArgumentParser
import Foundation
import Ropewalk
import RopewalkPlainText
import RopewalkSync

/// Which relay, and who is asking.
struct RelayOptions: ParsableArguments {
  @Option(
    name: .customLong("relay"), help: "The relay's address. (default: $ROPEWALK_RELAY, else this machine's)")
  var address: String?

  @Option(help: "A token from `ropewalk token`. (default: $ROPEWALK_TOKEN, else none)")
  var token: String?

  @Option(
    help: ArgumentHelp(
      "A file that holds the token, so that it is not seen in a list of processes.",
      discussion: "Read again before its token expires and when the relay refuses something."))
  var tokenFile: String?

  @Option(
    help:
      "PEM certificates to trust beside the system's, for wss://. (default: $ROPEWALK_CA_FILE, else none)",
    completion: .file())
  var caFile: String?

  /// How to connect.
  var clientOptions: ClientOptions {
    var options = ClientOptions()
    options.trustFile = caFile ?? Self.variable("ROPEWALK_CA_FILE")
    if token == nil, let tokenFile { options.token = { _ in try TokenText.read(tokenFile) } }
    return options
  }

  /// What to connect to.
  var url: String {
    address ?? Self.variable("ROPEWALK_RELAY") ?? "ws://127.0.0.1:\(WireProtocol.defaultPort)/sync"
  }

  /// What to present, if anything.
  func presentedToken() throws -> String? {
    if let token { return try TokenText.checked(token, from: "--token") }
    if let tokenFile { return try TokenText.read(tokenFile) }
    return try Self.variable("ROPEWALK_TOKEN").map { try TokenText.checked($0, from: "ROPEWALK_TOKEN") }
  }

  func validate() throws {
    if token != nil && tokenFile != nil { throw ValidationError("Give --token or --token-file, not both.") }
    // A variable that is set and empty was meant to hold something.
    let variables = [
      ("ROPEWALK_RELAY", address != nil), ("ROPEWALK_TOKEN", token != nil || tokenFile != nil),
      ("ROPEWALK_CA_FILE", caFile != nil),
    ]
    for (name, isOverridden) in variables where !isOverridden && Self.variable(name)?.isEmpty == true {
      throw ValidationError("\(name) is set and empty; unset it to go without.")
    }
  }

  private static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
}

/// A token as it is handed over: one word in one line.
enum TokenText {
  /// Reads a file that holds a token.
  static func read(_ path: String) throws -> String {
    do { return try word(TextFile(path: path)) } catch let error as TextFileError {
      switch error.problem {
      case .empty: throw Failure(.file, "the token file \(path) holds no token")
      case .unreadable, .isFolder:
        throw Failure(.file, "the token file \(path) cannot be read: \(error.reason)")
      default: throw Failure(.file, "\(error)")
      }
    }
  }

  /// Checks a token that was given otherwise; blanks and line ends at its ends do not count.
  static func checked(_ text: String, from source: String) throws -> String {
    do { return try word(TextFile(path: source, content: Array(text.utf8))) } catch let error as TextFileError
    {
      if error.problem == .empty { throw Failure(.usage, "\(source) holds no token") }
      throw Failure(.usage, "\(error)")
    }
  }

  private static func word(_ file: TextFile) throws -> String {
    let line = try file.onlyLine
    guard line.bytes.allSatisfy({ (0x21..<0x7f).contains($0) }) else {
      throw Failure(.file, "\(file.path):\(line.number): a token is one word of printable ASCII")
    }
    return line.text
  }
}
