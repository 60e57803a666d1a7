import RopewalkCore

/// A checkpoint that is being made: one member uploads it, the others say what it must be.
struct CheckpointAttempt: Sendable {
  let head: LogHead
  let uploader: UInt64
  let subject: [UInt8]
  /// Who was asked what it must be, and of these who is still waited for.
  var asked: Set<UInt64>
  var waited: Set<UInt64>
  /// When nobody is waited for any more; nil until the time is known. Never moved, whoever comes later.
  var deadline: UInt64?
  var isTimeOver = false
  var nextPart: UInt64 = 0
  var digest = LogDigest.zero
  var bytes = 0
  var isComplete = false
  /// What was uploaded and is not handed to the log yet, and the number of its first part.
  var unstored: ArraySlice<CheckpointPart> = []
  var nextStored: UInt64 = 0
  /// The change that stores what was handed out last.
  var storing: UInt64 = 0
  /// The uploader's subject has pushed everything that the checkpoint holds.
  var isOfOneAuthor = false
  var found: [Finding] = []

  /// What a member has found.
  struct Finding: Sendable {
    let subject: [UInt8]
    let digest: LogDigest
  }

  /// Takes the next parts, in place; false if no checkpoint is so large, or empty.
  mutating func take(_ message: ClientMessage.Checkpoint, atMost largest: Int) -> Bool {
    bytes += message.parts.reduce(0) { $0 + $1.encodedSizeBound }
    nextPart += UInt64(message.parts.count)
    guard bytes <= largest, nextPart > 0 || !message.isLast else { return false }
    digest = Checkpoint.digest(of: message.parts, after: digest)
    isComplete = message.isLast
    unstored += message.parts
    return true
  }

  /// One who has found something else.
  var objector: [UInt8]? { isComplete ? found.first { $0.digest != digest }?.subject : nil }
}

extension RelayRoom {
  /// Part of the checkpoint that was asked for. Its role was checked. What nobody asked for is passed over.
  public mutating func checkpoint(_ message: ClientMessage.Checkpoint, from session: UInt64) -> [Effect] {
    let isNext = attempt.map {
      $0.uploader == session && $0.head.cursor == message.cursor && !$0.isComplete
        && $0.nextPart == message.first
    }
    guard isNext == true else { return [] }
    let isTaken = attempt?.take(message, atMost: configuration.largestCheckpoint) ?? false
    return isTaken ? storeParts() + considerObjections() + askUploader() : dropAttempt()
  }

  /// The most parts that are stored at once. Parts may be tiny, and all rooms share the queue that stores them: an upload takes
  /// one place in it at a time, before which nobody waits longer than for these.
  private static let mostStored = 1024

  /// Hands the next parts of what was uploaded to the log, if that has stored those before.
  mutating func storeParts() -> [Effect] {
    guard let attempt, !attempt.unstored.isEmpty, attempt.storing <= changesAnswered else { return [] }
    let parts = Array(attempt.unstored.prefix(Self.mostStored))
    let store = change(.storeParts(cursor: attempt.head.cursor, first: attempt.nextStored, parts))
    self.attempt?.unstored = attempt.unstored.dropFirst(parts.count)
    self.attempt?.nextStored += UInt64(parts.count)
    self.attempt?.storing = changesAsked
    return [store]
  }

  /// Answers `findSoleAuthor`; nil if there are several, or it is not known.
  public mutating func foundSoleAuthor(_ subject: [UInt8]?, through cursor: UInt64) -> [Effect] {
    guard let attempt, attempt.head.cursor == cursor, subject == attempt.subject, !isStranger(attempt.subject)
    else { return [] }
    self.attempt?.isOfOneAuthor = true
    return askUploader()
  }

  /// Nobody else's work can be lost, and no other session is there: the uploader is asked again.
  private mutating func askUploader() -> [Effect] {
    guard let attempt, attempt.isOfOneAuthor, attempt.isComplete, attempt.asked.isEmpty,
      let member = members[attempt.uploader], isAble(member)
    else { return [] }
    return ask([attempt.uploader])
  }

  /// What a member finds the checkpoint must be. Its role was checked.
  public mutating func checkpointDigest(
    _ digest: LogDigest, at cursor: UInt64, from session: UInt64
  ) -> [Effect] {
    guard let attempt, attempt.head.cursor == cursor, attempt.waited.contains(session),
      let member = members[session]
    else { return [] }
    self.attempt?.waited.remove(session)
    self.attempt?.found.append(CheckpointAttempt.Finding(subject: member.subject, digest: digest))
    return considerObjections()
  }

  /// Asks for a checkpoint when enough has come since the last one.
  mutating func considerCheckpoint() -> [Effect] {
    let interval = max(1, configuration.checkpointInterval)
    guard log.retention != .everything, log.announced == nil, announcing == nil,
      durable.cursor - min(durable.cursor, log.checkpoint?.cursor ?? 0) >= interval,
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
    let named = able.filter { session in members[session].map { !isStranger($0.subject) } ?? false }
    guard !named.isEmpty else { return [] }
    let uploader = named[attempts % named.count]
    attempts += 1
    attempt = CheckpointAttempt(
      head: durable, uploader: uploader, subject: members[uploader]?.subject ?? [], asked: [], waited: [])
    let whole: Effect = .send(to: [uploader], wanted(durable.cursor, isWhole: true))
    return [.findSoleAuthor(through: durable.cursor), whole] + ask(able.filter { $0 != uploader })
  }

