import RopewalkCore
import RopewalkSync
import Synchronization

@testable import RopewalkClient

/// A network whose other end is a closure: what it returns for each message arrives at the client. A nil ends
/// the connection.
struct TransportDouble: Transport {
  /// Called for each attempt; throws to be unreachable.
  var open: @Sendable () throws -> Void = {}
  /// Answers each message that the client sends.
  var answer: @Sendable ([UInt8]) -> [[UInt8]?]

  func connect(to address: RelayAddress, timeout: UInt64) async throws(ClientError) -> any TransportConnection
  {
    do { try open() } catch { throw .unreachable("the test says so") }
    return Connection(answer: answer)
  }

  final class Connection: TransportConnection {
    let incoming: AsyncStream<TransportEvent>
    private let events: AsyncStream<TransportEvent>.Continuation
    private let answer: @Sendable ([UInt8]) -> [[UInt8]?]

    init(answer: @escaping @Sendable ([UInt8]) -> [[UInt8]?]) {
      (incoming, events) = AsyncStream.makeStream(of: TransportEvent.self)
      self.answer = answer
    }

    func send(_ message: [UInt8]) {
      for reply in answer(message) {
        guard let reply else { return close(code: 1000) }
        events.yield(.message(reply))
      }
    }

    func consumed(bytes: Int) {}

    func close(code: UInt16) {
      events.yield(.closed(code: nil))
      events.finish()
    }
  }
}
