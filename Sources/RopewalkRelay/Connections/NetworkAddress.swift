import NIOCore

/// Where connections come from.
enum NetworkAddress {
  /// What tells apart those who have proved nothing: the address, and of an IPv6 address the part that one host is given, which
  /// has all the addresses below.
  static func network(of address: String?) -> [UInt8] {
    guard let address else { return [] }
    guard let parsed = try? SocketAddress(ipAddress: address, port: 0), case .v6(let v6) = parsed else {
      return Array(address.utf8)
    }
    return withUnsafeBytes(of: v6.address.sin6_addr) { Array($0.prefix(8)) }
  }
}
