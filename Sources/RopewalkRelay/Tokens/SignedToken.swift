import Crypto
import Foundation
import RopewalkPlainText

/// A JSON Web Token in its compact form (RFC 7515, section 7.1), taken apart and not yet believed.
struct SignedToken: Sendable {
  /// As in `HS256`.
  let algorithm: String
  /// The key that must check it (`kid`); nil for none in particular.
  let keyID: [UInt8]?
  /// The header names what must be understood (`crit`), and nothing is.
  let needsMore: Bool
  let payload: [UInt8]
  /// What is signed: header and payload as they were sent.
  private let signed: [UInt8]
  private let signature: [UInt8]

  /// Takes a token apart; nil for what is none.
  init?(_ token: [UInt8]) {
    let parts = token.split(separator: 0x2e, omittingEmptySubsequences: false)
    guard parts.count == 3, let header = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
      let signature = Base64URL.decode(parts[2]), let json = try? JSONValue(header),
      let algorithm = json["alg"]?.text
    else { return nil }
    switch json["kid"] {
    case nil, .null?: keyID = nil
    case .string(let id)?: keyID = id
    default: return nil
    }
    needsMore = json["crit"] != nil
    self.algorithm = algorithm
    self.payload = payload
    self.signature = signature
    signed = Array(token[..<(parts[1].endIndex)])
  }

  /// Signs; nil if the key cannot.
  init?(payload: [UInt8], by key: RelayKey) {
    var header = #"{"alg":"\#(key.algorithm.rawValue)","#
    if let id = key.id { header += #""kid":\#(String(decoding: JSONValue.quoted(id.utf8), as: UTF8.self)),"# }
    header += #""typ":"JWT"}"#
    signed = Array((Base64URL.encode(header.utf8) + "." + Base64URL.encode(payload)).utf8)
    guard let signature = key.signature(of: signed) else { return nil }
    algorithm = key.algorithm.rawValue
    keyID = key.id.map { Array($0.utf8) }
    needsMore = false
    self.payload = payload
    self.signature = signature
  }

  /// The compact form.
  var text: String { String(decoding: signed, as: UTF8.self) + "." + Base64URL.encode(signature) }

  /// Whether a key made the signature. Compares in constant time.
  func isSigned(by key: RelayKey) -> Bool {
    guard key.algorithm.rawValue == algorithm else { return false }
    switch key.material {
    case .secret(let bytes):
      return HMAC<SHA256>.isValidAuthenticationCode(
        signature, authenticating: signed, using: SymmetricKey(data: bytes))
    case .es256(let key, _):
      guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else {
        return false
      }
      return key.isValidSignature(signature, for: signed)
    case .eddsa(let key, _): return key.isValidSignature(signature, for: signed)
    }
  }
}

extension RelayKey {
  /// The signature of bytes, as tokens carry it; nil if only the public half is known.
  fileprivate func signature(of bytes: [UInt8]) -> [UInt8]? {
    switch material {
    case .secret(let secret):
      Array(HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: secret)))
    case .es256(_, let key): (try? key?.signature(for: bytes)).map { Array($0.rawRepresentation) }
    case .eddsa(_, let key): (try? key?.signature(for: bytes)).map { Array($0) }
    }
  }
}

/// Base64 for URLs, without padding (RFC 4648, section 5).
enum Base64URL {
  static func encode(_ bytes: some Sequence<UInt8>) -> String {
    let text = Data(bytes).base64EncodedString().utf8.compactMap { byte -> UInt8? in
      switch byte {
      case 0x2b: 0x2d
      case 0x2f: 0x5f
      case 0x3d: nil
      default: byte
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Nil for other characters, padding included.
  static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    for byte in text {
      switch byte {
      case 0x2d: bytes.append(0x2b)
      case 0x5f: bytes.append(0x2f)
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: bytes.append(byte)
      default: return nil
      }
    }
    while !bytes.count.isMultiple(of: 4) { bytes.append(0x3d) }
    return Data(base64Encoded: Data(bytes)).map { [UInt8]($0) }
  }
}
