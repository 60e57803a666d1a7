import Foundation

/// The files that a relay reads when it starts and whenever they change.
extension Relay {
  /// Keys, revocations and certificate, read once and put in force; and how to do that again.
  static func load(
    _ configuration: Configuration, _ credentials: Credentials, _ certificate: ServerCertificate?,
    _ reexamine: @escaping @Sendable () -> Void
  ) async throws(RelayError) -> [Reloader.Item] {
    var items: [Reloader.Item] = []
    if configuration.hasKeys {
      let load: @Sendable () async throws(RelayError) -> Void = { () async throws(RelayError) in
        let verifier = await TokenVerifier(
          keys: try keys(configuration), issuer: configuration.issuer, audience: configuration.audience)
        credentials.set(verifier)
        reexamine()
      }
      try await load()
      let paths = [configuration.keyFile, configuration.jwksFile].compactMap { $0 }
      if !paths.isEmpty { items.append(Reloader.Item(name: "keys", paths: paths, load: load)) }
    }
    let path = configuration.revocationPath
    let mustExist = configuration.revocationFile != nil
    let load: @Sendable () async throws(RelayError) -> Void = { () async throws(RelayError) in
      credentials.set(try RevocationFile(path: path).read(mustExist: mustExist))
      reexamine()
    }
    try await load()
    items.append(Reloader.Item(name: "revocations", paths: [path], load: load))
    if let certificate {
      let paths = [certificate.certificatePath, certificate.keyPath]
      items.append(
        Reloader.Item(name: "certificate", paths: paths) { () async throws(RelayError) in
          try certificate.reload()
        })
    }
    return items
  }

  private static func keys(_ configuration: Configuration) throws(RelayError) -> [RelayKey] {
    var keys = configuration.key.map { [$0] } ?? []
    if let path = configuration.keyFile { keys += try RelayKey.all(inKeyFile: path) }
    if let path = configuration.jwksFile { keys += try RelayKey.all(inJWKSFile: path) }
    return keys
  }

  static func metricsAccess(_ configuration: Configuration) throws(RelayError) -> HTTPRoutes.MetricsAccess {
    guard let path = configuration.metricsTokenFile else {
      return configuration.isLoopback && configuration.metricsAddress == nil ? .everybody : .nobody
    }
    guard let data = FileManager.default.contents(atPath: path) else { throw .keyUnreadable(path: path) }
    var secret = [UInt8](data)
    while secret.last == 0x0a || secret.last == 0x0d { secret.removeLast() }
    guard (16...1024).contains(secret.count) else {
      throw .keyFileDamaged(path: path, reason: "a secret for metrics has 16 to 1024 bytes")
    }
    return .bearer(secret)
  }
}

extension Relay {
  /// Checks a configuration and reads the files that it names, without opening the log or listening.
  ///
  /// - Throws: `RelayError`, which says what to do.
  public static func check(_ configuration: Configuration) async throws(RelayError) {
    try configuration.validate()
    _ = try metricsAccess(configuration)
    var certificate: ServerCertificate?
    if let path = configuration.certificateFile, let keyPath = configuration.privateKeyFile {
      certificate = try ServerCertificate(certificatePath: path, keyPath: keyPath)
    }
    _ = try await load(configuration, Credentials(), certificate) {}
  }
}
