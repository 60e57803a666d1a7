import RopewalkCore
import RopewalkSync

/// A relay without sockets, whose disk keeps what was committed and forgets the rest in a crash.
final class SimulatedRelay {
  private let world: World
  private var disk: [RoomName: [RelayRoom.NewEntry]] = [:]
  private var backup: [RoomName: [RelayRoom.NewEntry]] = [:]
  private var forgetting: [RoomName: SimulatedForgetting] = [:]
  private var forgettingBackup: [RoomName: SimulatedForgetting] = [:]
  private var staged: [(room: RoomName, entry: RelayRoom.NewEntry)] = []
  private var isCommitting = false
  private var rooms: [RoomName: RelayRoom] = [:]
  private var names: [RoomNumber: RoomName] = [:]
  private var sessions: [UInt64: RelaySession] = [:]
  private var links: [UInt64: SimulatedLink] = [:]
  /// Headers of pushes, so that an acknowledgement can be checked.
  private var pushed: [UInt64: [UInt64: EntryHeader]] = [:]
  private var nextSession: UInt64 = 1
  private var nextNumber: UInt32 = 1
  private var isRunning = true
  /// What was under way in an earlier life does nothing.
  private var life = 0
  private let roomConfiguration: RelayRoom.Configuration
  private let sessionConfiguration: RelaySession.Configuration

  init(world: World) {
    self.world = world
    var limits = Limits()
    limits.pushWindow = UInt32.random(in: 1...6, using: &world.random)
    limits.pushesPerSecond = world.random.chance(0.3) ? 20 : 0
    var configuration = RelayRoom.Configuration(
      limits: limits, batchBytes: Int.random(in: 100...1500, using: &world.random),
      coverageBound: Int.random(in: 1...60, using: &world.random),
      checkpointInterval: world.plan.forgets ? UInt64.random(in: 3...40, using: &world.random) : 4096)
    configuration.checkpointPatience = world.plan.patience
    configuration.checkpointGrace = world.plan.grace
    roomConfiguration = configuration
    sessionConfiguration = RelaySession.Configuration(limits: limits)
    guard world.plan.forgets else { return }
    for room in world.rooms { forgetting[room] = SimulatedForgetting(retention: .days(0)) }
  }

  // MARK: Life

  func start() { isRunning = true }

  /// Everything that is not on the disk is gone.
  func crash() {
    world.count("relay crash")
    life += 1
    isRunning = false
    staged = []
    isCommitting = false
    rooms = [:]
    names = [:]
    sessions = [:]
    for link in links.values.sorted(by: { $0.session < $1.session }) { link.breakAtRelay() }
    links = [:]
    world.after(10...2000) { [self] in start() }
  }

  /// The log is deleted, or put back from an older copy.
  func loseLog() {
    crash()
    if world.random.chance(0.3) {
      world.count("log deleted")
      disk = [:]
      for room in forgetting.keys { forgetting[room] = SimulatedForgetting(retention: .days(0)) }
    } else {
      world.count("log restored")
      swap(&disk, &backup)
      swap(&forgetting, &forgettingBackup)
      if world.random.chance(0.5) { (backup, forgettingBackup) = (disk, forgetting) }
    }
  }

  func connect(_ client: SimulatedClient) -> SimulatedLink? {
    guard isRunning else { return nil }
    let link = SimulatedLink(world: world, client: client, session: nextSession)
    nextSession += 1
    sessions[link.session] = RelaySession(
      id: link.session, configuration: sessionConfiguration, now: world.now)
    links[link.session] = link
    if world.random.chance(0.05) { (backup, forgettingBackup) = (disk, forgetting) }
    tick(link.session)
    return link
  }

  func received(_ bytes: [UInt8], over link: SimulatedLink) {
    if case .push(let push)? = try? ClientMessage(decoding: bytes) {
      pushed[link.session, default: [:]][push.number] = push.header
    }
    withSession(link.session) { $0.received(bytes, now: world.now) }
  }

  func closed(_ link: SimulatedLink) { end(link.session) }

  private func end(_ id: UInt64) {
    guard var session = sessions.removeValue(forKey: id) else { return }
    links[id] = nil
    for number in session.takeRooms() { leave(number, id) }
  }

