import ArgumentParser
import Foundation
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
