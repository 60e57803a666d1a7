import Foundation
import Logging
import RopewalkCore
import RopewalkSync
import RopewalkZstd
import Synchronization

@testable import RopewalkRelay

/// A client that says protocol messages over a raw socket, one at a time.
final class Peer: Sendable {
  let socket: RawSocket

  init(_ socket: RawSocket) { self.socket = socket }

  /// Connects and upgrades.
  static func connect(to relay: Relay, autoRead: Bool = true) async throws -> Peer {
    let socket = try await RawSocket(port: relay.port)
    try await socket.upgrade()
    return Peer(socket)
  }

  /// Connects and is welcomed.
  ///
  /// - Parameter identity: by what it is known again where it has no token; one and the same by default.
  static func greeted(
    by relay: Relay, token: String = "", codecs: Codecs = [],
    identity: [UInt8] = [UInt8](repeating: 9, count: 16)
  ) async throws -> Peer {
    let peer = try await connect(to: relay)
    let hello = ClientMessage.Hello(codecs: codecs, token: Array(token.utf8), identity: identity)
    try await peer.say(.hello(hello))
    guard case .welcome = try await peer.hear() else { throw RawSocket.Failure.ended }
    return peer
  }

  func say(_ message: ClientMessage) async throws {
    try await socket.send(Envelope.plain(message.encoded))
  }

  /// The next message; a close frame is an `ended`.
  func hear() async throws -> RelayMessage {
    while true {
      let frame = try await socket.frame()
      if frame.opcode == 8 { throw RawSocket.Failure.ended }
      guard frame.opcode == 2 else { continue }
      let message = try Envelope.open(frame.payload, largestMessage: 1 << 26, takesSegments: true) {
        try? Zstd.decompress(Array($0), maximumBytes: $1)
      }
      return try RelayMessage(decoding: message)
    }
  }

  /// The error message and the close code with which the relay ends the connection.
  func farewell() async throws -> (error: ProtocolError?, closeCode: UInt16?) {
    var found: ProtocolError?
    while true {
      let frame = try await socket.frame()
      if frame.opcode == 8 { return (found, frame.closeCode) }
      guard frame.opcode == 2, frame.payload.first == 0 else { continue }
      if case .error(nil, let error) = try RelayMessage(decoding: Array(frame.payload.dropFirst())) {
        found = error
      }
    }
  }

  /// Joins from the beginning and reads up to the head.
  @discardableResult
  func join(
    _ room: RoomName, cursor: UInt64 = 0, digest: LogDigest = .zero
  ) async throws -> (joined: RelayMessage.Joined, entries: [LogEntry], digest: LogDigest) {
    try await say(.join(ClientMessage.Join(room: room, cursor: cursor, digest: digest)))
    var joined: RelayMessage.Joined?
    var entries: [LogEntry] = []
    while true {
      switch try await hear() {
      case .joined(let answer): joined = answer
      case .entries(let number, let more): if joined?.number == number { entries += more }
      case .caughtUp(let number, _, let digest):
        // Of a join before, which the relay has given up since, it may still come.
        if let joined, joined.number == number { return (joined, entries, digest) }
      default: break
      }
    }
  }

  /// Pushes and waits for the answer.
  func push(_ push: ClientMessage.Push) async throws -> Answer {
    try await say(.push(push))
    while true {
      switch try await hear() {
      case .acknowledged(_, let acknowledgements):
        if let own = acknowledgements.first(where: { $0.push == push.number }) { return .cursor(own.cursor) }
      case .refused(_, push.number, let refusal): return .refusal(refusal)
      default: break
      }
    }
  }

  enum Answer: Equatable {
    case cursor(UInt64)
    case refusal(Refusal)
  }
}

/// A temporary directory that goes away with the test.
func withDirectory(_ body: (String) async throws -> Void) async throws {
  let path = FileManager.default.temporaryDirectory.path + "/ropewalk-\(UInt64.random(in: 0 ... .max))"
  defer { try? FileManager.default.removeItem(atPath: path) }
  try await body(path)
}

/// A relay on a free port that is stopped after the test.
func withRelay(_ change: (inout Relay.Configuration) -> Void = { _ in }, _ body: (Relay) async throws -> Void)
  async throws
{
  try await withDirectory { path in
    let relay = try await startRelay(path, change)
    do { try await body(relay) } catch {
      await relay.stop()
      throw error
    }
    await relay.stop()
  }
}

func startRelay(
  _ path: String, _ change: (inout Relay.Configuration) -> Void = { _ in }
) async throws -> Relay {
  var configuration = Relay.Configuration(dataDirectory: path, port: 0, threads: 2)
  configuration.grace = 500
  configuration.metricsAddress = .init(host: "127.0.0.1", port: 0)
  change(&configuration)
  return try await Relay.start(configuration, logger: quiet)
}

extension Relay {
  /// What it tells those who watch it, on the address for them.
  func metricsPage() async throws -> String {
    guard let port = metricsPort else { throw RawSocket.Failure.ended }
    return try await RawSocket(port: port).get("/metrics")
  }
}

extension RoomName {
  static let test = RoomName(utf8: Array("test".utf8))!
}

func header(_ seqs: Range<UInt32>, replica: UInt64 = 7, document: String = "a") -> EntryHeader {
  let key = DocumentKey(name: DocumentName(document)!, lineage: .blank)
  return EntryHeader(document: key, span: EventSpan(replica: ReplicaID(rawValue: replica), seqs: seqs))
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// The relay's clock, where the test puts it.
final class TestClock: Sendable {
  private let moment = Mutex<UInt64>(0)

  var now: UInt64 { moment.withLock { $0 } }

  func set(_ now: UInt64) { moment.withLock { $0 = now } }
}
