import RopewalkCore

/// The newest presence value of each session in a room, and which of them the members have not been told.
struct RoomPresence: Sendable {
  struct Value: Sendable {
    var subject: [UInt8]
    /// Nil when it is withdrawn and that has not been told yet.
    var value: [UInt8]?
    var setAt: UInt64
  }

  var values: [UInt64: Value] = [:]
  /// Sessions whose value was not told yet, in the order of change.
  var changed: [UInt64] = []
  var lastTold: UInt64?
  /// No value expires before this moment; nil for no value.
  var earliestExpiry: UInt64?

  var hasChanges: Bool { !changed.isEmpty }

  mutating func set(_ value: [UInt8]?, of session: UInt64, subject: [UInt8], now: UInt64, lifetime: UInt64) {
    if value == nil {
      remove(session)
      return
    }
    let isSame = values[session].map { $0.value == value } ?? false
    values[session] = Value(subject: subject, value: value, setAt: now)
    earliestExpiry = min(earliestExpiry ?? .max, now + lifetime)
    if !isSame { markChanged(session) }
  }

  mutating func remove(_ session: UInt64) {
    guard values[session]?.value != nil else { return }
    values[session]?.value = nil
    markChanged(session)
  }

  mutating func expire(now: UInt64, lifetime: UInt64) {
    guard let earliestExpiry, earliestExpiry <= now else { return }
    var next: UInt64?
    for (session, value) in values.sorted(by: { $0.key < $1.key }) where value.value != nil {
      if value.setAt + lifetime <= now {
        remove(session)
      } else {
        next = min(next ?? .max, value.setAt + lifetime)
      }
    }
    self.earliestExpiry = next
  }

  /// What changed since the last time, which counts as told from now on.
  mutating func takeChanges(now: UInt64) -> [RelayMessage.PresenceValue] {
    let changes = changed.compactMap { session in
      values[session].map {
        RelayMessage.PresenceValue(session: session, subject: $0.subject, value: $0.value)
      }
    }
    for change in changes where change.value == nil { values[change.session] = nil }
    changed = []
    lastTold = now
    return changes
  }

  /// Everything that is present.
  var present: [RelayMessage.PresenceValue] {
    values.sorted { $0.key < $1.key }.filter { $0.value.value != nil }.map {
      RelayMessage.PresenceValue(session: $0.key, subject: $0.value.subject, value: $0.value.value)
    }
  }

  private mutating func markChanged(_ session: UInt64) {
    if !changed.contains(session) { changed.append(session) }
  }
}

extension RelayRoom {
  /// A member's newest presence value; nil withdraws it. Its size was checked. Of one that has not agreed on
  /// presence it is passed over.
  public mutating func setPresence(_ value: [UInt8]?, of session: UInt64, now: UInt64) -> [Effect] {
    guard let member = members[session], member.claim == nil, member.features.contains(.presence) else {
      return []
    }
    presence.set(
      value, of: session, subject: member.subject, now: now,
      lifetime: UInt64(configuration.limits.presenceLifetime))
    return flushPresence(now)
  }

  /// When `tick` must be called next; nil for not at all. Ask again after every input.
  public var nextDeadline: UInt64? {
    var deadline = presenceDeadline ?? .max
    deadline = min(deadline, attemptDeadline ?? .max)
    if !isComingIntoUse { deadline = min(deadline, useDeadline ?? .max) }
    return deadline == .max ? nil : deadline
  }

  private var presenceDeadline: UInt64? {
    if presence.hasChanges, let told = presence.lastTold {
      return told + UInt64(configuration.limits.presenceInterval)
    }
    return presence.earliestExpiry
  }

  /// Lets time pass: presence that was held back is told, what was silent for too long is withdrawn, and what
  /// checkpoints wait for is over.
  public mutating func tick(now: UInt64) -> [Effect] {
    presence.expire(now: now, lifetime: UInt64(configuration.limits.presenceLifetime))
    return flushPresence(now) + judgeAttempt(now: now) + considerUse(now)
  }

  /// Tells those who have agreed on presence what changed, at most once per interval. Members whose sockets are full get everything later.
  mutating func flushPresence(_ now: UInt64) -> [Effect] {
    let due = presence.lastTold.map { $0 + UInt64(configuration.limits.presenceInterval) } ?? 0
    guard presence.hasChanges, due <= now else { return [] }
    let changes = presence.takeChanges(now: now)
    var recipients: [UInt64] = []
    for session in order {
      guard let member = members[session], member.claim == nil, member.features.contains(.presence) else {
        continue
      }
      if member.isReady { recipients.append(session) } else { members[session]?.presenceIsStale = true }
    }
    guard !recipients.isEmpty else { return [] }
    return presenceMessages(changes, isComplete: false).map { .send(to: recipients, $0) }
  }

  /// Everything that is present, for a newcomer or for one who missed changes.
  mutating func completePresence(for session: UInt64) -> [Effect] {
    let wasStale = members[session]?.presenceIsStale ?? false
    members[session]?.presenceIsStale = false
    guard members[session]?.features.contains(.presence) ?? false else { return [] }
    let present = presence.present
    guard wasStale || !present.isEmpty else { return [] }
    return presenceMessages(present, isComplete: true).map { .send(to: [session], $0) }
  }

  /// Cut so that no message grows beyond a batch.
  private func presenceMessages(_ values: [RelayMessage.PresenceValue], isComplete: Bool) -> [[UInt8]] {
    var messages: [[UInt8]] = []
    var batch: [RelayMessage.PresenceValue] = []
    var bytes = 0
    for value in values {
      let size = (value.value?.count ?? 0) + value.subject.count + 16
      if !batch.isEmpty, bytes + size > configuration.batchBytes {
        messages.append(encode(batch, isComplete: isComplete && messages.isEmpty))
        (batch, bytes) = ([], 0)
      }
      batch.append(value)
      bytes += size
    }
    messages.append(encode(batch, isComplete: isComplete && messages.isEmpty))
    return messages
  }

  private func encode(_ values: [RelayMessage.PresenceValue], isComplete: Bool) -> [UInt8] {
    RelayMessage.presence(room: number, isComplete: isComplete, values).encoded
  }
}
