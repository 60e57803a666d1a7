import ArgumentParser
import Ropewalk
import RopewalkRelay
import RopewalkTraces

/// Why a command ends without having done what it was asked: an exit code and a sentence with the way out.
struct Failure: Error, Equatable, CustomStringConvertible {
  /// The exit codes of `ropewalk`; what they mean is in its `--help`.
  enum Code: Int32 {
    case checkFailed = 1
    case file = 2
    case unreachable = 3
    case refused = 4
    case lineageClash = 5
    case usage = 64
    case other = 70
  }

  let code: Code
  /// The sentence, and lines that go into detail.
  let lines: [String]

  var message: String { lines.joined(separator: "\n") }

  var description: String { message }

  init(_ code: Code, _ message: String, details: [String] = []) {
    self.code = code
    lines = [message] + details
  }

  /// Translates what the library throws; nil for what the argument parser itself reports.
  init?(_ error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case let error as TraceError: self.init(error)
    case let error as ReplicaError: self.init(error)
    case let error as ClientError: self.init(error)
    case let error as RelayError: self.init(.file, error.description)
    case is CleanExit, is ExitCode, is ValidationError: return nil
    default:
      guard RootCommand.exitCode(for: error) == .failure else { return nil }
      self.init(.other, "\(error)")
    }
  }

  init(_ error: TraceError) {
    switch error.reason {
    case .outOfBounds, .concurrentWithItself, .engine: self.init(.checkFailed, error.description)
    default: self.init(.file, error.description)
    }
  }

  init(_ error: ReplicaError) {
    switch error {
    case .lineageClash: self.init(.lineageClash, "\(error)")
    case .invalidRoomName, .invalidDocumentName: self.init(.usage, "\(error)")
    case .storage(let code, let message): self.init(.file, Self.words(for: code, message))
    default: self.init(.file, "\(error)")
    }
  }

  /// What can be done about what SQLite says.
  private static func words(for code: Int32, _ message: String) -> String {
    let detail = "(SQLite error \(code): \(message))"
    switch code & 0xff {
    case 8: return "the replica or its folder cannot be written \(detail)"
    case 10: return "the disk cannot be read or written \(detail)"
    case 13: return "the disk is full \(detail)"
    case 14:
      return "the replica cannot be opened or made; is its folder there, and can it be written? \(detail)"
    default: return "SQLite error \(code): \(message)"
    }
  }

  /// The system's words without the network library's.
  private static func plain(_ words: String) -> String {
    words.contains("Connection refused") ? "connection refused" : words
  }

  init(_ error: ClientError) {
    switch error {
    case .invalidAddress:
      self.init(.usage, "a relay's address looks like ws://127.0.0.1:7717/sync or wss://HOST/sync")
    case .invalidRoomName: self.init(.usage, "\(ReplicaError.invalidRoomName)")
    case .unreachable(let words):
      self.init(
        .unreachable, "the relay cannot be reached (\(Self.plain(words))); is `ropewalk serve` running there?"
      )
    case .notARelay(let words): self.init(.unreachable, "there is no relay at that address (\(words))")
    case .untrusted(let reason):
      self.init(
        .unreachable, "the relay's certificate cannot be trusted (\(reason)); --ca-file names one to trust")
    case .trustFileUnusable: self.init(.file, error.description)
    case .connectionLost: self.init(.unreachable, "the connection was lost; nothing is lost, try again")
    case .refused(let room, let error):
      let place = room.map { "room \($0.shown)" } ?? "the connection"
      self.init(.refused, "the relay refuses \(place): \(error.text)")
    case .pushRefused(let room, let reason):
      self.init(
        reason == .anotherLineage ? .lineageClash : .refused,
        "changes to room \(room.shown) are not at the relay: \(reason). \(Wording.way(out: reason))"
      )
    case .tokenUnavailable(let words): self.init(.refused, "there is no token: \(words)")
    case .replica(let error): self.init(error)
    case .presenceTooLarge: self.init(.other, error.description)
    case .closed, .cancelled: self.init(.other, "the connection was closed")
    }
  }
}
