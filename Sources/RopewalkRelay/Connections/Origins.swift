import Foundation
import RopewalkPlainText

/// From which sites' pages browsers may connect. Programs that are no browsers send no origin, and are
/// always let in.
struct Origins: Sendable {
  enum Rule: Hashable, Sendable {
    case all
    /// Pages of this machine.
    case loopback
    case exact(String)
    /// Every host under a domain, with the scheme and port.
    case under(scheme: String, suffix: String)
  }

  let rules: [Rule]

  /// Reads what was configured; throws for what no browser sends, which would never let anybody in.
  ///
  /// - Parameter patterns: `*`, `loopback`, `https://example.org`, `https://*.example.org:8443`.
  init(_ patterns: [String]) throws(RelayError) {
    var rules: [Rule] = []
    for pattern in patterns {
      do { rules.append(try OriginPattern.rule(pattern)) } catch {
        throw .badSetting(
          "An origin is *, loopback, https://HOST[:PORT] or https://*.DOMAIN[:PORT], not "
            + "'\(VisibleText.line(pattern))' (allowed-origins): \(error.reason).", of: ["allowed-origins"])
      }
    }
    self.rules = rules
  }

  /// - Parameter origin: the header; nil for none.
  func admit(_ origin: String?) -> Bool {
    guard let origin = origin?.lowercased() else { return true }
    return rules.contains { rule in
      switch rule {
      case .all: true
      case .loopback: Self.isLoopback(origin)
      case .exact(let wanted): wanted == origin
      case .under(let scheme, let suffix):
        origin.hasPrefix(scheme) && origin.hasSuffix(suffix) && origin.count > scheme.count + suffix.count
          && !origin.dropFirst(scheme.count).contains("/")
      }
    }
  }

  private static func isLoopback(_ origin: String) -> Bool {
    ["http://", "https://"].contains {
      origin.utf8.starts(with: $0.utf8) && Loopback.isHost(String(origin.dropFirst($0.count)))
    }
  }
}
