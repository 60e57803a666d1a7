import Crypto
import Foundation
import RopewalkPlainText

extension KeyForm {
  /// Recognises bytes; nil for what looks like no key. UTF-16, byte order marks, CRLF, comments in any encoding and
  /// base64 around it hide nothing. 32 random bytes are taken for a key with a probability below 2⁻³⁰.
  ///
  /// - Complexity: O(n).
  init?(_ content: [UInt8]) { self.init(content, depth: 0) }

  private init?(_ content: [UInt8], depth: Int) {
    if let form = Self.binary(content) {
      self = form.withObstacle(in: content)
      return
    }
    // What is ASCII in UTF-16 is ASCII with zeros between.
    let text = content.filter { $0 != 0 }
    if let form = Self.textual(text) {
      self = form.withObstacle(in: text)
    } else if depth < 2, let bytes = Self.base64(text), let form = KeyForm(bytes, depth: depth + 1) {
      self = form
    } else {
      return nil
    }
  }

  private static func binary(_ bytes: [UInt8]) -> KeyForm? {
    if let content = DER.content(of: bytes) { return .der(content) }
    if bytes.starts(with: "openssh-key-v1\0".utf8) { return .ssh(.privateKey) }
    // The key's kind after its length, as SSH sends it.
    if bytes.count > 8, bytes.starts(with: [0, 0, 0]), isSSHKind(bytes[4...]) { return .ssh(.publicKey) }
    if bytes.count == 65, (try? P256.Signing.PublicKey(x963Representation: bytes)) != nil { return .point }
    return nil
  }

  private static func textual(_ text: [UInt8]) -> KeyForm? {
    let marks: [UInt8] = [0xef, 0xbb, 0xbf, 0xff, 0xfe]
    let text = Array(text.drop { marks.contains($0) || isBlank($0) })
    if let label = label(in: text) { return form(of: label) }
    if let form = json(text) { return form }
    let words = text.split(whereSeparator: isBlank)
    if zip(words, words.dropFirst()).contains(where: { isSSHKind($0) && $1.starts(with: "AAAA".utf8) }) {
      return .ssh(.publicKey)
    }
    if text.starts(with: "PuTTY-User-Key-File".utf8) { return .ssh(.privateKey) }
    let isToken = words.count == 1 && text.starts(with: "eyJ".utf8) && text.count(where: { $0 == 0x2e }) == 2
    return isToken ? .token : nil
  }

  private static func json(_ text: [UInt8]) -> KeyForm? {
    guard text.first == 0x7b || text.first == 0x5b else { return nil }
    if let json = try? JSONValue(text) {
      return json["keys"] != nil ? .keySet : json["kty"] != nil ? .webKey : .json
    }
    // A damaged object: what else has a quote after its brace?
    let second = text.dropFirst().first { !isBlank($0) }
    return text.first == 0x7b && second == 0x22 && String(validating: text, as: UTF8.self) != nil
      ? .json : nil
  }

  private static func isSSHKind(_ bytes: ArraySlice<UInt8>) -> Bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].contains { bytes.starts(with: $0.utf8) }
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

  /// What stands after BEGIN in a line that begins with a dash or what an editor made of one.
  private static func label(in text: [UInt8]) -> String? {
    let begin = Array("BEGIN ".utf8)
    for line in text.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
      let upper = line.map { (0x61...0x7a).contains($0) ? $0 - 0x20 : $0 }
      guard let start = upper.firstIndex(of: 0x42), start > 0, upper[start...].starts(with: begin),
        upper[..<start].contains(where: { $0 == 0x2d || $0 >= 0x80 })
      else { continue }
      return String(decoding: upper[(start + begin.count)...], as: UTF8.self)
    }
    return nil
  }

  private static func form(of label: String) -> KeyForm {
    if label.contains("PGP") { return .pgp }
    let content: Content =
      label.contains("PRIVATE KEY")
      ? .privateKey
      : label.contains("PUBLIC KEY") ? .publicKey : label.contains("CERTIFICATE") ? .certificate : .other
    return label.contains("SSH") ? .ssh(content) : .pem(content)
  }

  /// Base64 of either alphabet, in one line or several, with padding or without.
  private static func base64(_ text: [UInt8]) -> [UInt8]? {
    var characters: [UInt8] = []
    for byte in text where !isBlank(byte) && byte != 0x3d {
      switch byte {
      case 0x2b: characters.append(0x2d)
      case 0x2f: characters.append(0x5f)
      default: characters.append(byte)
      }
    }
    return characters.count < 40 ? nil : Base64URL.decode(characters)
  }
}

/// As much of ASN.1's encoding as tells a key.
private enum DER {
  /// X9.62, PKCS, and the curves of RFC 8410 (after their tag and length): every key and certificate names one.
  private static let identifiers: [[UInt8]] = [
    [0x2a, 0x86, 0x48, 0xce, 0x3d], [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d], [0x06, 0x03, 0x2b, 0x65],
  ]

  /// What a SEQUENCE holds that is a key or certificate, or the beginning of one; nil for others.
  static func content(of bytes: [UInt8]) -> KeyForm.Content? {
    guard bytes.first == 0x30, let outer = header(bytes[...]), let tag = outer.rest.first else { return nil }
    // An RSA key of PKCS #1 names no algorithm, but is long.
    let isWhole = bytes.count >= 128 && outer.rest.count == outer.length && (tag == 0x02 || tag == 0x30)
    guard isWhole || identifiers.contains(where: { contains($0, in: bytes) }) else { return nil }
    guard let inner = header(outer.rest) else { return .other }
    switch tag {
    case 0x02: return inner.length > 1 ? .publicKey : inner.rest.first ?? 3 < 2 ? .privateKey : .other
    case 0x30: return inner.rest.first == 0x06 ? .publicKey : .certificate
    default: return .other
    }
  }

  /// The length that an element says it has, and what follows.
  private static func header(_ bytes: ArraySlice<UInt8>) -> (length: Int, rest: ArraySlice<UInt8>)? {
    guard let first = bytes.dropFirst().first else { return nil }
    let rest = bytes.dropFirst(2)
    guard first >= 0x80 else { return (Int(first), rest) }
    let count = Int(first & 0x7f)
    guard (1...3).contains(count), rest.count >= count else { return nil }
    return (rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }, rest.dropFirst(count))
  }

  private static func contains(_ part: [UInt8], in bytes: [UInt8]) -> Bool {
    // A key names its algorithm near its beginning, a certificate that of its signature.
    let bytes = bytes.prefix(512)
    return bytes.indices.contains { bytes[$0] == part[0] && bytes[$0...].starts(with: part) }
  }
}