  private func tick(_ id: UInt64) {
    guard let deadline = sessions[id]?.nextDeadline else { return }
    later(at: deadline) { [self] in
      withSession(id) { $0.tick(now: world.now) }
      tick(id)
    }
  }

  private func later(at time: UInt64, _ act: @escaping () -> Void) {
    let life = life
    world.at(time) { if self.life == life { act() } }
  }

  private func later(_ delay: ClosedRange<UInt64>, _ act: @escaping () -> Void) {
    later(at: world.now + UInt64.random(in: delay, using: &world.random), act)
  }

  // MARK: Sessions

  private func withSession(_ id: UInt64, _ input: (inout RelaySession) -> [RelaySession.Effect]) {
    guard var session = sessions[id] else { return }
    let effects = input(&session)
    sessions[id] = session
    for effect in effects { perform(effect, of: id) }
  }

  private func perform(_ effect: RelaySession.Effect, of id: UInt64) {
    switch effect {
    case .send(let message): links[id]?.sendToClient(message)
    case .verify:
      later(0...50) { [self] in
        let grant = Access.Grant(pattern: Array("room-*".utf8), role: .edit)
        // Some have two clients; but who lies is somebody else.
        let number = links[id]?.client.number ?? 0
        let subject = Array("person \(world.plan.liars > 0 ? number : number % 3)".utf8)
        let access = Access(subject: subject, expires: nil, grants: [grant])
        withSession(id) { $0.verified(access, now: world.now) }
      }
    case .join(let join, let owner, let role): enter(join, owner, role, id)
    case .leave(let number): leave(number, id)
    case .push(let push, let refusal):
      withRoom(push.room) { $0.push(push, refusal: refusal, from: id, now: world.now) }
    case .checkpoint(let checkpoint): withRoom(checkpoint.room) { $0.checkpoint(checkpoint, from: id) }
    case .checkpointDigest(let number, let cursor, let digest):
      withRoom(number) { $0.checkpointDigest(digest, at: cursor, from: id) }
    case .objection(let number, let cursor): withRoom(number) { $0.objection(at: cursor, from: id) }
    case .role(let number, let role): withRoom(number) { $0.setRole(role, of: id) }
    case .retention(let number, let retention):
      withRoom(number) { $0.setRetention(retention, from: id) }
    case .presence(let number, let value): withRoom(number) { $0.setPresence(value, of: id, now: world.now) }
    case .refused: break
    case .close(let error):
      world.faults.append("the relay closed a connection: \(error.text)")
    }
  }

  private func enter(_ join: ClientMessage.Join, _ owner: Owner, _ role: Role, _ id: UInt64) {
    if rooms[join.room] == nil {
      let entries = disk[join.room] ?? []
      let head = entries.last.map { LogHead(cursor: $0.entry.cursor, digest: $0.digest) } ?? .empty
      let number = RoomNumber(rawValue: nextNumber)
      nextNumber += 1
      rooms[join.room] = RelayRoom(
        join.room, number: number, log: logState(join.room, head), configuration: roomConfiguration)
      names[number] = join.room
      withRoom(number) { $0.opened(now: world.now) }
    }
    guard let number = rooms[join.room]?.number else { return }
    sessions[id]?.entered(join.room, as: number)
    withRoom(number) {
      $0.join(
        id, owner: owner, role: role, features: sessions[id]?.features ?? [], cursor: join.cursor,
        digest: join.digest)
    }
    if world.random.chance(0.2) { becomeBusy(number, id) }
  }

  private func becomeBusy(_ number: RoomNumber, _ id: UInt64) {
    world.count("busy")
    withRoom(number) {
      $0.busy(id)
      return []
    }
    later(1...5000) { [self] in withRoom(number) { $0.ready(id) } }
  }

  private func leave(_ number: RoomNumber, _ id: UInt64) {
    withRoom(number) { $0.leave(id, now: world.now) }
    guard let name = names[number], rooms[name]?.isIdle == true else { return }
    world.count("room retired")
    rooms[name] = nil
    names[number] = nil
  }

  // MARK: Rooms

  private func withRoom(_ number: RoomNumber, _ input: (inout RelayRoom) -> [RelayRoom.Effect]) {
    guard let name = names[number], var room = rooms[name] else { return }
    let effects = input(&room)
    rooms[name] = room
    for effect in effects { perform(effect, of: room) }
    if room.hasFailed {
      rooms[name] = nil
      names[number] = nil
      staged.removeAll { $0.room == name }
    } else if let deadline = room.nextDeadline {
      later(at: deadline) { [self] in withRoom(number) { $0.tick(now: world.now) } }
    }
  }

