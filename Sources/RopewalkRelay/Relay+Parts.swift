import Logging
import NIOCore
import NIOPosix
import RopewalkSync

extension Relay {
  /// What a relay is made of, before it listens.
  struct Parts {
    let configuration: Configuration
    let dataDirectory: DataDirectory
    let group: MultiThreadedEventLoopGroup
    let services: RelayServices
    let listener: Listener

    /// Opens the log and reads the certificate.
    init(
      _ configuration: Configuration, logger: Logger, now: @escaping @Sendable () -> UInt64
    ) throws(RelayError) {
      try configuration.validate()
      self.configuration = configuration
      let origins = try configuration.origins()
      let metricsAccess = try Relay.metricsAccess(configuration)
      var certificate: ServerCertificate?
      if let path = configuration.certificateFile, let keyPath = configuration.privateKeyFile {
        certificate = try ServerCertificate(certificatePath: path, keyPath: keyPath)
      }
      // A directory that is refused does not even get a lock.
      let logPath = DataDirectory.logPath(in: configuration.dataDirectory)
      do { try SQLiteLogSchema.look(logPath) } catch {
        throw Self.unusable(logPath, RelayLogError(error, during: .open))
      }
      dataDirectory = try DataDirectory(path: configuration.dataDirectory)
      group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads ?? System.coreCount)
      let loops = Array(group.makeIterator())
      let meters = Meters(loops: loops)
      do { services = try Self.services(configuration, dataDirectory, meters, logger, now) } catch {
        dataDirectory.unlock()
        group.shutdownGracefully { _ in }
        throw error
      }
      let directory = RoomDirectory(loops: loops, services: services)
      ProcessFigures.raiseFileLimit()
      let admission = Admission(
        limit: Admission.limit(configuration.maximumConnections, files: ProcessFigures.fileLimit),
        mostStrangers: configuration.maximumStrangers)
      let routes = HTTPRoutes(
        hasSync: true, metricsAccess: metricsAccess, readiness: Readiness(log: services.log, now: now),
        metrics: Metrics(services: services, directory: directory, admission: admission, started: now()),
        meters: meters, audit: services.audit, now: now)
      listener = Listener(
        services: services, directory: directory,
        flushers: Dictionary(
          uniqueKeysWithValues: loops.map { (ObjectIdentifier($0), Flusher(loop: $0)) }),
        origins: origins, admission: admission, routes: routes, certificate: certificate)
    }

    private static func services(
      _ configuration: Configuration, _ directory: DataDirectory, _ meters: Meters, _ logger: Logger,
      _ now: @escaping @Sendable () -> UInt64
    ) throws(RelayError) -> RelayServices {
      let bounds = AuditLog.Bounds(
        fileBytes: configuration.auditFileBytes, files: configuration.auditFiles, age: configuration.auditAge,
        rareFiles: configuration.auditRareFiles, rareAge: configuration.auditRareAge)
      let open = configuration.publicRooms.map {
        Access.Grant(pattern: Array($0.pattern.utf8), role: $0.role)
      }
      var room = RelayRoom.Configuration(
        limits: configuration.limits,
        batchBytes: min(256 << 10, Int(configuration.limits.largestMessage) / 2),
        checkpointInterval: configuration.checkpointInterval)
      (room.checkpointGrace, room.started) = (configuration.checkpointGrace, now())
      room.checkpointPatience = configuration.checkpointPatience
      room.strangers = Array(Credentials.stranger.utf8)
      return RelayServices(
        log: try log(directory.logPath, meters), credentials: Credentials(open: open),
        audit: AuditLog(folder: AuditReader.folder(of: directory.path), bounds: bounds, logger: logger),
        meters: meters,
        connections: ConnectionRegistry(), subjects: SubjectRegistry(configuration.subjectLimits),
        sessionConfiguration: RelaySession.Configuration(
          limits: configuration.limits, patience: configuration.patience),
        roomConfiguration: room,
        pendingBytes: configuration.pendingBytes, logger: logger, now: now)
    }

    private static func log(_ path: String, _ meters: Meters) throws(RelayError) -> SQLiteLog {
      DataDirectory.makePrivate(path)
      do { return try SQLiteLog(path: path, commits: meters.commits) } catch { throw unusable(path, error) }
    }

    private static func unusable(_ path: String, _ error: RelayLogError) -> RelayError {
      switch error.reason {
      case .sqlite(let code): .logUnusable(path: path, code: code)
      case .later(let version): .logTooNew(path: path, version: version)
      case .altered(let difference): .logAltered(path: path, reason: difference.description)
      default: .logUnusable(path: path, code: nil)
      }
    }

    /// Listens: the main channel, and the one for metrics if there is one.
    func bind() async throws(RelayError) -> [any Channel] {
      let main: any Channel
      do { main = try await listener.bind(group, host: configuration.host, port: configuration.port) } catch {
        throw Self.cannotListen(configuration.host, configuration.port, error)
      }
      guard let address = configuration.metricsAddress else { return [main] }
      do {
        return [main, try await listener.bindForMetrics(group, host: address.host, port: address.port)]
      } catch {
        try? await main.close()
        throw Self.cannotListen(address.host, address.port, error)
      }
    }

    private static func cannotListen(_ host: String, _ port: Int, _ error: any Error) -> RelayError {
      let reason = (error as? IOError).map { "\($0)" } ?? "\(type(of: error))"
      return .cannotListen(host: host, port: port, reason: reason)
    }

    /// Undoes what was opened.
    func dismantle() async {
      services.log.close()
      services.audit.close(now: services.now())
      dataDirectory.unlock()
      try? await group.shutdownGracefully()
    }
  }
}
