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
      let load: @Sendable (Reloader.Occasion) async throws(RelayError) -> Int = {
        (_) async throws(RelayError) in
        credentials.set(
          TokenVerifier(
            keys: try keys(configuration), issuer: configuration.issuer, audience: configuration.audience))
        reexamine()
        return 0
      }
      _ = try await load(.start)
      let paths = [configuration.keyFile, configuration.jwksFile, configuration.secretFile].compactMap { $0 }
      if !paths.isEmpty { items.append(Reloader.Item(name: .keys, paths: paths, load: load)) }
    }
    let path = configuration.revocationPath
    let mustExist = configuration.revocationFile != nil
    let load: @Sendable (Reloader.Occasion) async throws(RelayError) -> Int = {
      (occasion) async throws(RelayError) in
      // A list that is gone revokes what it did.
      let isNeeded = mustExist || credentials.revocationCount > 0
      let revocations = try RevocationFile(path: path).read(mustExist: isNeeded)
      defer { reexamine() }
      // Whoever writes in place may have been killed in the middle.
      if case .rewritten = occasion { return credentials.add(revocations) }
      credentials.set(revocations)
      return 0
    }
    _ = try await load(.start)
    items.append(Reloader.Item(name: .revocations, paths: [path], load: load))
    if let certificate {
      let paths = [certificate.certificatePath, certificate.keyPath]
      items.append(
        Reloader.Item(name: .certificate, paths: paths) { (_) async throws(RelayError) in
          try certificate.reload()
          return 0
        })
    }
    return items
  }

  private static func keys(_ configuration: Configuration) throws(RelayError) -> [RelayKey] {
    var keys = configuration.key.map { [$0] } ?? []
    if let path = configuration.keyFile { keys += try RelayKey.all(inKeyFile: path) }
    if let path = configuration.jwksFile { keys += try RelayKey.all(inJWKSFile: path) }
    let known = "a public key of this relay gives it away"
    if let key = configuration.key, keys.contains(where: key.isKnown) { throw .secretUnusable(reason: known) }
    if let path = configuration.secretFile {
      let secret = try RelayKey(secretFile: path)
      if keys.contains(where: secret.isKnown) { throw .keyFileDamaged(path: path, reason: known) }
      keys.append(secret)
    }
    return keys
  }

  static func metricsAccess(_ configuration: Configuration) throws(RelayError) -> HTTPRoutes.MetricsAccess {
    // Whatever is in front of the main address (a proxy, a tunnel, a browser) can make anybody look like this machine.
    guard let path = configuration.metricsTokenFile else { return .nobody }
    let secret = try RelayKey.bearerToken(inFile: path)
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
