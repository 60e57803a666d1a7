import NIOConcurrencyHelpers
import NIOCore
import NIOSSL
import RopewalkPlainText

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
    var chain: [NIOSSLCertificate] = []
    for block in try blocks(certificatePath) where block.label.hasSuffix("CERTIFICATE") {
      do { chain.append(try NIOSSLCertificate(bytes: Array(block.text.utf8), format: .pem)) } catch {
        throw .certificateUnusable(
          path: certificatePath, reason: "line \(block.line): the PEM block is no certificate")
      }
    }
    guard !chain.isEmpty else {
      throw .certificateUnusable(path: certificatePath, reason: "it holds no PEM certificate")
    }
    let keys = try blocks(keyPath).filter { $0.label.hasSuffix("PRIVATE KEY") }
    guard keys.count == 1, let key = try? NIOSSLPrivateKey(bytes: Array(keys[0].text.utf8), format: .pem)
    else {
      throw .certificateUnusable(
        path: keyPath,
        reason: keys.count > 1
          ? "it holds several private keys" : "it holds no PEM private key without a passphrase")
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

  private static func blocks(_ path: String) throws(RelayError) -> [PEMBlock] {
    do { return try TextFile(path: path, isRegular: true).pemBlocks() } catch {
      throw .certificateUnusable(path: path, reason: error.reason)
    }
  }
}
