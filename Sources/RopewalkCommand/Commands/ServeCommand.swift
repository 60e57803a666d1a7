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
      Without a key everybody on this machine may edit every room, and the relay listens on loopback only. Give it \
      keys to listen elsewhere: `ropewalk keys new` makes them, `ropewalk token` signs tokens with them.

      Every option can also be set in the environment (--max-connections as ROPEWALK_MAX_CONNECTIONS) and in a file; a \
      flag counts before the environment, and that before the file. Spec/relay.md is the manual.

      Prints its address once it listens. SIGINT and SIGTERM stop it cleanly; SIGHUP reads keys, revocations and \
      certificate anew, as it does by itself when they change.
      """)

  @Option(help: "A file of settings.", completion: .file())
  var config: String?

  @Flag(help: "Check the settings and the files they name, and end.")
  var checkConfig = false

  @Flag(help: .init("Stop when standard input ends, as it does when a parent is gone.", visibility: .hidden))
  var endsWithInput = false

  @OptionGroup var flags: ServeFlags

  func run() async throws {
    let file = try (config ?? environment["ROPEWALK_CONFIG"]).map { try ConfigurationFile(path: $0) }
    var settings = try ServeSettings(flags: flags.values, environment: environment, file: file)
    if let variable = settings.secretEnvironment {
      if settings.configuration.secretFile != nil {
        let places = ["secret-file", "secret-environment"].compactMap { settings.sources[$0]?.place }
        throw Failure(
          .usage, places.joined(separator: ", ") + ": give secret-file or secret-environment, not both")
      }
      do throws(RelayError) { settings.configuration.key = try RelayKey(secretEnvironment: variable) } catch {
        throw settings.failure(error)
      }
    }
    let console = Console.standard
    if checkConfig {
      do throws(RelayError) { try await Relay.check(settings.configuration) } catch {
        throw settings.failure(error)
      }
      for exposure in settings.configuration.exposures { console.problem("warning: \(exposure)") }
      return console.line("the configuration is good")
    }
    let (level, format) = (settings.logLevel, settings.logFormat)
    var logger = Logger(label: "ropewalk.relay") { LineLogHandler(label: $0, format: format) }
    logger.logLevel = level
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
    let relay: Relay
    do throws(RelayError) { relay = try await Relay.start(settings.configuration, logger: logger) } catch {
      throw settings.failure(error)
    }
    console.line("listening on \(relay.url)")
    if let port = relay.metricsPort { console.line("metrics on port \(port)") }
    if !settings.configuration.hasKeys {
      console.line("no key: everybody on this machine may edit; other machines cannot connect")
    }
    if endsWithInput { InputEnd.terminates() }
    for await signal in signals {
      guard signal == .sighup else { break }
      await relay.reload()
    }
    await relay.stop()
    console.line("stopped")
  }

  private var environment: [String: String] { ProcessInfo.processInfo.environment }
}

/// `HOST:PORT`, with an IPv6 host in brackets.
struct ListenAddress: ExpressibleByArgument, Equatable {
  let host: String
  let port: Int

  init?(argument text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65_535).contains(port), colon > text.startIndex
    else { return nil }
    let host = text[..<colon]
    self.port = port
    self.host =
      host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : String(host)
  }
}