  private func perform(_ effect: RelayRoom.Effect, of room: RelayRoom) {
    let (name, number) = (room.name, room.number)
    switch effect {
    case .send(let ids, let message):
      for id in ids { links[id]?.sendToClient(message) }
      if world.random.chance(0.02), let id = ids.first { becomeBusy(number, id) }
    case .feed(let ids, let message):
      world.count("fed from the log")
      for id in ids {
        links[id]?.sendToClient(message)
        later(1...200) { [self] in withRoom(number) { $0.ready(id) } }
      }
    case .feedSegment(let ids, let segment):
      world.count("fed a segment")
      for id in ids {
        // As an envelope whose codec does nothing.
        links[id]?.sendToClient(segment.messageHead(room: number) + segment.frame)
        later(1...200) { [self] in withRoom(number) { $0.ready(id) } }
      }
    case .answer(let id, let message, let pushes, let bytes):
      sessions[id]?.answered(pushes: pushes, bytes: bytes)
      checkAcknowledgement(message, to: id, name)
      if !message.isEmpty { links[id]?.sendToClient(message) }
    case .refused: break
    case .remove(let id, _, let message):
      sessions[id]?.left(number)
      links[id]?.sendToClient(message)
    case .append(let entry):
      staged.append((name, entry))
      scheduleCommit()
    case .note(let note): world.count("checkpoint \(note.act)")
    case .change(let change): self.change(change, name, number)
    case .readCheckpoint(let cursor, let first, let maximumBytes, let id):
      answerLater(number) { [self] in
        let batch = forgetting[name]?.batch(cursor, from: first, count: max(1, maximumBytes / 300))
        world.count(batch == nil ? "checkpoint replaced meanwhile" : "checkpoint sent")
        return $0.foundCheckpoint(batch, for: id)
      }
    case .findDigest(let cursor):
      answerLater(number) { [self] in
        $0.foundDigest(
          cursor < oldest(name) ? nil : disk[name]?.dropFirst(Int(cursor) - 1).first?.digest, at: cursor)
      }
    case .findSoleAuthor(let cursor): answerLater(number) { $0.foundSoleAuthor(nil, through: cursor) }
    case .findCoverage(let key):
      world.count("coverage looked up")
      answerLater(number) { [self] in
        let oldest = oldest(name)
        let entries = (disk[name] ?? []).filter {
          CoverageKey($0.entry.header) == key && $0.entry.cursor >= oldest
        }.map {
          CoveredRange(
            seqs: $0.entry.header.span.seqs, cursor: $0.entry.cursor, payloadHash: $0.payloadHash)
        }
        return $0.foundCoverage(
          entries + (forgetting[name]?.coverage(of: key, besides: entries) ?? []),
          owner: disk[name]?.first { $0.entry.header.span.replica == key.replica }?.owner, of: key)
      }
    case .read(let cursor, let maximumBytes):
      answerLater(number) { [self] in
        if cursor < oldest(name) {
          world.count("read what was forgotten")
          return $0.found(.forgotten, from: cursor)
        }
        let rest = (disk[name] ?? []).dropFirst(Int(cursor) - 1).map { $0.entry }
        // Old log is folded by four.
        if cursor % 4 == 1, rest.count > 8 {
          let entries = Array(rest.prefix(4))
          let content = LogSegment.content(of: entries)
          return $0.found(
            .segment(LogSegment(first: cursor, count: 4, size: content.count, frame: content)), from: cursor)
        }
        return $0.found(.entries(Array(rest.prefix(max(1, maximumBytes / 100)))), from: cursor)
      }
    }
  }

  private func oldest(_ room: RoomName) -> UInt64 { forgetting[room]?.oldest ?? 1 }

  private func logState(_ room: RoomName, _ head: LogHead) -> LogState {
    let kept = forgetting[room] ?? SimulatedForgetting()
    return LogState(
      head: head, oldest: kept.oldest, checkpoint: kept.checkpoint, announced: kept.announced,
      retention: kept.retention)
  }

