import Crypto
import Foundation

/// A key for tokens: the secret of HS256, or a public or private key of ES256 or EdDSA. Prints as nothing.
public struct RelayKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// How tokens are signed.
  public enum Algorithm: String, Sendable, CaseIterable {
    /// HMAC with SHA-256: who can check a token can make one.
    case hs256 = "HS256"
    /// ECDSA on the curve P-256.
    case es256 = "ES256"
    /// Ed25519.
    case eddsa = "EdDSA"
  }

  enum Material: Sendable {
    case secret([UInt8])
    case es256(P256.Signing.PublicKey, P256.Signing.PrivateKey?)
    case eddsa(Curve25519.Signing.PublicKey, Curve25519.Signing.PrivateKey?)
  }

  /// What tokens name the key by (`kid`); nil if the key may check any token of its algorithm.
  public let id: String?
  let material: Material

  init(_ material: Material, id: String? = nil) {
    self.material = material
    self.id = id
  }

  /// Reads a PEM file with one key of ES256 or EdDSA.
  ///
  /// - Throws: `RelayError.keyUnreadable`, or `.keyFileDamaged`, which says what is in the file instead.
  public init(file path: String) throws(RelayError) {
    let keys = try Self.all(inKeyFile: path)
    guard let key = keys.first, keys.count == 1 else {
      throw .keyFileDamaged(path: path, reason: "one key is wanted, and there are several")
    }
    self = key
  }

  /// How tokens are signed with it.
  public var algorithm: Algorithm {
    switch material {
    case .secret: .hs256
    case .es256: .es256
    case .eddsa: .eddsa
    }
  }

  /// Whether tokens can be made with it, not only checked.
  public var canSign: Bool {
    switch material {
    case .secret: true
    case .es256(_, let privateKey): privateKey != nil
    case .eddsa(_, let privateKey): privateKey != nil
    }
  }

  /// Tells keys apart, whatever they are called. Never shown: that of a secret is its hash.
  var fingerprint: [UInt8] {
    switch material {
    case .secret(let bytes): Array(SHA256.hash(data: bytes))
    case .es256(let key, _): Array(SHA256.hash(data: key.x963Representation))
    case .eddsa(let key, _): Array(SHA256.hash(data: key.rawRepresentation))
    }
  }

  /// A placeholder.
  public var description: String { "RelayKey" }
  /// A placeholder.
  public var debugDescription: String { "RelayKey" }
  /// No children.
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}
