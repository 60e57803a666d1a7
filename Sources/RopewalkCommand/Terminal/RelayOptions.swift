import ArgumentParser
import Foundation
import Ropewalk
import RopewalkSync

/// Which relay, and who is asking.
struct RelayOptions: ParsableArguments {
  @Option(
    name: .customLong("relay"), help: "The relay's address. (default: $ROPEWALK_RELAY, else this machine's)")
  var address: String?

  @Option(help: "A token from `ropewalk token`. (default: $ROPEWALK_TOKEN, else none)")
  var token: String?

  @Option(help: "A file that holds the token, so that it is not seen in a list of processes.")
  var tokenFile: String?

  @Option(
    help:
      "PEM certificates to trust beside the system's, for wss://. (default: $ROPEWALK_CA_FILE, else none)",
    completion: .file())
  var caFile: String?

  /// How to connect.
  var clientOptions: ClientOptions {
    var options = ClientOptions()
    options.trustFile = caFile ?? ProcessInfo.processInfo.environment["ROPEWALK_CA_FILE"]
    return options
  }

  /// What to connect to.
  var url: String {
    address ?? ProcessInfo.processInfo.environment["ROPEWALK_RELAY"]
      ?? "ws://127.0.0.1:\(WireProtocol.defaultPort)/sync"
  }

  /// What to present, if anything.
  func presentedToken() throws -> String? {
    if let token { return token }
    if let tokenFile {
      guard let data = FileManager.default.contents(atPath: tokenFile) else {
        throw Failure(.file, "the token file \(tokenFile) cannot be read")
      }
      return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
    return ProcessInfo.processInfo.environment["ROPEWALK_TOKEN"]
  }

  func validate() throws {
    if token != nil && tokenFile != nil { throw ValidationError("Give --token or --token-file, not both.") }
  }
}
