import Foundation
import JWTKit
import RopewalkSync

/// Who a connection is, and by what it proved that.
struct Identity: Sendable {
  let access: Access
  /// The token's `jti`.
  var tokenID: String?
  /// When the token was issued, in milliseconds since 1970.
  var issued: UInt64?
  /// The fingerprint of the key that vouches for it; nil where no key does.
  var key: [UInt8]?
}

/// Why a token does not hold. The peer is told less: only that it does not.
enum TokenFault: String, Error, CaseIterable, Sendable {
  case missing
  case malformed
  /// No key has the algorithm and the name that it gives.
  case unknownKey = "unknown-key"
  case badSignature = "bad-signature"
  /// The signature holds, and what is said does not make sense here.
  case badClaims = "bad-claims"
  case notYetValid = "not-yet-valid"
  case wrongIssuer = "wrong-issuer"
  case wrongAudience = "wrong-audience"
}

/// Checks tokens against a set of keys. Signatures are compared in constant time (swift-crypto).
struct TokenVerifier: Sendable {
  private let keys: [TokenKey]
  private let issuer: String?
  private let audience: String?

  /// How far the clock of whoever signs may be ahead, in milliseconds.
  private static let skew: UInt64 = 60_000

  private struct Header: Decodable {
    let alg: String
    let kid: String?
    let crit: [String]?
  }

  init(keys: [RelayKey], issuer: String? = nil, audience: String? = nil) async {
    var all: [TokenKey] = []
    for key in keys { if let key = try? await TokenKey(key) { all.append(key) } }
    self.keys = all
    self.issuer = issuer
    self.audience = audience
  }

  /// The keys' fingerprints.
  var fingerprints: Set<[UInt8]> { Set(keys.map { $0.key.fingerprint }) }

  /// Reads a token.
  ///
  /// - Parameter open: what is open to all.
  func identity(
    of token: [UInt8], open: [Access.Grant], now: UInt64
  ) async throws(TokenFault) -> Identity {
    guard !token.isEmpty else { throw .missing }
    guard token.count <= WireProtocol.maximumTokenBytes, let header = Self.header(of: token) else {
      throw .malformed
    }
    let candidates = keys(for: header)
    if candidates.isEmpty { throw .unknownKey }
    for candidate in candidates {
      let claims: Claims
      do { claims = try await candidate.collection.verify(token, as: Claims.self) } catch {
        if (error as? JWTError)?.errorType == .signatureVerificationFailed { continue }
        throw .badClaims
      }
      return try check(claims, candidate.key, open, now)
    }
    throw .badSignature
  }

  /// A token that names a key is checked against that one alone; keys without a name check what no other
  /// key is named by.
  private func keys(for header: Header) -> [TokenKey] {
    // A header that must be understood, and is not.
    guard header.crit == nil else { return [] }
    let able = keys.filter { $0.key.algorithm.rawValue == header.alg }
    guard let id = header.kid else { return able }
    let named = able.filter { $0.key.id == id }
    return named.isEmpty ? able.filter { $0.key.id == nil } : named
  }

  private func check(
    _ claims: Claims, _ key: RelayKey, _ open: [Access.Grant], _ now: UInt64
  ) throws(TokenFault) -> Identity {
    guard let access = claims.access(open: open) else { throw .badClaims }
    if let start = claims.nbf {
      guard let start = Claims.milliseconds(start) else { throw .badClaims }
      if start > now + Self.skew { throw .notYetValid }
    }
    if let issuer, claims.iss != issuer { throw .wrongIssuer }
    if let audience, claims.aud?.values.contains(audience) != true { throw .wrongAudience }
    return Identity(
      access: access, tokenID: claims.jti, issued: claims.iat.flatMap(Claims.milliseconds),
      key: key.fingerprint)
  }

  private static func header(of token: [UInt8]) -> Header? {
    let parts = token.split(separator: 0x2e, omittingEmptySubsequences: false)
    guard parts.count == 3, let text = String(validating: parts[0], as: UTF8.self),
      let bytes = Base64URL.decode(text)
    else { return nil }
    return try? JSONDecoder().decode(Header.self, from: Data(bytes))
  }
}
