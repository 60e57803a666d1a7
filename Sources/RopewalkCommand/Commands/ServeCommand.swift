import ArgumentParser
import Foundation
import Logging
import RopewalkRelay
import RopewalkSync
import UnixSignals

/// Runs a relay.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Run a relay, where replicas meet.",
    discussion: """
      Without a key everybody on this machine may edit every room, and the relay listens on loopback only. Give it a \
      key (32 bytes or more) to listen elsewhere; `ropewalk token` makes tokens that are signed with it.

      Prints its address once it listens. SIGINT and SIGTERM stop it cleanly.
      """)

  @Option(help: "Where the log is kept; made if it is not there.", completion: .directory)
  var data: String

  @Option(help: "HOST:PORT to listen on; port 0 takes any that is free.")
  var listen = "127.0.0.1:\(WireProtocol.defaultPort)"

  @Option(help: "A file that holds the key.", completion: .file())
  var keyFile: String?

  @Option(help: "An environment variable that holds the key.")
  var keyEnvironment: String?

  @Option(help: "How much to log to standard error: trace, debug, info, notice, warning, error, critical.")
  var logLevel: Logger.Level = .warning

  @Flag(help: .init("Stop when standard input ends, as it does when a parent is gone.", visibility: .hidden))
  var endsWithInput = false

  func validate() throws {
    if keyFile != nil && keyEnvironment != nil {
      throw ValidationError("Give --key-file or --key-environment, not both.")
    }
    _ = try ListenAddress(listen)
  }

  func run() async throws {
    let address = try ListenAddress(listen)
    let key = try relayKey()
    var logger = Logger(label: "ropewalk.relay") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = logLevel
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    let configuration = Relay.Configuration(
      dataDirectory: data, host: address.host, port: address.port, key: key)
    let relay = try await Relay.start(configuration, logger: logger)
    let console = Console.standard
    console.line("listening on \(relay.url)")
    if key == nil {
      console.line("no key: everybody on this machine may edit; other machines cannot connect")
    }
    if endsWithInput { InputEnd.terminates() }
    for await _ in signals { break }
    await relay.stop()
    console.line("stopped")
  }

  private func relayKey() throws -> RelayKey? {
    if let keyFile { return try RelayKey(file: keyFile) }
    if let keyEnvironment { return try RelayKey(environment: keyEnvironment) }
    return nil
  }
}

/// `HOST:PORT`, with an IPv6 host in brackets.
struct ListenAddress: Equatable {
  let host: String
  let port: Int

  init(_ text: String) throws {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65_535).contains(port), colon > text.startIndex
    else { throw ValidationError("--listen takes HOST:PORT, as in 127.0.0.1:7717; it was '\(text)'.") }
    let host = text[..<colon]
    self.port = port
    self.host =
      host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : String(host)
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