  private func change(_ change: LogChange, _ room: RoomName, _ number: RoomNumber) {
    forgetting[room, default: SimulatedForgetting()].perform(change)
    switch change {
    case .forget: world.count("forgot")
    default: break
    }
    later(0...30) { [self] in
      withRoom(number) { $0.changed(logState(room, .empty), now: world.now) }
    }
  }

  private func answerLater(_ number: RoomNumber, _ input: @escaping (inout RelayRoom) -> [RelayRoom.Effect]) {
    later(0...100) { [self] in
      if !world.isHealing, world.random.chance(0.005) {
        world.count("read failed")
        withRoom(number) { $0.logFailed() }
      } else {
        withRoom(number, input)
      }
    }
  }

  /// Group commit: what has gathered goes to the disk together, and the rooms hear of it a little later.
  private func scheduleCommit() {
    guard !isCommitting else { return }
    isCommitting = true
    later(1...80) { [self] in
      isCommitting = false
      let batch = staged
      staged = []
      if !world.isHealing, world.random.chance(0.01) {
        world.count("commit failed")
        for name in Set(batch.map(\.room)).sorted() {
          if let room = rooms[name] { withRoom(room.number) { $0.logFailed() } }
        }
        return
      }
      for (room, entry) in batch { disk[room, default: []].append(entry) }
      for name in Set(batch.map(\.room)).sorted() {
        guard let room = rooms[name], let last = batch.last(where: { $0.room == name }) else { continue }
        later(0...20) { [self] in
          withRoom(room.number) { $0.appended(through: last.entry.entry.cursor) }
        }
      }
    }
  }

  // MARK: Checks

  private func checkAcknowledgement(_ message: [UInt8], to id: UInt64, _ room: RoomName) {
    guard case .acknowledged(_, let acknowledgements)? = try? RelayMessage(decoding: message) else { return }
    for acknowledgement in acknowledgements {
      let entry = disk[room]?.dropFirst(Int(acknowledgement.cursor) - 1).first?.entry
      if entry?.header != pushed[id]?[acknowledgement.push] {
        world.faults.append("an acknowledged push is not on the disk")
      }
    }
  }

  /// Dense cursors, a true digest, every event once.
  func checkLog(of room: RoomName) {
    if let fault = forgetting[room]?.fault(disk[room] ?? []) { world.faults.append(fault) }
    var digest = LogDigest.zero
    var seen: Set<EventName> = []
    var owners: [ReplicaID: [UInt8]] = [:]
    for (index, stored) in (disk[room] ?? []).enumerated() {
      let entry = stored.entry
      digest = entry.digest(after: digest)
      if entry.cursor != UInt64(index + 1) { world.faults.append("cursor \(entry.cursor) is not dense") }
      if digest != stored.digest { world.faults.append("the digest at \(entry.cursor) is wrong") }
      if owners[entry.header.span.replica, default: entry.subject] != entry.subject {
        world.faults.append("two people have written under one id")
      }
      owners[entry.header.span.replica] = entry.subject
      for seq in entry.header.span.seqs {
        let name = EventName(key: CoverageKey(entry.header), seq: seq)
        if !seen.insert(name).inserted { world.faults.append("an event is twice in the log") }
      }
    }
  }

  func contents(of room: RoomName) -> [CoverageKey: [UInt32: UInt32]] {
    var contents: [CoverageKey: [UInt32: UInt32]] = [:]
    for stored in disk[room] ?? [] {
      let header = stored.entry.header
      contents[CoverageKey(header), default: [:]].merge(
        Payload.contents(stored.entry.payload, of: header.span.seqs)
      ) { _, new in new }
    }
    return contents
  }
}

struct EventName: Hashable {
  let key: CoverageKey
  let seq: UInt32
}

/// Payloads of the simulation: four bytes of content per event, so that a span's bytes are canonical.
enum Payload {
  static func bytes(_ contents: [UInt32]) -> [UInt8] {
    contents.flatMap { content in (0..<4).map { UInt8(truncatingIfNeeded: content >> (8 * $0)) } }
  }

  static func contents(_ bytes: [UInt8], of seqs: Range<UInt32>) -> [UInt32: UInt32] {
    var contents: [UInt32: UInt32] = [:]
    for (index, seq) in seqs.enumerated() {
      contents[seq] = (0..<4).reduce(0) { $0 | UInt32(bytes[4 * index + $1]) << (8 * UInt32($1)) }
    }
    return contents
  }
}
