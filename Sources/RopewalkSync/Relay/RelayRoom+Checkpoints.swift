import RopewalkCore

/// A checkpoint that is being made: one member uploads it, others say what it must be.
struct CheckpointAttempt: Sendable {
  let head: LogHead
  let uploader: UInt64
  let subject: [UInt8]
  var asked: Set<UInt64>
  var nextPart: UInt64 = 0
  var digest = LogDigest.zero
  var bytes = 0
  var isComplete = false
  /// The uploader's subject has pushed everything that the checkpoint holds.
  var isOfOneAuthor = false
  /// What members who may confirm have found.
  var found: [LogDigest] = []
}

extension RelayRoom {
  /// How many are asked to confirm at once, and how many at most.
  private static let confirmers = 3
  private static let mostConfirmers = 8

  /// Part of the checkpoint that was asked for. Its role was checked. What nobody asked for is passed over.
  public mutating func checkpoint(_ message: ClientMessage.Checkpoint, from session: UInt64) -> [Effect] {
    guard var attempt, attempt.uploader == session, attempt.head.cursor == message.cursor,
      !attempt.isComplete, attempt.nextPart == message.first
    else { return [] }
    attempt.bytes += message.parts.reduce(0) { $0 + $1.payload.count + 64 }
    guard attempt.bytes <= configuration.largestCheckpoint else { return dropAttempt() }
    attempt.nextPart += UInt64(message.parts.count)
    attempt.digest = Checkpoint.digest(of: message.parts, after: attempt.digest)
    attempt.isComplete = message.isLast
    self.attempt = attempt
    let store = LogChange.storeParts(cursor: message.cursor, first: message.first, message.parts)
    return [.change(store)] + judgeAttempt() + askUploader()
  }

  /// Answers `findSoleAuthor`; nil if there are several, or it is not known.
  public mutating func foundSoleAuthor(_ subject: [UInt8]?, through cursor: UInt64) -> [Effect] {
    guard var attempt, attempt.head.cursor == cursor, subject == attempt.subject,
      subject != configuration.strangers
    else { return [] }
    attempt.isOfOneAuthor = true
    self.attempt = attempt
    let others = order.filter { session in
      session != attempt.uploader && !attempt.asked.contains(session)
        && members[session].map { isAble($0) && $0.isCaughtUp && $0.place >= cursor } ?? false
    }.prefix(Self.confirmers)
    self.attempt?.asked.formUnion(others)
    let ask: [Effect] = others.isEmpty ? [] : [.send(to: Array(others), wanted(attempt, isWhole: false))]
    return ask + askUploader()
  }

  /// Nobody else's work can be lost, and no other session is there: the uploader is asked again.
  private mutating func askUploader() -> [Effect] {
    guard let attempt, attempt.isOfOneAuthor, attempt.isComplete, attempt.asked.isEmpty,
      attempt.found.isEmpty,
      let member = members[attempt.uploader], isAble(member)
    else { return [] }
    self.attempt?.asked.insert(attempt.uploader)
    return [.send(to: [attempt.uploader], wanted(attempt, isWhole: false))]
  }

  /// What a member finds the checkpoint must be. Its role was checked.
  public mutating func checkpointDigest(
    _ digest: LogDigest, at cursor: UInt64, from session: UInt64
  ) -> [Effect] {
    guard let attempt, attempt.head.cursor == cursor, attempt.asked.contains(session) else { return [] }
    self.attempt?.asked.remove(session)
    self.attempt?.found.append(digest)
    return judgeAttempt()
  }

  /// The log was just opened.
  public mutating func opened(now: UInt64) -> [Effect] {
    mayForget = true
    return forget(now)
  }

  /// Answers `change`: where the log stands now. The head in it may be newer than what was reported here.
  public mutating func changed(_ state: LogState, now: UInt64) -> [Effect] {
    log.oldest = state.oldest
    log.checkpoint = state.checkpoint
    log.retention = state.retention
    return retentionStored() + forget(now)
  }

  private mutating func forget(_ now: UInt64) -> [Effect] {
    guard mayForget, case .days(let days) = log.retention, let checkpoint = log.checkpoint,
      checkpoint.cursor >= log.oldest
    else { return [] }
    mayForget = false
    let age = UInt64(days) * 86_400_000
    return [.change(.forget(before: now > age ? now - age : 0))]
  }