  /// A member that has just read the log to its end may confirm what waits for that, or object to it.
  mutating func askToConfirm(_ session: UInt64) -> [Effect] {
    guard let attempt, let member = members[session], isAble(member), session != attempt.uploader,
      member.place >= attempt.head.cursor, !attempt.asked.contains(session)
    else { return considerCheckpoint() }
    return ask([session])
  }

  private mutating func ask(_ sessions: [UInt64]) -> [Effect] {
    guard let cursor = attempt?.head.cursor, !sessions.isEmpty else { return [] }
    attempt?.asked.formUnion(sessions)
    attempt?.waited.formUnion(sessions)
    return [.send(to: sessions, wanted(cursor, isWhole: false))]
  }

  /// The attempt ends with its uploader, unless all was uploaded.
  mutating func forgetInAttempt(_ session: UInt64) {
    attempt?.waited.remove(session)
    if let attempt, attempt.uploader == session, !attempt.isComplete { self.attempt = nil }
  }

  func isAble(_ member: Member) -> Bool {
    member.claim == nil && member.role >= .edit && member.features.contains(.checkpoints)
  }

  /// Whether nobody has proved to be this subject.
  private func isStranger(_ subject: [UInt8]) -> Bool {
    subject.isEmpty || subject == configuration.strangers
  }

  private func wanted(_ cursor: UInt64, isWhole: Bool) -> [UInt8] {
    RelayMessage.checkpointWanted(room: number, cursor: cursor, isWhole: isWhole).encoded
  }

  // MARK: Judging

  /// One who has read something else makes what was uploaded worthless.
  private mutating func considerObjections() -> [Effect] {
    guard let attempt, let objector = attempt.objector else { return [] }
    return holdBack(attempt, because: objector)
  }

  /// A member objects to a checkpoint that it was asked about, or that is announced. Its role was checked.
  public mutating func objection(at cursor: UInt64, from session: UInt64) -> [Effect] {
    guard let member = members[session], isAble(member) else { return [] }
    if let attempt, attempt.head.cursor == cursor { return holdBack(attempt, because: member.subject) }
    guard announcing?.note.cursor == cursor || log.announced?.head.cursor == cursor else { return [] }
    (announcing, log.announced) = (nil, nil)
    waitForGrowth()
    return [
      change(.dropCheckpoint(cursor: cursor)),
      .note(CheckpointNote(.takenBack, at: cursor, by: member.subject)),
    ]
  }

  private mutating func holdBack(_ attempt: CheckpointAttempt, because objector: [UInt8]) -> [Effect] {
    let note = CheckpointNote(.heldBack, at: attempt.head.cursor, by: objector, with: [attempt.subject])
    return dropAttempt() + [.note(note)]
  }

  private mutating func dropAttempt() -> [Effect] {
    guard let cursor = attempt?.head.cursor else { return [] }
    attempt = nil
    waitForGrowth()
    return [change(.dropCheckpoint(cursor: cursor))]
  }

  private mutating func waitForGrowth() {
    noAttemptBefore = durable.cursor + max(1, configuration.checkpointInterval / 4)
  }

  /// Who has confirmed what was uploaded: others than its uploader, or the uploader's subject if it wrote alone.
  private func confirmers(of attempt: CheckpointAttempt) -> [[UInt8]] {
    guard attempt.isComplete, attempt.unstored.isEmpty else { return [] }
    return attempt.found.map { $0.subject }.filter { subject in
      !isStranger(subject) && (attempt.isOfOneAuthor || subject != attempt.subject)
    }
  }

  /// When the attempt must be looked at next.
  var attemptDeadline: UInt64? {
    guard let attempt else { return nil }
    if attempt.waited.isEmpty || attempt.isTimeOver { return confirmers(of: attempt).isEmpty ? nil : 0 }
    return attempt.deadline ?? 0
  }

  /// Announces the checkpoint if it is confirmed and nobody is waited for any more.
  mutating func judgeAttempt(now: UInt64) -> [Effect] {
    guard var attempt else { return [] }
    if !attempt.waited.isEmpty, !attempt.isTimeOver {
      let deadline = attempt.deadline ?? now + configuration.checkpointPatience
      attempt.deadline = deadline
      attempt.isTimeOver = deadline <= now
      self.attempt = attempt
      guard attempt.isTimeOver else { return [] }
    }
    let confirmers = confirmers(of: attempt)
    guard !confirmers.isEmpty else { return [] }
    self.attempt = nil
    let checkpoint = AnnouncedCheckpoint(head: attempt.head, parts: attempt.digest, time: now)
    let note = CheckpointNote(.announced, at: attempt.head.cursor, by: attempt.subject, with: confirmers)
    let ask = change(.announceCheckpoint(checkpoint))
    announcing = (note, changesAsked)
    waitForGrowth()
    return [ask]
  }
}
