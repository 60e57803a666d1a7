import RopewalkCore

extension RelayRoom {
  /// A member's socket takes more.
  public mutating func ready(_ session: UInt64) -> [Effect] {
    guard members[session] != nil else { return [] }
    members[session]?.isReady = true
    var effects: [Effect] = []
    if members[session]?.presenceIsStale == true { effects += completePresence(for: session) }
    return effects + advance(session)
  }

  /// A member's socket is full: nothing more is sent to it until `ready`. It falls behind, which costs
  /// nothing, and is fed from the log later.
  public mutating func busy(_ session: UInt64) { members[session]?.isReady = false }

  /// Answers `read`: dense entries from that cursor on.
  public mutating func found(_ batch: LogBatch, from cursor: UInt64) -> [Effect] {
    guard let waiting = reads.removeValue(forKey: cursor) else { return [] }
    if batch == .forgotten {
      for session in waiting { members[session]?.isReading = false }
      return waiting.flatMap { beginAnew($0) }
    }
    let last: UInt64
    let effect: Effect
    switch batch {
    case .entries(let entries):
      // What became durable a moment ago may be read before it is reported here.
      let known = entries.prefix { $0.cursor <= durable.cursor }
      guard let first = known.first, let end = known.last, first.cursor == cursor,
        end.cursor &- first.cursor &+ 1 == UInt64(known.count)
      else { return logFailed() }
      last = end.cursor
      effect = .feed(to: waiting, RelayMessage.entries(room: number, Array(known)).encoded)
    case .forgotten: return []
    case .segment(let segment):
      guard segment.first == cursor, segment.last <= durable.cursor else { return logFailed() }
      last = segment.last
      effect = .feedSegment(to: waiting, segment)
    }
    for session in waiting {
      members[session]?.isReading = false
      members[session]?.isReady = false
      members[session]?.place = last
    }
    return waiting.isEmpty ? [] : [effect]
  }

  /// Sends new entries to every member that has all before them.
  mutating func broadcast(_ entries: [LogEntry], after before: UInt64) -> [Effect] {
    var live: [UInt64] = []
    for session in order {
      guard let member = members[session], member.claim == nil else { continue }
      guard member.isCaughtUp, member.isReady, !member.isReading, member.place == before else { continue }
      members[session]?.place = durable.cursor
      live.append(session)
    }
    guard !live.isEmpty else { return [] }
    var effects: [Effect] = []
    var batch: [LogEntry] = []
    var bytes = 0
    for entry in entries {
      if !batch.isEmpty, bytes + entry.encodedSizeBound > configuration.batchBytes {
        effects.append(.send(to: live, RelayMessage.entries(room: number, batch).encoded))
        (batch, bytes) = ([], 0)
      }
      batch.append(entry)
      bytes += entry.encodedSizeBound
    }
    effects.append(.send(to: live, RelayMessage.entries(room: number, batch).encoded))
    return effects
  }

  /// Takes a member one step towards the head. Members that lack the same entries share one read and one
  /// message.
  mutating func advance(_ session: UInt64) -> [Effect] {
    guard let member = members[session], member.claim == nil, member.isReady, !member.isReading else {
      return []
    }
    if let progress = member.checkpoint {
      members[session]?.isReading = true
      return [
        .readCheckpoint(
          cursor: progress.cursor, from: progress.next, maximumBytes: configuration.batchBytes, for: session)
      ]
    }
    if member.place == durable.cursor {
      guard !member.isCaughtUp else { return tellAnnouncement(to: session) }
      members[session]?.isCaughtUp = true
      let message = RelayMessage.caughtUp(room: number, cursor: durable.cursor, digest: durable.digest)
      // First what may be objected to: who comes for a moment leaves when it has caught up.
      return tellAnnouncement(to: session) + [.send(to: [session], message.encoded)] + askToConfirm(session)
    }
    if member.place + 1 < log.oldest { return beginAnew(session) }
    members[session]?.isReading = true
    let from = member.place + 1
    if reads[from] != nil {
      reads[from]?.append(session)
      return []
    }
    reads[from] = [session]
    return [.read(from: from, maximumBytes: configuration.batchBytes)]
  }
}
