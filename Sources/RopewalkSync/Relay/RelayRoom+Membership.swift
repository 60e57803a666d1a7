import RopewalkCore

extension RelayRoom {
  /// A session asks to become a member; its token allows `role`.
  ///
  /// - Parameter network: where somebody without a token comes from. Those who have proved nothing share what one subject may
  ///   cost with their network alone, so that none of them takes it from all.
  public mutating func join(
    _ session: UInt64, owner: Owner, network: [UInt8] = [], role: Role, features: Features, cursor: UInt64,
    digest: LogDigest
  ) -> [Effect] {
    precondition(!hasFailed, "a failed room is dropped")
    let answers = removeMember(session)
    // No subject begins with a zero.
    let payer = owner.identity == nil ? owner.subject : [0] + network
    members[session] = Member(
      owner: owner, payer: payer, role: role, features: features,
      claim: LogHead(cursor: cursor, digest: digest))
    order.append(session)
    return answers + check(session, cursor: cursor, digest: digest)
  }

  /// A member may do more or less from now on: another token says so. Who may edit now has a say in checkpoints, as if it had
  /// just read the log; who may not is not waited for.
  public mutating func setRole(_ role: Role, of session: UInt64) -> [Effect] {
    guard let old = members[session] else { return [] }
    members[session]?.role = role
    let (could, can) = (isAble(old), members[session].map(isAble) ?? false)
    if could, !can { forgetInAttempt(session) }
    guard can, !could, old.isCaughtUp else { return [] }
    return tellAnnouncement(to: session) + askToConfirm(session)
  }

  /// Admits a session, unless the log must be asked before whether it was this one.
  private mutating func check(_ session: UInt64, cursor: UInt64, digest: LogDigest) -> [Effect] {
    if cursor > durable.cursor { return admit(session, asRestart: true) }
    if cursor == durable.cursor { return admit(session, asRestart: digest != durable.digest) }
    if cursor == 0 { return admit(session, asRestart: digest != .zero) }
    // Whether it was this log cannot be told any more.
    if cursor + 1 < log.oldest { return admit(session, asRestart: true) }
    checks[cursor, default: []].append(session)
    return checks[cursor]?.count == 1 ? [.findDigest(at: cursor)] : []
  }

  /// Answers `findDigest`; nil if the log has no such entry.
  public mutating func foundDigest(_ digest: LogDigest?, at cursor: UInt64) -> [Effect] {
    var effects: [Effect] = []
    for session in checks.removeValue(forKey: cursor) ?? [] {
      guard let claim = members[session]?.claim, claim.cursor == cursor else { continue }
      effects += admit(session, asRestart: claim.digest != digest)
    }
    return effects
  }

  /// A session has left, or its connection is gone.
  public mutating func leave(_ session: UInt64, now: UInt64) -> [Effect] {
    let answers = removeMember(session)
    presence.remove(session)
    return answers + flushPresence(now)
  }

  /// The log could not be read or written. Every member is told to come back; the room must be dropped.
  public mutating func logFailed() -> [Effect] {
    guard !hasFailed else { return [] }
    hasFailed = true
    let error = ProtocolError(
      .unavailable, retry: .after(milliseconds: 2000), "The room's log cannot be reached just now.")
    let message = RelayMessage.error(room: name, error).encoded
    var effects: [Effect] = order.map { .remove($0, error.code, message) }
    for waiter in pending.flatMap({ $0.waiters }) {
      effects.append(.answer(waiter.session, [], pushes: 1, bytes: waiter.bytes))
    }
    effects += order.flatMap { dropUnjudged(of: $0) }
    members = [:]
    order = []
    pending = []
    lookingUp = [:]
    owners = [:]
    checks = [:]
    reads = [:]
    attempt = nil
    retentionRequests = RetentionRequests()
    announcing = nil
    presence = RoomPresence()
    return effects
  }

  /// Pushes of a member that is gone are not answered: what they would build on was not judged either.
  private func dropUnjudged(of session: UInt64) -> [Effect] {
    (members[session]?.unjudged ?? []).filter { $0.refusal == nil }.map {
      .answer(session, [], pushes: 1, bytes: $0.push.payload.count)
    }
  }

  private mutating func admit(_ session: UInt64, asRestart isRestart: Bool) -> [Effect] {
    guard var member = members[session], let claim = member.claim else { return [] }
    member.claim = nil
    member.place = isRestart ? 0 : claim.cursor
    if member.place == 0, member.features.contains(.checkpoints) {
      member.checkpoint = log.checkpoint.map { CheckpointProgress(cursor: $0.cursor) }
    }
    if member.checkpoint == nil, member.place + 1 < log.oldest { return sendAwayAsGone(session) }
    members[session] = member
    let joined = RelayMessage.Joined(
      room: name, number: number, role: member.role, head: durable.cursor, isRestart: isRestart)
    var effects: [Effect] = [.send(to: [session], RelayMessage.joined(joined).encoded)]
    effects += completePresence(for: session)
    return effects + advance(session)
  }

  /// Returns what counts its pushes as answered.
  mutating func removeMember(_ session: UInt64) -> [Effect] {
    let answers = dropUnjudged(of: session)
    guard let member = members.removeValue(forKey: session) else { return [] }
    order.removeAll { $0 == session }
    forgetInAttempt(session)
    if let claim = member.claim { checks[claim.cursor]?.removeAll { $0 == session } }
    if member.isReading { reads[member.place + 1]?.removeAll { $0 == session } }
    return answers
  }
}
