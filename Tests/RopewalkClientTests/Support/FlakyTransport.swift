import Synchronization

@testable import RopewalkClient

/// The real network, but every connection breaks after some messages in either direction, until it is `repaired`.
final class FlakyTransport: Transport {
  private let random: Mutex<SeededGenerator>
  private let isRepaired = Mutex(false)
  private let breaks = Mutex(0)

  init(seed: UInt64) { random = Mutex(SeededGenerator(seed: seed)) }

  /// How many connections broke.
  var brokenCount: Int { breaks.withLock { $0 } }

  /// From now on nothing breaks.
  func repair() { isRepaired.withLock { $0 = true } }

  func connect(to address: RelayAddress, timeout: UInt64) async throws(ClientError) -> any TransportConnection
  {
    let connection = try await WebSocketTransport().connect(to: address, timeout: timeout)
    let life = random.withLock { Int.random(in: 1...30, using: &$0) }
    return Connection(connection, life: life, of: self)
  }

  private final class Connection: TransportConnection {
    let incoming: AsyncStream<TransportEvent>
    private let connection: any TransportConnection
    private let life: Mutex<Int>
    private let transport: FlakyTransport

    init(_ connection: any TransportConnection, life: Int, of transport: FlakyTransport) {
      self.connection = connection
      self.life = Mutex(life)
      self.transport = transport
      let (incoming, events) = AsyncStream.makeStream(of: TransportEvent.self)
      self.incoming = incoming
      Task {
        for await event in connection.incoming {
          if case .message = event, !self.survives() { break }
          events.yield(event)
        }
        connection.close(code: 1000)
        events.yield(.closed(code: nil))
        events.finish()
      }
    }

    private func survives() -> Bool {
      if transport.isRepaired.withLock({ $0 }) { return true }
      let left = life.withLock { life in
        life -= 1
        return life
      }
      if left == 0 { transport.breaks.withLock { $0 += 1 } }
      return left > 0
    }

    func send(_ message: [UInt8]) {
      if survives() { connection.send(message) } else { connection.close(code: 1000) }
    }

    func consumed(bytes: Int) { connection.consumed(bytes: bytes) }

    func close(code: UInt16) { connection.close(code: code) }
  }
}
