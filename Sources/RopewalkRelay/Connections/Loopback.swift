/// What means this machine and nothing else.
enum Loopback {
  /// Whether a name or address to listen on is this machine's alone.
  static func isName(_ name: String) -> Bool { name.utf8.elementsEqual("localhost".utf8) || isAddress(name) }

  /// Whether an IP address is 127.0.0.0/8 or ::1; also where IPv6 carries IPv4.
  static func isAddress(_ address: String) -> Bool {
    let mapped = "::ffff:"
    let bytes = Array(address.utf8)
    let isMapped = bytes.starts(with: mapped.utf8) && bytes.contains(0x2e)
    let parts = bytes.dropFirst(isMapped ? mapped.utf8.count : 0).split(
      separator: 0x2e, maxSplits: 4, omittingEmptySubsequences: false)
    if parts.count == 4, parts[0].elementsEqual("127".utf8) {
      return parts.allSatisfy { UInt8(String(decoding: $0, as: UTF8.self)) != nil }
    }
    return bytes.elementsEqual("::1".utf8)
  }

  /// Whether an HTTP `Host`, or what follows the scheme in an origin, is this machine's: a name or address, in brackets if
  /// it is one of IPv6, and perhaps a port.
  static func isHost(_ host: String) -> Bool {
    var bytes = ArraySlice(host.utf8)
    if let colon = bytes.lastIndex(of: 0x3a), bytes[..<colon].last == 0x5d || !bytes[..<colon].contains(0x3a)
    {
      let port = bytes[(colon + 1)...]
      guard (1...5).contains(port.count), port.allSatisfy({ (0x30...0x39).contains($0) }) else {
        return false
      }
      bytes = bytes[..<colon]
    }
    if bytes.first == 0x5b, bytes.last == 0x5d {
      return String(decoding: bytes.dropFirst().dropLast(), as: UTF8.self).utf8.elementsEqual("::1".utf8)
    }
    let name = String(decoding: bytes.map { (0x41...0x5a).contains($0) ? $0 + 0x20 : $0 }, as: UTF8.self)
    return !bytes.contains(0x3a) && isName(name)
  }
}
