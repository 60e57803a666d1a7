import Synchronization

@testable import RopewalkClient

/// The real network, but from the moment that it `overtakes` every message with entries waits for the next one
/// with presence, and comes after that.
final class OvertakingTransport: Transport {
  private let isOvertaking = Mutex(false)

  /// From now on presence comes first.
  func overtake() { isOvertaking.withLock { $0 = true } }

  func connect(to address: RelayAddress, timeout: UInt64) async throws(ClientError) -> any TransportConnection
  {
    Connection(try await WebSocketTransport().connect(to: address, timeout: timeout), of: self)
  }

  private final class Connection: TransportConnection {
    let incoming: AsyncStream<TransportEvent>
    private let connection: any TransportConnection

    init(_ connection: any TransportConnection, of transport: OvertakingTransport) {
      self.connection = connection
      let (incoming, events) = AsyncStream.makeStream(of: TransportEvent.self)
      self.incoming = incoming
      Task {
        var held: [TransportEvent] = []
        var ahead = 0
        for await event in connection.incoming {
          guard case .message(let bytes) = event, transport.isOvertaking.withLock({ $0 }) else {
            events.yield(event)
            continue
          }
          // Entries may be compressed; presence is too small for that.
          let isPresence = bytes.starts(with: [0, 72])
          if isPresence {
            events.yield(event)
            if held.isEmpty { ahead += 1 } else { events.yield(held.removeFirst()) }
          } else if bytes.starts(with: [0, 68]) || bytes.first == 1 {
            if ahead > 0 {
              ahead -= 1
              events.yield(event)
            } else {
              held.append(event)
            }
          } else {
            events.yield(event)
          }
        }
        events.finish()
      }
    }

    func send(_ message: [UInt8]) { connection.send(message) }
    func consumed(bytes: Int) { connection.consumed(bytes: bytes) }
    func close(code: UInt16) { connection.close(code: code) }
  }
}
