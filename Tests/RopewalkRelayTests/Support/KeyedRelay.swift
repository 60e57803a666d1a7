import Foundation
import Logging
import RopewalkSync
import Synchronization
import Testing

@testable import RopewalkRelay

/// When the tests with keys take place.
let testMoment: UInt64 = 1_900_000_000_000

/// A folder for a relay's files and its data, and a clock that stands.
struct KeyedFolder: Sendable {
  let path: String
  let clock = TestClock()

  var keyFile: String { path + "/keys" }
  var jwksFile: String { path + "/jwks" }
  var secretFile: String { path + "/secret-file" }

  func write(_ text: String, to file: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
  }

  func writeJWKS(_ keys: [RelayKey]) throws {
    try write("{\"keys\":[\(keys.compactMap(\.publicJWK).joined(separator: ","))]}", to: jwksFile)
  }

  /// Starts a relay that reads its files when it is asked to, and stops it afterwards.
  func withRelay(
    logger: Logger = quiet, _ change: (inout Relay.Configuration) -> Void,
    _ body: (Relay) async throws -> Void
  ) async throws {
    var configuration = Relay.Configuration(
      dataDirectory: path + "/data", port: 0, threads: 2, grace: 500)
    configuration.reloadInterval = 0
    change(&configuration)
    let clock = clock
    let relay = try await Relay.start(configuration, logger: logger, now: { clock.now })
    do { try await body(relay) } catch {
      await relay.stop()
      throw error
    }
    await relay.stop()
  }

  var audit: [AuditRecord] {
    get throws {
      var records: [AuditRecord] = []
      try AuditReader(dataDirectory: path + "/data").read { records.append($0) }
      return records
    }
  }
}

func withKeyedFolder(_ body: (KeyedFolder) async throws -> Void) async throws {
  try await withDirectory { path in
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let folder = KeyedFolder(path: path)
    folder.clock.set(testMoment)
    try await body(folder)
  }
}

/// A token of an hour.
func token(
  _ key: RelayKey, _ rooms: KeyValuePairs<String, Role> = ["*": .edit], subject: String = "ann",
  id: String? = nil,
  issued: UInt64? = nil
) async throws -> String {
  try RelayToken.mint(
    key: key, subject: subject, rooms: rooms.map { ($0.key, $0.value) }, issued: issued,
    expires: testMoment + 3_600_000, id: id)
}

extension Peer {
  /// Connects, says hello, and returns how the relay refuses; nil if it welcomes.
  static func refusal(_ token: String, by relay: Relay) async throws -> ErrorCode? {
    let peer = try await connect(to: relay)
    try await peer.say(.hello(ClientMessage.Hello(codecs: [], token: Array(token.utf8))))
    switch try await peer.hear() {
    case .welcome: return nil
    case .error(nil, let error): return error.code
    default: throw RawSocket.Failure.ended
    }
  }
}

/// Expects that the relay takes a token.
func expectWelcome(
  _ token: String, by relay: Relay, at location: Testing.SourceLocation = #_sourceLocation
) async throws {
  let refusal = try await Peer.refusal(token, by: relay)
  #expect(refusal == nil, sourceLocation: location)
}

/// Expects that the relay does not take a token.
func expectRefusal(
  _ expected: ErrorCode = .unauthenticated, _ token: String, by relay: Relay,
  at location: Testing.SourceLocation = #_sourceLocation
) async throws {
  let refusal = try await Peer.refusal(token, by: relay)
  #expect(refusal == expected, sourceLocation: location)
}

/// Keeps what is logged.
final class LogBook: Sendable {
  private let lines = Mutex<[String]>([])

  var text: String { lines.withLock { $0.joined(separator: "\n") } }

  var logger: Logger {
    var logger = Logger(label: "test") { _ in Handler(book: self) }
    logger.logLevel = .trace
    return logger
  }

  private struct Handler: LogHandler {
    let book: LogBook
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(book: LogBook) { self.book = book }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      book.lines.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
    }
  }
}
