import RopewalkPlainText

extension Relay.Configuration {
  /// Files that others than the relay's user can do more with than they should: a sentence each. To be told, not refused: a
  /// directory above may keep others out.
  public var exposures: [String] {
    let secrets = [
      secretFile, metricsTokenFile, privateKeyFile, keyFile.flatMap { holdsPrivateKey($0) ? $0 : nil },
    ]
    let readable = secrets.compactMap { $0 }.filter { FilePermissions(path: $0)?.isReadableByAll == true }
    let trusted = [
      keyFile, jwksFile, secretFile, metricsTokenFile, certificateFile, privateKeyFile, revocationPath,
    ]
    let writable = trusted.compactMap { $0 }.filter { FilePermissions(path: $0)?.isWritableByOthers == true }
    return readable.map { "Everybody on this machine may read \($0), which is secret: chmod o-r" }
      + writable.map { "Others than its owner may write \($0), which the relay trusts: chmod go-w" }
  }

  private func holdsPrivateKey(_ path: String) -> Bool {
    guard let content = try? TextFile.content(of: path) else { return false }
    return String(decoding: content, as: UTF8.self).contains("PRIVATE KEY")
  }
}
