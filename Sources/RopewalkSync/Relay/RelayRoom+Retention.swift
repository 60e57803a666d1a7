/// What members ask about a room's retention, and what its owners want it to be.
///
/// One rule at a time is being stored; of those that come meanwhile the last one is stored next. So somebody who changes it all
/// the time takes one place in the log's queue, before which no other room waits longer.
struct RetentionRequests: Sendable {
  private var waiting: [UInt64] = []
  private var storing: Retention?
  private var next: Retention?

  /// Takes a wish, or nil for a question. Returns what must be stored now; nil for nothing.
  mutating func add(_ wish: Retention?, from session: UInt64) -> Retention? {
    if !waiting.contains(session) { waiting.append(session) }
    guard let wish else { return nil }
    guard storing == nil else {
      next = wish
      return nil
    }
    storing = wish
    return wish
  }

  /// A rule is in force. Returns what must be stored now; nil for nothing.
  mutating func stored(_ rule: Retention) -> Retention? {
    guard storing == rule else { return nil }
    (storing, next) = (next, nil)
    return storing
  }

  /// Who can be answered.
  mutating func takeAnswered() -> [UInt64] {
    guard storing == nil else { return [] }
    defer { waiting = [] }
    return waiting
  }
}

extension RelayRoom {
  /// Another rule on what may be forgotten, or nil to ask; the role was checked.
  public mutating func setRetention(_ retention: Retention?, from session: UInt64) -> [Effect] {
    if retention != nil { mayForget = true }
    if let rule = retentionRequests.add(retention, from: session) { return [change(.setRetention(rule))] }
    return answerRetention()
  }

  /// A rule is in force.
  mutating func retentionStored() -> [Effect] {
    guard let rule = retentionRequests.stored(log.retention) else { return answerRetention() }
    return [change(.setRetention(rule))] + answerRetention()
  }

  private mutating func answerRetention() -> [Effect] {
    let waiting = retentionRequests.takeAnswered()
    if waiting.isEmpty { return [] }
    let answer = RelayMessage.Retention(
      room: number, retention: log.retention, oldest: log.oldest, checkpoint: log.checkpoint?.cursor ?? 0,
      announced: log.announced?.head.cursor ?? 0, usable: useDeadline ?? 0)
    return [.send(to: waiting, RelayMessage.retention(answer).encoded)]
  }
}
