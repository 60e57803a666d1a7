import NIOConcurrencyHelpers
import RopewalkSync

/// What the connections of one subject may do together. Who has no token is not a subject.
public struct SubjectLimits: Hashable, Sendable {
  /// How many there may be; 0 for any number.
  public var connections = 1000
  /// Messages a second over a longer time, of any kind; 0 for any.
  public var messagesPerSecond: UInt32 = 0
  /// Bytes of messages a second over a longer time; 0 for any.
  public var bytesPerSecond: UInt32 = 0

  /// The defaults.
  public init() {}
}

/// The subjects that are connected, and those that have been lately. Shared by all loops.
final class SubjectRegistry: Sendable {
  private let limits: SubjectLimits
  private let accounts = NIOLockedValueBox<[[UInt8]: SubjectAccount]>([:])
  /// What subjects have administered lately, connected or not: who comes back has not got another budget.
  private let administration = ActBudgets(burst: 10, every: 10_000)
  /// How many new tokens subjects have sent for connections that were open: each is checked. As many at once as they may
  /// have connections.
  private let renewals: ActBudgets

  init(_ limits: SubjectLimits) {
    self.limits = limits
    renewals = ActBudgets(
      burst: UInt64(max(60, limits.connections == 0 ? 1000 : limits.connections)), every: 250)
  }

  /// One connection more; nil if that is too many. `leave` must follow.
  ///
  /// - Parameter connection: what one connection may do, which a subject may do at least.
  func enter(_ subject: [UInt8], connection: Limits, now: UInt64) -> SubjectAccount? {
    accounts.withLockedValue { accounts in
      if accounts[subject] == nil, accounts.count.isMultiple(of: 1024) {
        accounts = accounts.filter { $0.value.connections > 0 || !$0.value.isFull(now: now) }
      }
      let account = accounts[subject] ?? SubjectAccount(subject, limits, connection: connection, now: now)
      guard limits.connections == 0 || account.connections < limits.connections else { return nil }
      account.connections += 1
      accounts[subject] = account
      return account
    }
  }

  /// One connection less. What the subject has used is kept for a while: who comes back has not got another budget.
  func leave(_ account: SubjectAccount, now: UInt64) {
    accounts.withLockedValue { accounts in
      account.connections -= 1
      if account.connections == 0, account.isFull(now: now) { accounts[account.subject] = nil }
    }
  }
}

extension SubjectRegistry {
  /// One more change of what the relay goes by: ten at once, and then one every ten seconds, in all rooms together.
  ///
  /// - Returns: how many milliseconds to wait; nil if it may be done now.
  func administer(_ subject: [UInt8], now: UInt64) -> UInt32? { administration.take(subject, now: now) }

  /// One more token for a connection that is open: as many at once as the subject may have connections, and then four a
  /// second, over all of its connections, also those that have ended.
  ///
  /// - Parameter payer: the subject; for those without a token, their network.
  /// - Returns: how many milliseconds to wait; nil if it may be checked now.
  func renew(_ payer: [UInt8], now: UInt64) -> UInt32? { renewals.take(payer, now: now) }
}

/// What one subject has used.
///
/// `@unchecked Sendable` because `connections` is touched in the registry's lock alone.
final class SubjectAccount: @unchecked Sendable {
  let subject: [UInt8]
  fileprivate var connections = 0
  /// Nil if there is no limit.
  private let budget: NIOLockedValueBox<FloodBudget>?

  fileprivate init(_ subject: [UInt8], _ limits: SubjectLimits, connection: Limits, now: UInt64) {
    self.subject = subject
    guard limits.messagesPerSecond > 0 || limits.bytesPerSecond > 0 else {
      budget = nil
      return
    }
    var shared = connection
    (shared.messagesPerSecond, shared.bytesPerSecond) = (limits.messagesPerSecond, limits.bytesPerSecond)
    budget = NIOLockedValueBox(FloodBudget(limits: shared, now: now))
  }

  /// Whether it is as if nothing had been used.
  fileprivate func isFull(now: UInt64) -> Bool { budget?.withLockedValue { $0.isFull(now: now) } ?? true }

  /// One message more.
  func charge(bytes: Int, now: UInt64) -> FloodBudget.Verdict {
    budget?.withLockedValue { $0.charge(bytes: bytes, now: now) } ?? .fine
  }
}
