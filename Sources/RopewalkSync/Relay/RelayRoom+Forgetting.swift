import RopewalkCore

/// Something that happened to a checkpoint, for the audit log.
public struct CheckpointNote: Hashable, Sendable {
  /// What happened.
  public enum Act: Hashable, Sendable {
    /// Members confirmed it.
    case announced
    /// A member objected before it was announced.
    case heldBack
    /// A member objected afterwards.
    case takenBack
    /// It came into use.
    case used
  }

  /// What happened.
  public let act: Act
  /// The checkpoint's cursor.
  public let cursor: UInt64
  /// Who uploaded what is announced, or objected; empty for what came into use, or is not what the relay's log holds.
  public let subject: [UInt8]
  /// Who has confirmed, or whose checkpoint was held back.
  public let others: [[UInt8]]

  init(_ act: Act, at cursor: UInt64, by subject: [UInt8] = [], with others: [[UInt8]] = []) {
    self.act = act
    self.cursor = cursor
    self.subject = subject
    self.others = others
  }

  /// Of what members have confirmed, and headers alone show not to be what the log holds.
  var heldBackByTheLog: CheckpointNote { CheckpointNote(.heldBack, at: cursor, with: [subject]) }
}

extension RelayRoom {
  /// The log was just opened.
  public mutating func opened(now: UInt64) -> [Effect] {
    mayForget = true
    return considerUse(now) + forget(now)
  }

  /// Counts what the log is asked for, which it answers in this order.
  mutating func change(_ change: LogChange) -> Effect {
    changesAsked += 1
    return .change(change)
  }

  /// Answers `change`: where the log stands now. The head in it may be newer than what was reported here.
  public mutating func changed(_ state: LogState, now: UInt64) -> [Effect] {
    changesAnswered += 1
    let (announced, used) = (log.announced, log.checkpoint)
    log.oldest = state.oldest
    log.checkpoint = state.checkpoint
    log.announced = state.announced
    log.retention = state.retention
    isComingIntoUse = false
    var effects: [Effect] = []
    if let confirmed = announcing, confirmed.change <= changesAnswered {
      announcing = nil
      effects.append(.note(log.announced == nil ? confirmed.note.heldBackByTheLog : confirmed.note))
    }
    if let checkpoint = log.checkpoint, checkpoint != used {
      effects.append(.note(CheckpointNote(.used, at: checkpoint.cursor)))
    }
    if log.announced != announced { effects += order.flatMap { tellAnnouncement(to: $0) } }
    return effects + retentionStored() + storeParts() + considerUse(now) + forget(now) + considerCheckpoint()
  }

  // MARK: Announcing

  /// Tells a member who has read the log so far what is announced, once.
  mutating func tellAnnouncement(to session: UInt64) -> [Effect] {
    guard let announced = log.announced, let member = members[session], isAble(member), member.isCaughtUp,
      member.place >= announced.head.cursor, member.announcement != announced
    else { return [] }
    members[session]?.announcement = announced
    let message = RelayMessage.checkpointAnnounced(
      room: number, cursor: announced.head.cursor, digest: announced.parts)
    return [.send(to: [session], message.encoded)]
  }

  // MARK: Using

  private static let day: UInt64 = 86_400_000

  /// When what is announced comes into use: everybody who comes at least as often as the retention says has been
  /// here since, and after a start of the relay everybody had some time to come.
  var useDeadline: UInt64? {
    guard let announced = log.announced, let kept = log.retention.milliseconds else { return nil }
    let grace = max(configuration.checkpointGrace, kept)
    return max(announced.time + grace, configuration.started + min(grace, Self.day))
  }

  /// Puts what is announced in the place of the checkpoint in use, when its time of grace is over.
  mutating func considerUse(_ now: UInt64) -> [Effect] {
    guard let cursor = log.announced?.head.cursor, let deadline = useDeadline, deadline <= now,
      !isComingIntoUse
    else { return [] }
    isComingIntoUse = true
    mayForget = true
    return [change(.useCheckpoint(cursor: cursor))]
  }

  private mutating func forget(_ now: UInt64) -> [Effect] {
    guard mayForget, let age = log.retention.milliseconds, let checkpoint = log.checkpoint,
      checkpoint.cursor >= log.oldest
    else { return [] }
    mayForget = false
    return [change(.forget(before: now > age ? now - age : 0))]
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
