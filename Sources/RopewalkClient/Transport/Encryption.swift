import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOSSL
import RopewalkPlainText

/// TLS to a relay: its certificate must be for the host that was asked for, and lead to a root that is
/// trusted.
struct Encryption: Sendable {
  private let context: NIOSSLContext
  private let host: String
  /// Why the handshake failed.
  private let fault = NIOLockedValueBox<ClientError?>(nil)

  /// - Parameter trustFile: PEM certificates that are trusted beside the system's.
  init(host: String, trustFile: String?) throws(ClientError) {
    self.host = host
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    configuration.certificateVerification = .fullVerification
    configuration.applicationProtocols = ["http/1.1"]
    if let trustFile {
      configuration.additionalTrustRoots = [.certificates(try Self.roots(in: trustFile))]
    }
    do { context = try NIOSSLContext(configuration: configuration) } catch {
      throw .untrusted("there is no certificate that could be trusted")
    }
  }

  /// Every certificate of a PEM file. One that cannot be read is an error: it would be missing silently.
  private static func roots(in path: String) throws(ClientError) -> [NIOSSLCertificate] {
    let blocks: [PEMBlock]
    do { blocks = try TextFile(path: path, limit: 16 << 20).pemBlocks() } catch {
      throw .trustFileUnusable(path: path, reason: error.reason)
    }
    var roots: [NIOSSLCertificate] = []
    for block in blocks where block.label.hasSuffix("CERTIFICATE") {
      do { roots.append(try NIOSSLCertificate(bytes: Array(block.text.utf8), format: .pem)) } catch {
        throw .trustFileUnusable(path: path, reason: "line \(block.line): the PEM block is no certificate")
      }
    }
    if roots.isEmpty { throw .trustFileUnusable(path: path, reason: "it holds no PEM certificate") }
    return roots
  }

  /// Lays TLS under what is in the pipeline.
  func install(in channel: any Channel) throws {
    // An address is no name: then the certificate must be for the address that is connected to.
    let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
    let handler = try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host)
    try channel.pipeline.syncOperations.addHandlers([handler, Watch(fault)], position: .first)
  }

  /// What went wrong, if it was the handshake.
  var failure: ClientError? { fault.withLockedValue { $0 } }

  /// Keeps the first error of TLS, which is not passed on by what stands above.
  private final class Watch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let fault: NIOLockedValueBox<ClientError?>

    init(_ fault: NIOLockedValueBox<ClientError?>) { self.fault = fault }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      let reason: String? =
        switch error {
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
          "it is not for this host"
        case is NIOSSLExtraError: "it does not hold"
        case NIOSSLError.handshakeFailed: "it leads to no root that is trusted, or the relay speaks no TLS"
        case NIOSSLError.unableToValidateCertificate, NIOSSLError.noCertificateToValidate: "it does not hold"
        default: nil
        }
      if let reason { fault.withLockedValue { $0 = $0 ?? .untrusted(reason) } }
      context.fireErrorCaught(error)
      if reason != nil { context.close(promise: nil) }
    }
  }
}

/// What a server says that does not speak WebSocket now.
struct HTTPRefusal: Sendable {
  let status: UInt
  /// In seconds.
  let retryAfter: UInt32?
}

/// Reads the head of an answer that is no upgrade.
final class HTTPRefusalReader: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart

  private var promise: EventLoopPromise<HTTPRefusal?>?

  init(_ promise: EventLoopPromise<HTTPRefusal?>) { self.promise = promise }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(let head) = unwrapInboundIn(data) else { return }
    let seconds = head.headers.first(name: "retry-after").flatMap { UInt32($0) }
    finish(HTTPRefusal(status: head.status.code, retryAfter: seconds.map { min($0, 3600) }))
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) { finish(nil) }
  func handlerRemoved(context: ChannelHandlerContext) { finish(nil) }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func finish(_ refusal: HTTPRefusal?) {
    promise?.succeed(refusal)
    promise = nil
  }
}
