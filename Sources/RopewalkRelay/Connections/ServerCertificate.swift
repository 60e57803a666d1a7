import NIOConcurrencyHelpers
import NIOCore
import NIOSSL

/// The certificate that the relay shows, and can change while it runs: connections that are open keep the
/// one they were made with.
final class ServerCertificate: Sendable {
  private let context: NIOLockedValueBox<NIOSSLContext>
  let certificatePath: String
  let keyPath: String

  /// Reads a PEM file with the certificate and those between it and the root, and one with its private key.
  init(certificatePath: String, keyPath: String) throws(RelayError) {
    self.certificatePath = certificatePath
    self.keyPath = keyPath
    context = NIOLockedValueBox(try Self.load(certificatePath, keyPath))
  }

  /// Reads the files anew; if that fails, the old certificate stays.
  func reload() throws(RelayError) {
    let new = try Self.load(certificatePath, keyPath)
    context.withLockedValue { $0 = new }
  }

  /// Encrypts one connection.
  func handler() -> NIOSSLServerHandler { NIOSSLServerHandler(context: context.withLockedValue { $0 }) }

  private static func load(_ certificatePath: String, _ keyPath: String) throws(RelayError) -> NIOSSLContext {
    let chain: [NIOSSLCertificate]
    do { chain = try NIOSSLCertificate.fromPEMFile(certificatePath) } catch {
      throw .certificateUnusable(path: certificatePath, reason: "it holds no PEM certificate")
    }
    guard !chain.isEmpty else {
      throw .certificateUnusable(path: certificatePath, reason: "it holds no PEM certificate")
    }
    let key: NIOSSLPrivateKey
    do { key = try NIOSSLPrivateKey(file: keyPath, format: .pem) } catch {
      throw .certificateUnusable(path: keyPath, reason: "it holds no PEM private key without a passphrase")
    }
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.minimumTLSVersion = .tlsv12
    configuration.applicationProtocols = ["http/1.1"]
    do { return try NIOSSLContext(configuration: configuration) } catch {
      throw .certificateUnusable(
        path: certificatePath, reason: "it and the private key do not belong together")
    }
  }
}
