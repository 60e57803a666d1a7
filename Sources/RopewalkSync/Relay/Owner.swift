import RopewalkCore

/// Whose a replica id is in a room: of the first who pushed under it, for ever. Nobody else's pushes under it are
/// taken, so that an event's id says who has written it.
public struct Owner: Hashable, Sendable {
  /// Who, by the relay's word; UTF-8.
  public let subject: [UInt8]
  /// Of those without a token, who may be many under one subject: the hash of what tells one from another.
  public let identity: PayloadHash?

  /// Somebody whom a token names.
  public init(subject: [UInt8]) {
    self.subject = subject
    identity = nil
  }

  /// Reads what was stored.
  public init(subject: [UInt8], identity: PayloadHash?) {
    self.subject = subject
    self.identity = identity
  }

  /// Somebody without a token: known again by the secret that the client keeps, or else by the connection.
  ///
  /// - Parameters:
  ///   - secret: the identity in the hello; empty for none.
  ///   - session: the connection.
  public init(anonymous subject: [UInt8], secret: [UInt8], session: UInt64) {
    self.subject = subject
    var writer = ByteWriter()
    // Of another length than any secret: everybody knows the numbers of connections.
    if secret.isEmpty { writer.fixed64(session) } else { writer.append(secret) }
    identity = PayloadHash(of: writer.bytes)
  }
}
