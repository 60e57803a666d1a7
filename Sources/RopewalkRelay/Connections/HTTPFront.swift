import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Answers plain HTTP requests until a connection is upgraded: `/healthz`, and refusals. Also bounds how long a
/// connection may take to ask for something.
final class HTTPFront: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let patience: TimeAmount
  private var timeout: Scheduled<Void>?

  init(patience: TimeAmount) { self.patience = patience }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    timeout = context.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
  }

  func handlerRemoved(context: ChannelHandlerContext) { timeout?.cancel() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(let head) = unwrapInboundIn(data) else { return }
    let path = head.uri.prefix { $0 != "?" }
    switch (head.method, path) {
    case (.GET, "/healthz"), (.HEAD, "/healthz"): answer(.ok, "ok\n", to: head, context)
    case (_, "/healthz"): answer(.methodNotAllowed, "Use GET.\n", to: head, context)
    case (_, "/sync") where head.headers.contains(name: "upgrade"):
      answer(.forbidden, "Not from this origin, or not this kind of upgrade.\n", to: head, context)
    case (_, "/sync"): answer(.upgradeRequired, "This is a WebSocket endpoint.\n", to: head, context)
    default: answer(.notFound, "Nothing is here.\n", to: head, context)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // An upgrade that was refused is reported here, and then the request comes through to be answered.
    if error is NIOWebSocketUpgradeError { return }
    context.close(promise: nil)
  }

  /// Answers and closes: what comes here is rare.
  private func answer(
    _ status: HTTPResponseStatus, _ text: String, to head: HTTPRequestHead, _ context: ChannelHandlerContext
  ) {
    var headers = HTTPHeaders()
    headers.add(name: "content-type", value: "text/plain; charset=utf-8")
    headers.add(name: "content-length", value: "\(text.utf8.count)")
    headers.add(name: "connection", value: "close")
    if status == .upgradeRequired { headers.add(name: "upgrade", value: "websocket") }
    let response = HTTPResponseHead(version: head.version, status: status, headers: headers)
    context.write(wrapOutboundOut(.head(response)), promise: nil)
    if head.method != .HEAD {
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
    }
    let channel = context.channel
    let promise = context.eventLoop.makePromise(of: Void.self)
    promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: promise)
  }
}
