import Logging
import NIOConcurrencyHelpers
import RopewalkSync

/// What every part of one relay uses.
struct RelayServices: Sendable {
  let log: any RelayLog
  let credentials: Credentials
  let audit: AuditLog
  let meters: Meters
  let connections: ConnectionRegistry
  var subjects = SubjectRegistry(SubjectLimits())
  let sessionConfiguration: RelaySession.Configuration
  let roomConfiguration: RelayRoom.Configuration
  /// How many bytes of pushes may wait for the log, all connections together.
  var pendingBytes = 256 << 20
  let files = ReloadedFiles()
  let logger: Logger
  /// The relay's clock: milliseconds since 1970, never going back.
  let now: @Sendable () -> UInt64
}

/// The connections that are open.
final class ConnectionRegistry: Sendable {
  private let connections = NIOLockedValueBox<[UInt64: Connection]>([:])

  func insert(_ connection: Connection) { connections.withLockedValue { $0[connection.id] = connection } }

  func remove(_ id: UInt64) { connections.withLockedValue { $0[id] = nil } }

  subscript(id: UInt64) -> Connection? { connections.withLockedValue { $0[id] } }

  var all: [Connection] { connections.withLockedValue { Array($0.values) } }

  var count: Int { connections.withLockedValue { $0.count } }
}
