import RopewalkCore
import RopewalkReplica
import RopewalkSync
import RopewalkZstd

extension Client {
  /// The WebSocket is open: greets and joins.
  func begin() {
    let identity: [UInt8]
    do { identity = try replica.identity(at: address.authority.lowercased()) } catch { return fail(error) }
    var session = ClientSession(
      ClientSession.Configuration(
        token: Array((token ?? "").utf8), codecs: .zstd, agent: Self.agent(options.agent),
        identity: identity))
    let effects = session.connected(now: options.now())
    self.session = session
    perform(effects)
    arm()
  }

  /// At most 64 bytes, and no part of a character.
  private static func agent(_ name: String) -> [UInt8] {
    var name = name
    while name.utf8.count > 64 { name.removeLast() }
    return Array(name.utf8)
  }

  /// Joins a room over the connection there is, from what is stored of its log.
  func joinNow(_ room: RoomName) {
    guard rooms[room] != nil, var session, session.state == .open else { return }
    turns += 1
    rooms[room]?.turn = turns
    let stored: RoomStatus
    do { stored = try replica.status(of: room) } catch { return fail(error) }
    let effects = session.join(room, cursor: stored.cursor, digest: stored.digest, now: options.now())
    self.session = session
    perform(effects)
    renewPresence(in: room)
  }

  /// Takes in one message from the socket, to its end. The relay is not silent meanwhile: what it says waits.
  func received(_ bytes: [UInt8]) async {
    while let takingIn { await takingIn.value }
    guard var session, ending == nil else { return }
    let message: [UInt8]
    do {
      message = try Envelope.open(
        bytes, largestMessage: WebSocketTransport.largestMessage, takesSegments: true
      ) {
        try? Zstd.decompress(Array($0), maximumBytes: $1)
      }
    } catch {
      let fault = ProtocolError(
        .protocolViolation, retry: .after(milliseconds: 5000), "The relay sent a damaged message.")
      return end(.failed(.refused(room: nil, fault), pause: 5000), code: fault.code.closeCode)
    }
    let effects = session.received(message, now: options.now())
    self.session = session
    isWorking = true
    await work(effects)
    isWorking = false
    self.session?.heard(now: options.now())
    evaluateInTime()
    arm()
  }

  /// The replica failed: the connection is of no use until it works again.
  func fail(_ error: ReplicaError) {
    for waiter in waiters.keys { resume(waiter, .failure(.replica(error))) }
    if error == .closed { return disconnect(because: .replica(error)) }
    end(.failed(.replica(error), pause: 1000))
  }

  // MARK: Time

  /// Sets the timer for the session's next deadline.
  func arm() {
    guard let sessions = session?.nextDeadline, ending == nil else { return }
    let now = options.now()
    var deadline = min(sessions, nextMoves ?? .max, nextDisowning ?? .max, nextTakingIn ?? .max)
    if evaluation.isDue { deadline = min(deadline, evaluation.notBefore) }
    if let timer, timer.deadline <= deadline { return }
    timer?.task.cancel()
    let (epoch, sleep) = (epoch, options.sleep)
    let task = Task { [weak self] in
      do { try await sleep(deadline > now ? deadline - now : 0) } catch { return }
      await self?.tick(epoch, deadline)
    }
    timer = (deadline, task)
  }

  private func tick(_ epoch: UInt64, _ deadline: UInt64) {
    guard epoch == self.epoch, timer?.deadline == deadline, var session, ending == nil else { return }
    timer = nil
    if isWorking { session.heard(now: options.now()) }
    let effects = session.tick(now: options.now())
    self.session = session
    perform(effects)
    takeInGathered()
    disownCarried()
    evaluate()
    arm()
  }

  // MARK: Sending

  func send(_ message: [UInt8]) {
    guard let connection else { return }
    let mayCompress = session?.welcome?.codecs.contains(.zstd) == true
    if mayCompress, message.count >= 512 {
      let frame = Zstd.compress(message)
      if frame.count < message.count {
        return connection.send(Envelope.zstd(frame: frame, size: message.count))
      }
    }
    connection.send(Envelope.plain(message))
  }

  // MARK: Pushing

  /// Pushes what the outboxes hold, as far as the window allows.
  func pushEverything() {
    guard session != nil, ending == nil else { return }
    do {
      for room in try replica.outboxStandings().keys.sorted() where rooms[room] != nil { push(room) }
    } catch { return fail(error) }
    evaluateInTime()
    arm()
  }

  /// Pushes the outboxes of some rooms, as far as the window allows.
  func push(_ ready: [RoomName]) {
    if ready.count == 1 { return push(ready[0]) }
    // Looking into each costs a transaction, and few of many have something to send.
    let outboxes: [RoomName: OutboxStanding]
    do { outboxes = try replica.outboxStandings() } catch { return fail(error) }
    for room in ready where outboxes[room]?.waiting ?? 0 > 0 { push(room) }
  }

  /// Pushes a room's outbox, as far as the window allows.
  func push(_ room: RoomName) {
    if let role = session?.role(in: room), role < .edit { return forbid(room) }
    // Rows whose header is on its way with other bytes.
    var waiting: Set<Int64> = []
    while let session, ending == nil, session.canPush(to: room, now: options.now()), let state = rooms[room] {
      let cuts: [OutboxCut]
      do {
        cuts = try replica.cuts(
          in: room, maximumBytes: options.largestUpdate, largest: Int(session.limits.largestPayload),
          limit: 16, going: state.going, excluding: state.withheld.union(waiting))
      } catch { return fail(error) }
      if cuts.isEmpty { return }
      for cut in cuts {
        if rooms[room]?.inFlight[cut.header] != nil {
          // What follows it was cut to go after it.
          waiting.insert(cut.id)
          break
        }
        guard push(cut, room) else { return }
        // It is too large to be sent at all, and what follows it stays too.
        if rooms[room]?.inFlight[cut.header] == nil { break }
      }
    }
  }

  /// Whether the window had room.
  private func push(_ cut: OutboxCut, _ room: RoomName) -> Bool {
    let now = options.now()
    guard var session, session.canPush(to: room, now: now) else { return false }
    rooms[room]?.pushed(cut.header, row: cut.id)
    rotation.touch(room, now: now)
    let effects = session.push(cut.header, payload: cut.payload, to: room, now: now)
    self.session = session
    perform(effects)
    return ending == nil
  }
}
