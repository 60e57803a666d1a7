import Foundation
import Logging
import RopewalkRelay
import RopewalkReplica
import Testing
import X509

@testable import RopewalkClient

/// Connections by TLS, with certificates that are made for the test.
@Suite(.timeLimit(.minutes(5))) struct EncryptionTests {
  /// A root and a certificate for `localhost` that it has signed.
  private struct Authority {
    let root: String
    let certificate: String
    let key: String

    init() throws {
      let (rootKey, ownKey) = (RelayKey.generate(.es256), RelayKey.generate(.es256))
      let rootSigner = try Certificate.PrivateKey(pemEncoded: rootKey.privateText ?? "")
      key = ownKey.privateText ?? ""
      let own = try Certificate.PrivateKey(pemEncoded: key)
      let rootName = try DistinguishedName { CommonName("Test Root") }
      let now = Date()
      let root = try Certificate(
        version: .v3, serialNumber: .init(), publicKey: rootSigner.publicKey,
        notValidBefore: now - 3600, notValidAfter: now + 86_400, issuer: rootName, subject: rootName,
        signatureAlgorithm: .ecdsaWithSHA256,
        extensions: try Certificate.Extensions {
          Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
        }, issuerPrivateKey: rootSigner)
      let certificate = try Certificate(
        version: .v3, serialNumber: .init(), publicKey: own.publicKey,
        notValidBefore: now - 3600, notValidAfter: now + 86_400, issuer: rootName,
        subject: try DistinguishedName { CommonName("localhost") }, signatureAlgorithm: .ecdsaWithSHA256,
        extensions: try Certificate.Extensions { SubjectAlternativeNames([.dnsName("localhost")]) },
        issuerPrivateKey: rootSigner)
      self.root = try root.serializeAsPEM().pemString
      self.certificate = try certificate.serializeAsPEM().pemString
    }

    func write(to world: World) throws {
      try Data(certificate.utf8).write(to: URL(fileURLWithPath: world.path("certificate")))
      try Data(key.utf8).write(to: URL(fileURLWithPath: world.path("key")))
    }
  }

  private func relay(_ world: World) async throws -> Relay {
    var configuration = Relay.Configuration(
      dataDirectory: world.path("relay"), port: 0, threads: 1, grace: 500)
    configuration.certificateFile = world.path("certificate")
    configuration.privateKeyFile = world.path("key")
    configuration.reloadInterval = 0
    return try await Relay.start(
      configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  private func client(_ replica: Replica, _ address: String, trusting root: String?) throws -> Client {
    var options = ClientOptions.forTests
    options.trustFile = root
    return try Client(replica: replica, relay: address, options: options)
  }

  private func failure(_ address: String, trusting root: String?, _ world: World) async throws -> ClientError?
  {
    let replica = try world.replica("r\(UInt32.random(in: 0 ... .max))")
    let client = try client(replica, address, trusting: root)
    try await client.join("team")
    do throws(ClientError) { try await client.sync() } catch {
      await client.close()
      return error
    }
    await client.close()
    return nil
  }

  private func isUntrusted(_ error: ClientError?) -> Bool {
    if case .untrusted? = error { true } else { false }
  }

  @Test func onlyACertificateOfATrustedRootForTheRightHostIsTaken() async throws {
    try await withWorld { world in
      let (authority, other) = (try Authority(), try Authority())
      try authority.write(to: world)
      try Data(authority.root.utf8).write(to: URL(fileURLWithPath: world.path("root")))
      try Data(other.root.utf8).write(to: URL(fileURLWithPath: world.path("other")))
      let relay = try await relay(world)
      #expect(relay.url.hasPrefix("wss://"))
      let named = "wss://localhost:\(relay.port)"
      let root = world.path("root")
      let none = try await failure(named, trusting: root, world)
      #expect(none == nil)
      for (address, trusted) in [
        (named, nil), (named, world.path("other")), ("wss://127.0.0.1:\(relay.port)", root),
      ] {
        let error = try await failure(address, trusting: trusted, world)
        #expect(isUntrusted(error), "\(address): \(String(describing: error))")
      }
      let missing = try await failure(named, trusting: world.path("nothing"), world)
      #expect(
        missing
          == .trustFileUnusable(
            path: world.path("nothing"), reason: "it cannot be read (No such file or directory)"))
      let plain = try await failure("ws://localhost:\(relay.port)", trusting: nil, world)
      #expect(plain != nil)
      await relay.stop()
    }
  }

  @Test func aRelayWithoutTLSIsNoSecureOne() async throws {
    try await withWorld { world in
      let relay = try await world.relay()
      let error = try await failure("wss://localhost:\(relay.port)", trusting: nil, world)
      #expect(error != nil)
    }
  }

  @Test func aNewCertificateIsShownToNewConnectionsAndABadOneIsNot() async throws {
    try await withWorld { world in
      let (old, new) = (try Authority(), try Authority())
      for (name, authority) in [("old", old), ("new", new)] {
        try Data(authority.root.utf8).write(to: URL(fileURLWithPath: world.path(name)))
      }
      try old.write(to: world)
      let relay = try await relay(world)
      let address = "wss://localhost:\(relay.port)"
      let early = try client(try world.replica("early"), address, trusting: world.path("old"))
      try await early.join("team")
      await early.connect()
      await early.reaches { $0 == .caughtUp }
      // A certificate whose key is another's, and none at all: the old one stays.
      for text in [new.certificate, "nonsense"] {
        try Data(text.utf8).write(to: URL(fileURLWithPath: world.path("certificate")))
        await relay.reload()
        let stays = try await failure(address, trusting: world.path("old"), world)
        #expect(stays == nil)
      }
      try new.write(to: world)
      await relay.reload()
      let taken = try await failure(address, trusting: world.path("new"), world)
      #expect(taken == nil)
      let refused = try await failure(address, trusting: world.path("old"), world)
      #expect(isUntrusted(refused))
      #expect(early.state == .caughtUp && relay.connectionCount == 1)
      await early.close()
      await relay.stop()
    }
  }

  @Test func aRelayThatIsFullSaysWhenToComeBack() async throws {
    try await withWorld { world in
      var configuration = Relay.Configuration(
        dataDirectory: world.path("relay"), port: 0, threads: 1, grace: 500)
      configuration.maximumConnections = 1
      let relay = try await Relay.start(
        configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      let first = try client(try world.replica("first"), relay.url, trusting: nil)
      try await first.join("team")
      await first.connect()
      await first.reaches { $0 == .caughtUp }
      let error = try await failure(relay.url, trusting: nil, world)
      guard case .refused(nil, let refusal)? = error else {
        Issue.record("not refused: \(String(describing: error))")
        return
      }
      #expect(refusal.code == .overloaded)
      await first.close()
      await relay.stop()
    }
  }
}
