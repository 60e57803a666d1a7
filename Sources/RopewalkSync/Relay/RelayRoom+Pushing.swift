import RopewalkCore

extension RelayRoom {
  /// A member's push. A member's pushes are judged in the order in which they came, whatever one of them waits
  /// for.
  ///
  /// - Parameter refusal: what the member's role, the limits and the budgets have against it; its payload is
  ///   not looked at then, and it does not count as unanswered.
  public mutating func push(
    _ push: ClientMessage.Push, refusal: Refusal? = nil, from session: UInt64, now: UInt64
  ) -> [Effect] {
    guard let member = members[session], member.claim == nil else {
      return refusal == nil ? refuse(push, from: session, .forbidden) : []
    }
    members[session]?.unjudged.append(
      Unjudged(
        session: session, owner: member.owner, payer: member.payer, push: push, refusal: refusal, time: now))
    guard !member.unjudged.isEmpty else { return judgePushes(of: session) }
    guard member.unjudged.count >= mostUnjudged else { return [] }
    let error = ProtocolError(
      .overloaded, retry: .after(milliseconds: 1000), "More is pushed than the relay allows.")
    let answers = removeMember(session)
    return answers + [.remove(session, error.code, RelayMessage.error(room: name, error).encoded)]
  }

  /// More than the window are only sent by a client that does not keep to it.
  private var mostUnjudged: Int { 4 * max(16, Int(configuration.limits.pushWindow)) }

  /// Judges a member's pushes until one must wait for the log.
  private mutating func judgePushes(of session: UInt64) -> [Effect] {
    var effects: [Effect] = []
    while let next = members[session]?.unjudged.first {
      switch judge(next) {
      case .done(let more):
        effects += more
        members[session]?.unjudged.removeFirst()
      case .waits(let more): return effects + more
      }
    }
    return effects
  }

  private enum Judgement {
    case done([Effect])
    case waits([Effect])
  }

  /// The log must be asked before a push can be judged. That may take long, where a replica's events came
  /// in many pieces: who has it done often must wait.
  private mutating func lookUp(_ push: Unjudged, _ key: CoverageKey) -> Judgement {
    if lookingUp[key] != nil { return .waits([]) }
    let wait = budgets.waitToLookUp(push.payer, now: push.time, configuration.examinedPerSecond)
    if let wait {
      return .done(refuse(push, .overloaded(retryAfter: wait)))
    }
    lookingUp[key] = push
    return .waits([.findCoverage(key)])
  }

  /// Answers `findCoverage`.
  ///
  /// - Parameters:
  ///   - owner: whose the replica id is; nil for nobody's.
  ///   - examined: how many entries were read for it.
  public mutating func foundCoverage(
    _ found: [CoveredRange], owner: Owner? = nil, examined: Int = 0, of key: CoverageKey
  ) -> [Effect] {
    guard let asking = lookingUp.removeValue(forKey: key) else { return [] }
    charge(asking, examined: max(examined, found.count))
    let before = coverage[key]?.count ?? 0
    // Beyond the tail there is nothing, whatever a damaged log says.
    coverage[key, default: Coverage()].learn(found.filter { $0.cursor <= tail.cursor })
    coveredRanges += (coverage[key]?.count ?? 0) - before
    // An entry under the id may be on its way to the log, which knew nothing of it when it was asked.
    if let owner, owners[key.replica] == nil { owners[key.replica] = owner }
    var effects: [Effect] = []
    for session in order {
      guard let next = members[session]?.unjudged.first else { continue }
      if CoverageKey(next.push.header) == key { effects += judgePushes(of: session) }
    }
    // Of what was refused nothing is kept, however many documents and ids somebody tries.
    if coverage[key]?.count == 0 { coverage[key] = nil }
    if owners.count > 2 * configuration.coverageBound { forgetOwners() }
    return effects
  }

  /// Answers `append`: everything up to `cursor` is durable. Acknowledges, and feeds the members that are
  /// live.
  public mutating func appended(through cursor: UInt64) -> [Effect] {
    guard cursor > durable.cursor, cursor <= tail.cursor else { return [] }
    let count = Int(cursor - durable.cursor)
    let done = Array(pending[..<count])
    let before = durable.cursor
    durable = LogHead(cursor: cursor, digest: done[count - 1].digest)
    pending.removeFirst(count)
    settleCoverageIfLarge()
    return acknowledge(done) + broadcast(done.map { $0.entry }, after: before) + considerCheckpoint()
  }

  /// Who has asked pays, in entries; each look-up costs some by itself.
  private mutating func charge(_ push: Unjudged, examined: Int) {
    budgets.lookedUp(
      16 + examined, for: push.payer, now: push.time, configuration.examinedPerSecond)
  }

