import Foundation

/// The secret that signs tokens (HS256), at least 32 bytes. Prints as nothing.
public struct RelayKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  let bytes: [UInt8]

  /// Takes the secret itself.
  public init(_ bytes: [UInt8]) throws(RelayError) {
    guard bytes.count >= 32 else { throw .keyTooShort(bytes: bytes.count) }
    self.bytes = bytes
  }

  /// Reads a file; line ends at its end are not part of the secret.
  public init(file path: String) throws(RelayError) {
    guard let data = FileManager.default.contents(atPath: path) else { throw .keyUnreadable(path: path) }
    var bytes = [UInt8](data)
    while bytes.last == 0x0a || bytes.last == 0x0d { bytes.removeLast() }
    try self.init(bytes)
  }

  /// Reads an environment variable.
  public init(environment variable: String) throws(RelayError) {
    guard let value = ProcessInfo.processInfo.environment[variable] else {
      throw .keyMissing(variable: variable)
    }
    try self.init(Array(value.utf8))
  }

  /// A placeholder.
  public var description: String { "RelayKey" }
  /// A placeholder.
  public var debugDescription: String { "RelayKey" }
  /// No children.
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}
