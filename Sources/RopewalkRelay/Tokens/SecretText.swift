import RopewalkPlainText

/// The secret of HS256 as operators write it: one line of base64url without padding.
///
/// One encoding alone, so that a text means the same bytes here and at the sign-in service, and so that a file of
/// something else is not by chance a secret.
enum SecretText {
  /// Why a text is not a secret. Carries none of it.
  struct Fault: Error { let reason: String }

  /// How long secrets are, in bytes.
  static let lengths = 32...1024

  static let howToMake = "'ropewalk keys new --algorithm HS256 --out FILE' makes one"

  /// Reads a secret.
  ///
  /// - Parameter name: the file or variable.
  static func bytes(in content: [UInt8], of name: String) throws(Fault) -> [UInt8] {
    if let form = KeyForm(content) { throw fault(form.refusal(in: .secret)) }
    let line: [UInt8]
    do { line = Array(try TextFile(path: name, content: content).onlyLine.bytes) } catch {
      throw fault("a secret is one line of base64url; \(error.reason)")
    }
    if let reason = objection(to: line) { throw fault(reason) }
    // Base64 has several spellings of the last byte; one of them is right.
    guard let bytes = Base64URL.decode(line), Base64URL.encode(bytes).utf8.elementsEqual(line) else {
      throw fault("its end is not one of base64url, as if something had been cut off")
    }
    guard lengths.contains(bytes.count) else {
      throw fault(
        "it has \(bytes.count) bytes after decoding; a secret has from \(lengths.lowerBound) to "
          + "\(lengths.upperBound)")
    }
    if let reason = weakness(of: bytes) { throw fault(reason) }
    return bytes
  }

  private static func fault(_ reason: String) -> Fault { Fault(reason: "\(reason); \(howToMake)") }

  /// What is in another encoding, or in none. Base64url of 32 random bytes looks like that once in 2⁵⁰ times.
  private static func objection(to line: [UInt8]) -> String? {
    if line.contains(where: { [0x2b, 0x2f, 0x3d].contains($0) }),
      line.allSatisfy({ isAlphanumeric($0) || [0x2b, 0x2d, 0x2f, 0x3d, 0x5f].contains($0) })
    {
      return
        "it is base64 with +, / or =; a secret is base64url without padding, which has - for + and _ for /"
    }
    guard line.allSatisfy({ isAlphanumeric($0) || $0 == 0x2d || $0 == 0x5f }) else {
      return "it is not base64url, which has letters, digits, - and _ alone"
    }
    if line.count >= 16, Set(line).count < 8 {
      return "it has fewer than 8 different characters; a secret is random"
    }
    if line.count >= 16, line.allSatisfy({ isDigit($0) || (0x41...0x46).contains($0 & 0xdf) }) {
      return "it is hexadecimal; a secret is base64url"
    }
    let letters = line.filter { $0 != 0x2d && $0 != 0x5f }
    if line.count >= 16, letters.allSatisfy(isLower) || letters.allSatisfy(isUpper) {
      return "it is words; a secret is base64url of random bytes"
    }
    return nil
  }

  /// What nobody draws at random.
  private static func weakness(of bytes: [UInt8]) -> String? {
    if Set(bytes).count < 8 { return "it has fewer than 8 different bytes; a secret is random" }
    let periods = 1...(bytes.count / 2)
    if periods.contains(where: { bytes.dropFirst($0).elementsEqual(bytes.dropLast($0)) }) {
      return "it repeats itself; a secret is random"
    }
    let steps = zip(bytes, bytes.dropFirst()).map { $1 &- $0 }
    return Set(steps).count < 4 ? "its bytes count up or down; a secret is random" : nil
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
  private static func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5a).contains(byte) }
  private static func isLower(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte) }
  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    isDigit(byte) || isUpper(byte) || isLower(byte)
  }
}
