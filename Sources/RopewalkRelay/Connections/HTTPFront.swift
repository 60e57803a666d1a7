import NIOCore
import NIOHTTP1
import NIOWebSocket

/// What is answered over plain HTTP on one address.
struct HTTPRoutes: Sendable {
  enum MetricsAccess: Hashable, Sendable {
    case nobody
    /// Who reaches the address. One that came by a loopback address must have asked for that: a page in this machine's
    /// browser can make its own site's name mean 127.0.0.1 (DNS rebinding), and sends that name as `Host`.
    case everybody
    /// Who sends `Authorization: Bearer` and this.
    case bearer([UInt8])
  }

  /// Whether the WebSocket is here.
  var hasSync: Bool
  var metricsAccess: MetricsAccess
  let readiness: Readiness
  let metrics: Metrics
  let meters: Meters
  let audit: AuditLog
  let now: @Sendable () -> UInt64

  /// Counts that somebody was not let in, and notes it in the audit log, unless they may soon come back.
  func refused(_ reason: RefusalReason, on channel: any Channel) {
    meters[channel.eventLoop].refused(reason)
    guard reason != .draining else { return }
    var record = AuditRecord(time: now(), act: .refused)
    record.code = reason.rawValue
    record.from = channel.remoteAddress?.ipAddress
    audit.record(record, isStranger: true)
  }
}

/// Answers plain HTTP requests until a connection is upgraded: `/healthz`, `/readyz`, `/metrics`, and
/// refusals. Also bounds how long a connection may take to ask for something.
final class HTTPFront: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let routes: HTTPRoutes
  private let patience: TimeAmount
  /// The relay takes no more connections: everything is refused.
  private let isFull: Bool
  private var timeout: Scheduled<Void>?
  private var hasAnswered = false

  init(_ routes: HTTPRoutes, patience: TimeAmount, isFull: Bool = false) {
    self.routes = routes
    self.patience = patience
    self.isFull = isFull
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    timeout = context.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
  }

  func handlerRemoved(context: ChannelHandlerContext) { timeout?.cancel() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    // One answer per connection; what else was sent is not looked at.
    guard case .head(let head) = unwrapInboundIn(data), !hasAnswered else { return }
    hasAnswered = true
    let path = head.uri.prefix { $0 != "?" }
    if isFull {
      return refuse(.tooManyConnections, "As many connections as the relay takes.\n", head, context)
    }
    switch path {
    case "/healthz", "/readyz", "/metrics": probe(String(path), head, context)
    case "/sync" where routes.hasSync: refuseSync(head, context)
    default: answer(.notFound, "Nothing is here.\n", to: head, context)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // An upgrade that was refused is reported here, and then the request comes through to be answered.
    if error is NIOWebSocketUpgradeError { return }
    routes.meters[context.eventLoop].refused(.badRequest)
    context.close(promise: nil)
  }

  private func probe(_ path: String, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    guard head.method == .GET || head.method == .HEAD else {
      return answer(.methodNotAllowed, "Use GET.\n", to: head, context)
    }
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    switch path {
    case "/healthz": answer(.ok, "ok\n", to: head, context)
    case "/readyz":
      routes.readiness.check(on: context.eventLoop).whenSuccess { reason in
        let (front, context) = bound.value
        front.answer(
          reason == nil ? .ok : .serviceUnavailable, (reason ?? "ready") + "\n", to: head, context)
      }
    default:
      guard admitsToMetrics(head) else {
        return answer(.notFound, "Nothing is here.\n", to: head, context)
      }
      guard asksForThisMachine(head, context) else {
        return answer(.forbidden, "On this machine: ask localhost, 127.0.0.1 or [::1].\n", to: head, context)
      }
      routes.metrics.page(on: context.eventLoop).whenComplete { page in
        let (front, context) = bound.value
        guard case .success(let text) = page else { return context.close(promise: nil) }
        front.answer(.ok, text, to: head, context, type: "text/plain; version=0.0.4; charset=utf-8")
      }
    }
  }

  private func admitsToMetrics(_ head: HTTPRequestHead) -> Bool {
    switch routes.metricsAccess {
    case .nobody: return false
    case .everybody: return true
    case .bearer(let secret):
      let wanted = Array("Bearer ".utf8) + secret
      let given = Array((head.headers.first(name: "authorization") ?? "").utf8)
      return ConstantTime.areEqual(given, wanted)
    }
  }

  /// Whether a request that anybody could make names the address by which it came, where that is a loopback address.
  private func asksForThisMachine(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) -> Bool {
    guard routes.metricsAccess == .everybody, let address = context.localAddress?.ipAddress,
      Loopback.isAddress(address)
    else { return true }
    let hosts = head.headers["host"]
    return hosts.count == 1 && hosts.allSatisfy { Loopback.isHost($0) }
  }

  private func refuseSync(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    // Nothing is said there; and what is said in an address gets into other people's logs.
    guard head.uri == "/sync" else {
      routes.meters[context.eventLoop].refused(.badRequest)
      return answer(.badRequest, "The address ends with /sync, without a query.\n", to: head, context)
    }
    // A proxy may take what follows for a body, and for what else is in it: requests that it did not look at.
    guard !head.mayHaveBody else {
      routes.meters[context.eventLoop].refused(.badRequest)
      return answer(.badRequest, "An upgrade has no body.\n", to: head, context)
    }
    guard head.headers.contains(name: "upgrade") else {
      return answer(.upgradeRequired, "This is a WebSocket endpoint.\n", to: head, context)
    }
    if routes.readiness.isDraining { return refuse(.draining, "The relay is stopping.\n", head, context) }
    routes.refused(.origin, on: context.channel)
    answer(.forbidden, "Not from this origin, or not this kind of upgrade.\n", to: head, context)
  }

  /// Says when to come back; spread, so that not all come at once.
  private func refuse(
    _ reason: RefusalReason, _ text: String, _ head: HTTPRequestHead, _ context: ChannelHandlerContext
  ) {
    routes.refused(reason, on: context.channel)
    answer(.serviceUnavailable, text, to: head, context, retryAfter: Int.random(in: 2...15))
  }

  /// Answers and closes: what comes here is rare.
  private func answer(
    _ status: HTTPResponseStatus, _ text: String, to head: HTTPRequestHead, _ context: ChannelHandlerContext,
    type: String = "text/plain; charset=utf-8", retryAfter: Int? = nil
  ) {
    var headers = HTTPHeaders()
    headers.add(name: "content-type", value: type)
    headers.add(name: "content-length", value: "\(text.utf8.count)")
    headers.add(name: "cache-control", value: "no-store")
    headers.add(name: "connection", value: "close")
    if status == .upgradeRequired { headers.add(name: "upgrade", value: "websocket") }
    if let retryAfter { headers.add(name: "retry-after", value: "\(retryAfter)") }
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

extension HTTPRequestHead {
  /// Whether its headers speak of a body that follows, or of its length in a way that others may read otherwise.
  var mayHaveBody: Bool {
    let lengths = headers["content-length"]
    return headers.contains(name: "transfer-encoding") || lengths.count > 1 || lengths.contains { $0 != "0" }
  }
}

/// Comparison that takes as long whatever the bytes are.
enum ConstantTime {
  /// Only the lengths show in the time it takes.
  static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for index in a.indices { difference |= a[index] ^ b[index] }
    return difference == 0
  }
}
