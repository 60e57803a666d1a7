import RopewalkSync

/// How many records somebody may cause: a flood is counted, not written, and pushes out nobody else's.
///
/// Frequent acts take from their subject's budget; who has proved nothing, and who is `anonymous`, from that of the network that the
/// connection comes from. Rare acts have a budget for each act besides, so that one does not hide another.
struct AuditBudgets {
  /// Whose budget a record takes from.
  private struct Key: Hashable {
    let who: [UInt8]
    /// Nil for all frequent acts.
    let act: AuditRecord.Act?
    let isStranger: Bool
  }

  fileprivate struct Account {
    var budget: ActBudget
    var dropped: UInt64 = 0
    /// The last record that was left out: whom the count is about.
    var last: AuditRecord?
  }

  private var accounts: [Key: Account] = [:]
  /// Of all strangers together.
  private var strangers = ActBudget(burst: 120, every: 500, now: 0)
  private var swept: UInt64 = 0
  private var cleared: UInt64 = 0

  /// The most accounts; beyond that, those whose budget is full are forgotten, and newcomers share one.
  private static let mostAccounts = 20_000
  /// How often counts are written at the least, in milliseconds.
  private static let sweep: UInt64 = 3_600_000

  /// Frequent acts of one subject: a client with many rooms joins them all at once.
  private static func budget(_ key: Key, _ now: UInt64) -> ActBudget {
    if key.isStranger { return ActBudget(burst: 60, every: 60_000, now: now) }
    return key.act == nil
      ? ActBudget(burst: 240, every: 15_000, now: now) : ActBudget(burst: 30, every: 60_000, now: now)
  }

  /// Takes a record. Returns what is written: it, or nothing; and before it what was left out and not told yet.
  mutating func take(_ record: AuditRecord, isStranger: Bool) -> [AuditRecord] {
    let now = record.time
    var written = now >= swept + Self.sweep ? takeCounts(at: now) : []
    let key = key(record, isStranger, now)
    var account = accounts[key] ?? Account(budget: Self.budget(key, now))
    let isAllowed = account.budget.take(now: now) == nil && (!isStranger || strangers.take(now: now) == nil)
    if isAllowed {
      if let count = account.takeCount(at: now) { written.append(count) }
      written.append(record)
    } else {
      account.dropped += 1
      account.last = record
    }
    accounts[key] = account
    return written
  }

  /// What was left out and not told yet.
  mutating func takeCounts(at now: UInt64) -> [AuditRecord] {
    swept = now
    var counts: [AuditRecord] = []
    for key in Array(accounts.keys) {
      if let count = accounts[key]?.takeCount(at: now) { counts.append(count) }
      if accounts[key]?.budget.isFull(now: now) == true { accounts[key] = nil }
    }
    return counts.sorted { ($0.subject ?? "", $0.from ?? "") < ($1.subject ?? "", $1.from ?? "") }
  }

  private mutating func key(_ record: AuditRecord, _ isStranger: Bool, _ now: UInt64) -> Key {
    var who = Array((record.subject ?? "").utf8)
    if isStranger || record.subject == nil || who.elementsEqual(Credentials.stranger.utf8) {
      who = [0] + NetworkAddress.network(of: record.from)
    }
    let key = Key(who: who, act: record.act.isRare ? record.act : nil, isStranger: isStranger)
    if accounts[key] != nil || accounts.count < Self.mostAccounts { return key }
    if now >= cleared + 60_000 {
      cleared = now
      accounts = accounts.filter { _, account in
        var budget = account.budget
        return account.dropped > 0 || !budget.isFull(now: now)
      }
    }
    return accounts.count < Self.mostAccounts ? key : Key(who: [1], act: key.act, isStranger: isStranger)
  }
}

extension AuditBudgets.Account {
  /// The record that says how many were left out.
  fileprivate mutating func takeCount(at now: UInt64) -> AuditRecord? {
    guard dropped > 0, let last else { return nil }
    var record = AuditRecord(time: now, act: .dropped)
    (record.subject, record.from, record.count) = (last.subject, last.from, dropped)
    record.code = last.act.rawValue
    (dropped, self.last) = (0, nil)
    return record
  }
}
