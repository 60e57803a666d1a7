import RopewalkPlainText

/// What others on the machine can do with files that only their owner should read, or write.
public enum FileExposure {
  /// A sentence for each file that others can do more with than they should. To be told, not refused: a directory above
  /// may keep others out.
  ///
  /// - Parameters:
  ///   - secrets: files that nobody else may read. One with public keys alone may be among them, and is not secret.
  ///   - trusted: files that nobody else may write.
  public static func sentences(secrets: [String], trusted: [String]) -> [String] {
    let readable = secrets.filter { FilePermissions(path: $0)?.isReadableByAll == true && !isPublic($0) }
    let writable = trusted.filter { FilePermissions(path: $0)?.isWritableByOthers == true }
    return readable.map { "Everybody on this machine may read \($0), which is secret: chmod o-r" }
      + writable.map { "Others than its owner may write \($0), which is trusted: chmod go-w" }
  }

  /// Whether a file holds PEM blocks, and none of them is private.
  private static func isPublic(_ path: String) -> Bool {
    guard let content = try? TextFile.content(of: path, isRegular: true) else { return false }
    let text = String(decoding: content, as: UTF8.self)
    return text.contains("-----BEGIN ") && !text.contains("PRIVATE KEY")
  }
}

extension Relay.Configuration {
  /// Files that others than the relay's user can do more with than they should: a sentence each.
  public var exposures: [String] {
    let secrets = [secretFile, metricsTokenFile, privateKeyFile, keyFile]
    let trusted = [
      keyFile, jwksFile, secretFile, metricsTokenFile, certificateFile, privateKeyFile, revocationPath,
    ]
    return FileExposure.sentences(secrets: secrets.compactMap { $0 }, trusted: trusted.compactMap { $0 })
  }
}
