import Crypto
import Foundation

extension RelayKey {
  /// Takes the secret of HS256: from 32 to 1024 bytes that were drawn at random.
  ///
  /// - Throws: `RelayError.keyTooShort`, or `.secretUnusable` for bytes that are a key, certificate or key set, which
  ///   others may have.
  public init(_ bytes: [UInt8]) throws(RelayError) {
    guard bytes.count >= SecretText.lengths.lowerBound else { throw .keyTooShort(bytes: bytes.count) }
    if let form = KeyForm(bytes) { throw .secretUnusable(reason: form.refusal(in: .secret)) }
    self.init(.secret(bytes))
  }

  /// Reads a file that holds the secret of HS256: one line of base64url without padding. Blanks around it, its line
  /// end and a byte order mark do not count.
  ///
  /// - Throws: `RelayError.keyUnreadable`, or `.keyFileDamaged`, which says what is in the file instead.
  public init(secretFile path: String) throws(RelayError) {
    let file = try KeyFile(path: path)
    do { self.init(.secret(try SecretText.bytes(in: file.content, of: path))) } catch {
      throw file.damaged(error.reason)
    }
  }

  /// Reads the secret of HS256 from an environment variable, by the rules of a file with one.
  ///
  /// - Throws: `RelayError.keyMissing` or `.keyVariableDamaged`.
  public init(secretEnvironment variable: String) throws(RelayError) {
    guard let value = ProcessInfo.processInfo.environment[variable] else {
      throw .keyMissing(variable: variable)
    }
    do { self.init(.secret(try SecretText.bytes(in: Array(value.utf8), of: variable))) } catch {
      throw .keyVariableDamaged(variable: variable, reason: error.reason)
    }
  }

  /// Whether it is a secret that a public key gives away: one of its numbers, its thumbprint or its name.
  func isKnown(from key: RelayKey) -> Bool {
    guard case .secret(let secret) = material else { return false }
    var parts: [[UInt8]] = []
    switch key.material {
    case .secret: return false
    case .es256(let key, _):
      let point = [UInt8](key.x963Representation)
      parts = [Array(point[1..<33]), Array(point[33...]), [UInt8](key.compressedRepresentation)]
    case .eddsa(let key, _): parts = [[UInt8](key.rawRepresentation)]
    }
    for text in [key.thumbprint, key.id].compactMap({ $0 }) {
      parts.append(Array(text.utf8))
      if let bytes = Base64URL.decode(text.utf8) { parts.append(bytes) }
    }
    return parts.contains(secret)
  }
}
