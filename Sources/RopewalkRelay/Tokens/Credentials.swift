import Foundation
import NIOConcurrencyHelpers
import RopewalkSync

/// Whom the relay believes just now: keys, what was revoked, and what is open to all. Changes while it runs.
final class Credentials: Sendable {
  private struct State {
    /// Nil without keys.
    var verifier: TokenVerifier?
    var fingerprints: Set<[UInt8]> = []
    var revocations = Revocations()
  }

  /// The subject of everybody without a token.
  static let stranger = "anonymous"

  /// Whether a subject is that of everybody without a token: by its bytes, as subjects are compared.
  static func isStranger(_ subject: [UInt8]) -> Bool { stranger.utf8.elementsEqual(subject) }

  private let state = NIOLockedValueBox(State())
  private let open: [Access.Grant]

  /// - Parameter open: what everybody may, once there are keys.
  init(open: [Access.Grant] = []) { self.open = open }

  func set(_ verifier: TokenVerifier) {
    state.withLockedValue {
      $0.verifier = verifier
      $0.fingerprints = verifier.fingerprints
    }
  }

  func set(_ revocations: Revocations) { state.withLockedValue { $0.revocations = revocations } }

  /// Puts revocations in force beside those that are.
  ///
  /// - Returns: how many of those that were in force the new ones lack.
  func add(_ revocations: Revocations) -> Int {
    state.withLockedValue { $0.revocations.formUnion(revocations) }
  }

  /// How many revocations are in force.
  var revocationCount: Int { state.withLockedValue { $0.revocations.count } }

  /// Who somebody is that shows no token, if such are let in.
  func anonymous(_ token: [UInt8]) -> Identity? {
    let subject = Array(Self.stranger.utf8)
    let hasKeys = state.withLockedValue { $0.verifier != nil }
    guard hasKeys else {
      let everything = Access.Grant(pattern: [0x2a], role: .edit)
      return Identity(
        access: Access(subject: subject, expires: nil, grants: [everything], isAnonymous: true))
    }
    guard token.isEmpty, !open.isEmpty else { return nil }
    return Identity(
      access: Access(subject: subject, expires: nil, grants: [], open: open, isAnonymous: true))
  }

  /// Checks a token.
  func result(for token: [UInt8], now: UInt64) -> Result<Identity, TokenFault> {
    guard let verifier = state.withLockedValue({ $0.verifier }) else { return .failure(.missing) }
    do throws(TokenFault) {
      return .success(try verifier.identity(of: token, open: open, now: now))
    } catch { return .failure(error) }
  }

  /// Why somebody whose token held may not stay: nil if it still does.
  func objection(to identity: Identity) -> ProtocolError? {
    state.withLockedValue { state in
      if state.revocations.cover(identity) {
        return ProtocolError(.revoked, "The token or its subject was revoked.")
      }
      if let key = identity.key, !state.fingerprints.contains(key) {
        return ProtocolError(.revoked, "The key that signed the token holds no more.")
      }
      return nil
    }
  }
}
