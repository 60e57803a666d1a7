import RopewalkPlainText

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Reads what operators write for an origin.
///
/// A browser sends an origin in one spelling alone: scheme, host and port, in ASCII and lower case, an address in its
/// shortest form, the port left out where it is the scheme's. What is written otherwise would never let anybody in, and is
/// refused with its reason; upper case is understood.
enum OriginPattern {
  /// Why nobody can have such an origin.
  struct Fault: Error { let reason: String }

  static func rule(_ pattern: String) throws(Fault) -> Origins.Rule {
    if pattern == "*" { return .all }
    if pattern == "loopback" { return .loopback }
    let text = pattern.utf8.map { (0x41...0x5a).contains($0) ? $0 + 0x20 : $0 }
    if text.isEmpty { throw Fault(reason: "it is empty") }
    if text.contains(where: { $0 <= 0x20 || $0 == 0x7f }) { throw Fault(reason: "it holds a blank") }
    guard let scheme = ["http://", "https://"].first(where: { text.starts(with: $0.utf8) }) else {
      throw Fault(reason: "it does not begin with http:// or https://")
    }
    let rest = text.dropFirst(scheme.utf8.count)
    for (byte, part) in [(0x2f, "a path"), (0x3f, "a query"), (0x23, "a fragment"), (0x40, "a user")]
    where rest.contains(UInt8(byte)) {
      throw Fault(
        reason: "an origin has no \(part.dropFirst(2)), and this has '\(Unicode.Scalar(UInt8(byte)))'")
    }
    let isWild = rest.starts(with: "*.".utf8)
    let (host, port) = split(rest.dropFirst(isWild ? 2 : 0))
    if let port { try check(port: port, scheme) }
    let isAddress = try check(host: host)
    guard !isWild || !isAddress else { throw Fault(reason: "an address has no hosts under it") }
    if isWild { return .under(scheme: scheme, suffix: String(decoding: rest.dropFirst(), as: UTF8.self)) }
    return .exact(String(decoding: text, as: UTF8.self))
  }

  /// A host, and what follows the colon after it.
  private static func split(_ rest: ArraySlice<UInt8>) -> (host: ArraySlice<UInt8>, port: ArraySlice<UInt8>?)
  {
    let isBracketed = rest.first == 0x5b
    guard let end = isBracketed ? rest.firstIndex(of: 0x5d) : rest.startIndex,
      let colon = rest[end...].firstIndex(of: 0x3a), !rest[(colon + 1)...].contains(0x3a)
    else { return (rest, nil) }
    return (rest[..<colon], rest[(colon + 1)...])
  }

  private static func check(port: ArraySlice<UInt8>, _ scheme: String) throws(Fault) {
    guard port.first != 0x30, let number = UInt16(String(decoding: port, as: UTF8.self)),
      port.allSatisfy({ (0x30...0x39).contains($0) })
    else { throw Fault(reason: "its port is not a number from 1 to 65535") }
    if scheme == "http://" ? number == 80 : number == 443 {
      throw Fault(reason: "browsers leave :\(number) out of an origin of \(scheme)")
    }
  }

  /// Whether the host is an address; throws if it is neither an address nor a name.
  private static func check(host: ArraySlice<UInt8>) throws(Fault) -> Bool {
    if host.isEmpty { throw Fault(reason: "it has no host") }
    if host.first == 0x5b || host.contains(0x3a) {
      guard host.first == 0x5b, host.last == 0x5d,
        let shortest = address(host.dropFirst().dropLast(), AF_INET6)
      else { throw Fault(reason: "its host is neither a name nor an IPv6 address in brackets") }
      guard shortest.elementsEqual(host.dropFirst().dropLast()) else {
        throw Fault(reason: "browsers write that address [\(String(decoding: shortest, as: UTF8.self))]")
      }
      return true
    }
    if host.contains(0x2a) {
      throw Fault(reason: "* stands only before a domain, as in https://*.example.org")
    }
    if host.contains(where: { $0 >= 0x80 }) {
      throw Fault(reason: "browsers write such a name in ASCII (xn--…)")
    }
    guard host.allSatisfy({ isOfName($0) }) else {
      throw Fault(reason: "its host holds a character that host names cannot have")
    }
    // A dot at the end is another origin to a browser.
    let labels = (host.last == 0x2e ? host.dropLast() : host).split(
      separator: 0x2e, omittingEmptySubsequences: false)
    guard labels.allSatisfy({ (1...63).contains($0.count) }), host.count <= 254 else {
      throw Fault(reason: "a part of its host is empty or too long")
    }
    guard let last = labels.last, isNumber(last) else { return false }
    guard address(host, AF_INET)?.elementsEqual(host) == true else {
      throw Fault(reason: "its host is neither a name nor an IPv4 address")
    }
    return true
  }

  private static func isOfName(_ byte: UInt8) -> Bool {
    (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || [0x2d, 0x2e, 0x5f].contains(byte)
  }

  /// Whether browsers take a host that ends so for an address.
  private static func isNumber(_ label: ArraySlice<UInt8>) -> Bool {
    let isHexadecimal = label.starts(with: "0x".utf8)
    return isHexadecimal
      ? label.dropFirst(2).allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
      : label.allSatisfy { (0x30...0x39).contains($0) }
  }

  /// An address in its shortest spelling; nil if the text is not an address.
  private static func address(_ text: ArraySlice<UInt8>, _ family: Int32) -> [UInt8]? {
    var binary = [UInt8](repeating: 0, count: 16)
    var shortest = [CChar](repeating: 0, count: 64)
    guard inet_pton(family, String(decoding: text, as: UTF8.self), &binary) == 1,
      inet_ntop(family, &binary, &shortest, 64) != nil
    else { return nil }
    return shortest.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
  }
}
