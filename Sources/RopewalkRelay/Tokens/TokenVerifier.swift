import RopewalkSync

/// Who a connection is, and by what it proved that.
struct Identity: Sendable {
  let access: Access
  /// The token's `jti`.
  var tokenID: [UInt8]?
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
  /// It calls itself what everybody without a token is called.
  case reservedSubject = "reserved-subject"
  case notYetValid = "not-yet-valid"
  case wrongIssuer = "wrong-issuer"
  case wrongAudience = "wrong-audience"
}

/// Checks tokens against a set of keys. Signatures are compared in constant time (swift-crypto).
struct TokenVerifier: Sendable {
  private let keys: [RelayKey]
  private let issuer: [UInt8]?
  private let audience: [UInt8]?

  /// How far the clock of whoever signs may be ahead, in milliseconds.
  private static let skew: UInt64 = 60_000

  init(keys: [RelayKey], issuer: String? = nil, audience: String? = nil) {
    self.keys = keys
    self.issuer = issuer.map { Array($0.utf8) }
    self.audience = audience.map { Array($0.utf8) }
  }

  /// The keys' fingerprints.
  var fingerprints: Set<[UInt8]> { Set(keys.map(\.fingerprint)) }

  /// Reads a token.
  ///
  /// - Parameter open: what is open to all.
  func identity(of token: [UInt8], open: [Access.Grant], now: UInt64) throws(TokenFault) -> Identity {
    guard !token.isEmpty else { throw .missing }
    guard token.count <= WireProtocol.maximumTokenBytes, let token = SignedToken(token) else {
      throw .malformed
    }
    let candidates = keys(for: token)
    if candidates.isEmpty { throw .unknownKey }
    guard let key = candidates.first(where: { token.isSigned(by: $0) }) else { throw .badSignature }
    guard let claims = Claims(json: token.payload) else { throw .badClaims }
    return try check(claims, key, open, now)
  }

  /// A token that names a key is checked against that one alone; keys without a name check what no other
  /// key is named by.
  private func keys(for token: SignedToken) -> [RelayKey] {
    if token.needsMore { return [] }
    let able = keys.filter { $0.algorithm.rawValue == token.algorithm }
    guard let id = token.keyID else { return able }
    let named = able.filter { $0.id.map { $0.utf8.elementsEqual(id) } ?? false }
    return named.isEmpty ? able.filter { $0.id == nil } : named
  }

  private func check(
    _ claims: Claims, _ key: RelayKey, _ open: [Access.Grant], _ now: UInt64
  ) throws(TokenFault) -> Identity {
    guard let access = claims.access(open: open) else { throw .badClaims }
    // It would own their replica ids, and be taken for them in entries, presence and the audit log.
    if Credentials.isStranger(access.subject) { throw .reservedSubject }
    if let start = claims.nbf {
      guard let start = Claims.milliseconds(start) else { throw .badClaims }
      if start > now + Self.skew { throw .notYetValid }
    }
    if let issuer, claims.iss != issuer { throw .wrongIssuer }
    if let audience, !claims.aud.contains(audience) { throw .wrongAudience }
    return Identity(
      access: access, tokenID: claims.jti, issued: claims.iat.flatMap(Claims.milliseconds),
      key: key.fingerprint)
  }
}
