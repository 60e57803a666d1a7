import NIOCore
import NIOHTTP1
import NIOWebSocket

/// How a connection comes from HTTP to a WebSocket.
package enum WebSocketUpgrade {
  /// Lays a channel's pipeline as far as HTTP and what is needed to upgrade.
  ///
  /// - Parameters:
  ///   - strangerBytes: what may come before `MessageSocket.trust`, HTTP included, in bytes.
  ///   - largestFrame: in bytes; larger ones are an error before they are gathered.
  ///   - admits: whether a request is upgraded.
  ///   - open: makes the socket of a connection that was upgraded, on its loop.
  package static func prepare(
    _ channel: any Channel, strangerBytes: Int, largestFrame: Int,
    admits: @escaping @Sendable (HTTPRequestHead) -> Bool,
    open: @escaping @Sendable (any Channel) throws -> MessageSocket
  ) throws {
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(GreetingBudget(bytes: strangerBytes))
    let upgrader = NIOWebSocketServerUpgrader(
      maxFrameSize: largestFrame, automaticErrorHandling: false,
      shouldUpgrade: { channel, head in
        channel.eventLoop.makeSucceededFuture(admits(head) ? HTTPHeaders() : nil)
      },
      upgradePipelineHandler: { channel, _ in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(try open(channel))
        }
      })
    try pipeline.configureHTTPServerPipeline(
      withServerUpgrade: (
        upgraders: [upgrader],
        completionHandler: { context in
          if let front = try? context.pipeline.syncOperations.handler(type: HTTPFront.self) {
            context.pipeline.syncOperations.removeHandler(front, promise: nil)
          }
        }
      ), withErrorHandling: true)
  }
}
