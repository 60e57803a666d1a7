/// Makes connections to relays. The seam at which encryption, or a test's network, comes in.
protocol Transport: Sendable {
  /// Connects and speaks WebSocket's opening handshake.
  func connect(to address: RelayAddress, timeout: UInt64) async throws(ClientError) -> any TransportConnection
}

/// One WebSocket connection.
protocol TransportConnection: Sendable {
  /// What arrives, once; ends with `closed`.
  var incoming: AsyncStream<TransportEvent> { get }
  /// Sends one binary message. Messages leave in order; after the end they are dropped.
  func send(_ message: [UInt8])
  /// Says that a message was worked off, so that more may be read.
  func consumed(bytes: Int)
  /// Closes with a code of WebSocket.
  func close(code: UInt16)
}

/// What arrives over a connection.
enum TransportEvent: Hashable, Sendable {
  /// One binary message.
  case message([UInt8])
  /// The end, with the peer's close code if there was one.
  case closed(code: UInt16?)
}