  private mutating func judge(_ unjudged: Unjudged) -> Judgement {
    let push = unjudged.push
    if let refusal = unjudged.refusal { return .done(refuse(unjudged, refusal)) }
    // Pushes are sent ahead of answers. What was sent before its sender knew of a refusal may build on what
    // was refused, and others would take it to build on what the log holds instead.
    if let member = members[unjudged.session], push.refusalsSeen < member.refusals {
      return .done(refuse(unjudged, .overtaken))
    }
    let key = CoverageKey(push.header)
    if coverage[key] == nil, !isCoverageComplete { return lookUp(unjudged, key) }
    let seqs = push.header.span.seqs
    let hash = PayloadHash(of: push.payload)
    switch (coverage[key] ?? Coverage()).judge(seqs, hash) {
    case .clash(let cursor): return .done(refuse(unjudged, .idClash(at: cursor)))
    case .covered(let missing, let through):
      return .done(refuse(unjudged, .covered(missing: missing, through: through)))
    case .repeated(let cursor): return .done(acknowledgeRepeat(push, from: unjudged.session, at: cursor))
    case .unknown: return lookUp(unjudged, key)
    case .new: break
    }
    if let owner = owners[key.replica], owner != unjudged.owner {
      return .done(refuse(unjudged, .ownedByAnother))
    }
    if owners[key.replica] == nil {
      let wait = budgets.beginID(unjudged.payer, now: unjudged.time, configuration.newIDs)
      if let wait { return .done(refuse(unjudged, .overloaded(retryAfter: wait))) }
    }
    owners[key.replica] = unjudged.owner
    let entry = LogEntry(
      cursor: tail.cursor + 1, subject: unjudged.owner.subject, time: unjudged.time, header: push.header,
      payload: push.payload)
    let digest = tail.digest.extended(by: push.header, payloadHash: hash)
    coverage[key, default: Coverage()].insert(
      CoveredRange(seqs: seqs, cursor: entry.cursor, payloadHash: hash))
    coveredRanges += 1
    let waiter = Waiter(session: unjudged.session, push: push.number, bytes: push.payload.count)
    pending.append(Pending(entry: entry, digest: digest, waiters: [waiter]))
    return .done([
      .append(NewEntry(entry: entry, payloadHash: hash, digest: digest, owner: unjudged.owner))
    ])
  }

  /// The log has it already, or is about to: then the answer waits until it is durable.
  private mutating func acknowledgeRepeat(
    _ push: ClientMessage.Push, from session: UInt64, at cursor: UInt64
  ) -> [Effect] {
    guard cursor <= durable.cursor else {
      let waiter = Waiter(session: session, push: push.number, bytes: push.payload.count)
      pending[Int(cursor - durable.cursor - 1)].waiters.append(waiter)
      return []
    }
    let acknowledgement = RelayMessage.Acknowledgement(push: push.number, cursor: cursor)
    let message = RelayMessage.acknowledged(room: number, [acknowledgement]).encoded
    return [.answer(session, message, pushes: 1, bytes: push.payload.count)]
  }

  /// Refuses a member's push, and counts that.
  private mutating func refuse(_ unjudged: Unjudged, _ refusal: Refusal) -> [Effect] {
    if refusal != .overtaken { members[unjudged.session]?.refusals += 1 }
    guard unjudged.refusal == nil else {
      let message = RelayMessage.refused(room: number, push: unjudged.push.number, refusal).encoded
      return [.answer(unjudged.session, message, pushes: 0, bytes: 0)]
    }
    return refuse(unjudged.push, from: unjudged.session, refusal)
  }

  private func refuse(_ push: ClientMessage.Push, from session: UInt64, _ refusal: Refusal) -> [Effect] {
    let message = RelayMessage.refused(room: number, push: push.number, refusal).encoded
    return [.answer(session, message, pushes: 1, bytes: push.payload.count), .refused(refusal)]
  }

  /// One message per session, in the order of each session's first push.
  private func acknowledge(_ done: [Pending]) -> [Effect] {
    var sessions: [UInt64] = []
    var answers: [UInt64: (acknowledgements: [RelayMessage.Acknowledgement], bytes: Int)] = [:]
    for entry in done {
      for waiter in entry.waiters {
        if answers[waiter.session] == nil { sessions.append(waiter.session) }
        let acknowledgement = RelayMessage.Acknowledgement(push: waiter.push, cursor: entry.entry.cursor)
        answers[waiter.session, default: ([], 0)].acknowledgements.append(acknowledgement)
        answers[waiter.session]?.bytes += waiter.bytes
      }
    }
    return sessions.map { session in
      let (acknowledgements, bytes) = answers[session] ?? ([], 0)
      let message = RelayMessage.acknowledged(room: number, acknowledgements).encoded
      return .answer(session, message, pushes: acknowledgements.count, bytes: bytes)
    }
  }

  /// What is durable can be looked up again: most of it is only kept merged, and if that is still much, not
  /// at all. Either makes room for at least half of the bound, so that a push costs as little whatever came
  /// before.
  private mutating func settleCoverageIfLarge() {
    let bound = configuration.coverageBound
    guard coveredRanges > bound else { return }
    let kept = min(Int(configuration.limits.pushWindow), bound / 4 / max(1, coverage.count))
    coveredRanges = 0
    for key in Array(coverage.keys) {
      // What is being looked up must not be settled before it was found.
      if lookingUp[key] == nil { coverage[key]?.settle(through: durable.cursor, keeping: kept) }
      coveredRanges += coverage[key]?.count ?? 0
    }
    guard coveredRanges > bound / 2 else { return }
    let durable = durable.cursor
    // Those with many holes go first, so that one of them does not cost others theirs, and then those that
    // nobody has written for long.
    let leaving = coverage.filter { key, coverage in
      lookingUp[key] == nil && !coverage.ranges.contains { $0.cursor > durable }
    }.sorted { a, b in
      let (isLarge, isOtherLarge) = (a.value.count > bound / 8, b.value.count > bound / 8)
      return isLarge == isOtherLarge ? a.value.newest < b.value.newest : isLarge
    }
    for (key, old) in leaving where coveredRanges > bound / 2 {
      coveredRanges -= old.count
      coverage[key] = nil
    }
    isCoverageComplete = false
    forgetOwners()
  }

  /// Keeps the owners of those ids alone whose coverage is in memory, or is being looked up.
  private mutating func forgetOwners() {
    guard !isCoverageComplete else { return }
    var known: [ReplicaID: Owner] = [:]
    for key in coverage.keys { known[key.replica] = owners[key.replica] }
    for key in lookingUp.keys { known[key.replica] = owners[key.replica] }
    owners = known
  }
}
