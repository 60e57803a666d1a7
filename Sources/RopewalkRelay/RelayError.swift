/// Why a relay did not start, or a key or token could not be made. Never carries a key.
public enum RelayError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Without a key the relay serves on loopback only, and this address is another.
  case keyRequired(host: String)
  /// The key file cannot be read.
  case keyUnreadable(path: String)
  /// The environment variable is not set.
  case keyMissing(variable: String)
  /// The environment variable holds something else than a secret; `reason` says what, without any of it.
  case keyVariableDamaged(variable: String, reason: String)
  /// Bytes that were given for a secret are something else; `reason` says what, without any of it.
  case secretUnusable(reason: String)
  /// HS256 needs a key of at least 32 bytes.
  case keyTooShort(bytes: Int)
  /// A key file holds something else; `reason` says what, without any of it.
  case keyFileDamaged(path: String, reason: String)
  /// The revocation file cannot be taken: `line`, counted from 1 where there is one, says where and `reason`
  /// why, without any of it.
  case revocationFileDamaged(path: String, line: Int?, reason: String)
  /// The revocation file cannot be read or written.
  case revocationFileUnusable(path: String)
  /// There is no audit log.
  case auditUnreadable(path: String)
  /// Certificate or private key cannot be used; `reason` says why, without any of them.
  case certificateUnusable(path: String, reason: String)
  /// The data directory cannot be made or written.
  case dataDirectoryUnusable(path: String)
  /// Others than its owner may write in the data directory.
  case dataDirectoryOpen(path: String, mode: UInt32)
  /// Another relay uses the data directory.
  case dataDirectoryInUse(path: String)
  /// `log.sqlite` is damaged, of a later version, or no log. `code` is SQLite's, nil if SQLite is content.
  case logUnusable(path: String, code: Int32?)
  /// `log.sqlite` was written by a later release, in a format that is not known here.
  case logTooNew(path: String, version: Int)
  /// The tables of `log.sqlite`, or what is beside them, are not what a relay makes; `reason` is the first
  /// difference. Nothing in it was run.
  case logAltered(path: String, reason: String)
  /// The address cannot be listened on.
  case cannotListen(host: String, port: Int, reason: String)
  /// A setting is outside of what is allowed. `of` names the settings that it may be, as the operator's
  /// manual does.
  case badSetting(String, of: [String] = [])

  /// A sentence that says what to do.
  public var description: String {
    switch self {
    case .keyRequired(let host):
      "Without a key the relay serves on loopback only (127.0.0.1, ::1); to listen on \(host), give it a key."
    case .keyUnreadable(let path): "The key file \(path) cannot be read."
    case .keyMissing(let variable):
      "The environment variable \(variable), which should hold the secret, is not set."
    case .keyVariableDamaged(let variable, let reason):
      "The environment variable \(variable) cannot be used as a secret: \(reason)."
    case .secretUnusable(let reason): "The secret cannot be used: \(reason)."
    case .keyTooShort(let bytes): "The key has \(bytes) bytes; HS256 needs at least 32."
    case .keyFileDamaged(let path, let reason): "The key file \(path) cannot be used: \(reason)."
    case .revocationFileDamaged(let path, let line, let reason):
      "\(path)\(line.map { ":\($0)" } ?? ""): \(reason)."
    case .revocationFileUnusable(let path): "The revocation file \(path) cannot be read or written."
    case .auditUnreadable(let path): "There is no audit log at \(path)."
    case .certificateUnusable(let path, let reason):
      "The certificate or private key \(path) cannot be used: \(reason)."
    case .dataDirectoryUnusable(let path): "The data directory \(path) cannot be made or written."
    case .dataDirectoryOpen(let path, let mode):
      "Others than its owner may write in the data directory \(path) (its mode is \(String(mode, radix: 8))): take that right "
        + "from them (chmod go-w), or name a directory inside of it, which is then made for the relay alone."
    case .dataDirectoryInUse(let path): "Another relay is using the data directory \(path)."
    case .logUnusable(let path, let code):
      code.map { "\(path) cannot be opened (SQLite code \($0))." }
        ?? "\(path) is not a relay log of this version."
    case .logTooNew(let path, let version):
      "\(path) was written by a later release of Ropewalk (format \(version)); it is left as it is."
    case .logAltered(let path, let reason): "\(path) is not as a relay makes it: \(reason)."
    case .cannotListen(let host, let port, let reason): "Cannot listen on \(host), port \(port): \(reason)"
    case .badSetting(let text, _): text
    }
  }
}