  /// Asks for a checkpoint when enough has come since the last one.
  mutating func considerCheckpoint() -> [Effect] {
    let interval = max(1, configuration.checkpointInterval)
    guard durable.cursor - min(durable.cursor, log.checkpoint?.cursor ?? 0) >= interval,
      durable.cursor >= noAttemptBefore
    else { return [] }
    if let attempt {
      let patience = attempt.isComplete ? interval : max(1, interval / 4)
      guard durable.cursor - attempt.head.cursor >= patience else { return [] }
      return dropAttempt() + considerCheckpoint()
    }
    let able = order.filter { session in
      members[session].map { isAble($0) && $0.isCaughtUp && $0.place == durable.cursor } ?? false
    }
    guard !able.isEmpty else { return [] }
    let uploader = able[attempts % able.count]
    attempts += 1
    var attempt = CheckpointAttempt(
      head: durable, uploader: uploader, subject: members[uploader]?.subject ?? [], asked: [])
    for session in able where session != uploader && attempt.asked.count < Self.confirmers {
      if mayConfirm(session, attempt) { attempt.asked.insert(session) }
    }
    self.attempt = attempt
    let confirmers = able.filter { attempt.asked.contains($0) }
    let look: [Effect] =
      configuration.confirmationNeedsOtherSubject ? [.findSoleAuthor(through: attempt.head.cursor)] : []
    return look + [.send(to: [uploader], wanted(attempt, isWhole: true))]
      + (confirmers.isEmpty ? [] : [.send(to: confirmers, wanted(attempt, isWhole: false))])
  }

  /// A member that has just read the log to its end may confirm what waits for that.
  mutating func askToConfirm(_ session: UInt64) -> [Effect] {
    guard let attempt, let member = members[session], isAble(member), session != attempt.uploader,
      member.place >= attempt.head.cursor, attempt.asked.count < Self.mostConfirmers,
      attempt.found.isEmpty, mayConfirm(session, attempt),
      self.attempt?.asked.insert(session).inserted == true
    else { return considerCheckpoint() }
    return [.send(to: [session], wanted(attempt, isWhole: false))]
  }

  /// The attempt ends with its uploader, unless all was uploaded.
  mutating func forgetInAttempt(_ session: UInt64) {
    attempt?.asked.remove(session)
    if let attempt, attempt.uploader == session, !attempt.isComplete { self.attempt = nil }
  }

  private func isAble(_ member: Member) -> Bool {
    member.claim == nil && member.role >= .edit && member.features.contains(.checkpoints)
  }

  private func mayConfirm(_ session: UInt64, _ attempt: CheckpointAttempt) -> Bool {
    !configuration.confirmationNeedsOtherSubject || attempt.isOfOneAuthor
      || members[session]?.subject != attempt.subject
  }

  private func wanted(_ attempt: CheckpointAttempt, isWhole: Bool) -> [UInt8] {
    RelayMessage.checkpointWanted(room: number, cursor: attempt.head.cursor, isWhole: isWhole).encoded
  }

  /// One who finds the same makes it good; one who finds something else makes it worthless.
  private mutating func judgeAttempt() -> [Effect] {
    guard let attempt, attempt.isComplete, !attempt.found.isEmpty else { return [] }
    guard attempt.found.allSatisfy({ $0 == attempt.digest }) else { return dropAttempt() }
    self.attempt = nil
    mayForget = true
    return [.change(.confirmCheckpoint(attempt.head))]
  }

  private mutating func dropAttempt() -> [Effect] {
    attempt = nil
    noAttemptBefore = durable.cursor + max(1, configuration.checkpointInterval / 4)
    return [.change(.dropCheckpoint)]
  }

  // MARK: To newcomers

  /// Answers `readCheckpoint`; nil if that checkpoint was replaced.
  public mutating func foundCheckpoint(_ batch: CheckpointBatch?, for session: UInt64) -> [Effect] {
    guard let member = members[session], member.isReading, let progress = member.checkpoint else { return [] }
    members[session]?.isReading = false
    guard let batch else {
      members[session]?.checkpoint = log.checkpoint.map { CheckpointProgress(cursor: $0.cursor) }
      return advance(session)
    }
    guard batch.head.cursor == progress.cursor, batch.first == progress.next else { return logFailed() }
    members[session]?.isReady = false
    if batch.isLast {
      members[session]?.checkpoint = nil
      members[session]?.place = batch.head.cursor
    } else {
      members[session]?.checkpoint?.next += UInt64(batch.parts.count)
    }
    return [.feed(to: [session], RelayMessage.checkpoint(room: number, batch).encoded)]
  }

  /// What a member lacks was forgotten: it begins anew with the checkpoint, or is told that it cannot.
  mutating func beginAnew(_ session: UInt64) -> [Effect] {
    guard var member = members[session] else { return [] }
    guard member.features.contains(.checkpoints), let checkpoint = log.checkpoint else {
      return sendAwayAsGone(session)
    }
    member.place = 0
    member.isCaughtUp = false
    member.checkpoint = CheckpointProgress(cursor: checkpoint.cursor)
    members[session] = member
    let joined = RelayMessage.Joined(
      room: name, number: number, role: member.role, head: durable.cursor, isRestart: true)
    return [.send(to: [session], RelayMessage.joined(joined).encoded)] + advance(session)
  }

  mutating func sendAwayAsGone(_ session: UInt64) -> [Effect] {
    let answers = removeMember(session)
    let error = ProtocolError(
      .gone, "What the client lacks was forgotten, and it cannot take a checkpoint instead.")
    return answers + [.remove(session, error.code, RelayMessage.error(room: name, error).encoded)]
  }
}

/// How far a member has been sent a checkpoint.
struct CheckpointProgress: Sendable {
  let cursor: UInt64
  var next: UInt64 = 0
}
