import Foundation
import RopewalkSync

/// Where a relay listens.
struct RelayAddress: Hashable, Sendable {
  let host: String
  let port: Int
  /// The request target, with its query.
  let path: String
  /// Whether the connection is encrypted. The transport decides whether it can do that.
  let isSecure: Bool

  /// Reads `ws://host:port/path`; port and path may be left out. Nil if it is anything else.
  init?(_ address: String) {
    guard let parts = URLComponents(string: address), let scheme = parts.scheme?.lowercased(),
      scheme == "ws" || scheme == "wss", var host = parts.host, !host.isEmpty, parts.fragment == nil,
      parts.user == nil, parts.password == nil
    else { return nil }
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    self.host = host
    isSecure = scheme == "wss"
    port = parts.port ?? (isSecure ? 443 : WireProtocol.defaultPort)
    guard (1...65535).contains(port) else { return nil }
    let path = parts.percentEncodedPath
    let query = parts.percentEncodedQuery.map { "?\($0)" } ?? ""
    self.path = (path.isEmpty || path == "/" ? "\(WireProtocol.path)" : path) + query
  }

  /// What the Host header says.
  var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
