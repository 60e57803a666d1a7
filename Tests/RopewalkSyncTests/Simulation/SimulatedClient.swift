import RopewalkCore
import RopewalkSync

/// A client without a socket: writes now and then, and does with each effect what its documentation says.
final class SimulatedClient {
  let number: Int
  /// Makes and confirms checkpoints that are not what the log holds.
  let isLiar: Bool
  private let world: World
  private var stores: [RoomName: SimulatedStore] = [:]
  private var session: ClientSession?
  private var link: SimulatedLink?
  /// In memory only: what was sent in this session, and what waits for the log to be applied.
  private var inFlight: [RoomName: Set<EntryHeader>] = [:]
  private var held: [RoomName: [CoverageKey: UInt64]] = [:]
  private var presence: [RoomName: [UInt64: [UInt8]]] = [:]

  init(_ number: Int, world: World, isLiar: Bool = false) {
    self.number = number
    self.isLiar = isLiar
    self.world = world
    for room in world.rooms { stores[room] = SimulatedStore() }
  }

  func contents(of room: RoomName) -> [CoverageKey: [UInt32: UInt32]] { stores[room]?.events ?? [:] }
  func outboxCount(of room: RoomName) -> Int { stores[room]?.outbox.count ?? 0 }
  var hasNothingUnsent: Bool { stores.values.allSatisfy { $0.outbox.isEmpty && !$0.needsOffer } }

  // MARK: Life

  func begin() {
    scheduleWriting()
    scheduleConnecting(0...500)
  }

  func heal() { if session == nil { scheduleConnecting(0...500) } }

  func loseConnection() {
    world.count("connection lost")
    link?.breakAtClient()
    end()
  }

  /// The process dies and is started again; what is stored stays, or is another's file.
  func crash(takingOver other: SimulatedClient? = nil) {
    loseConnection()
    if let other {
      stores = other.stores
      // Now and then the rule that an opened file draws a new id is broken, which must show as a clash.
      if world.random.chance(0.5) { return }
    }
    for room in world.rooms { stores[room]?.author = nil }
  }

  private func end() {
    session?.disconnected()
    session = nil
    link = nil
    inFlight = [:]
    held = [:]
    presence = [:]
    scheduleConnecting(50...3000)
  }

  private func scheduleConnecting(_ delay: ClosedRange<UInt64>) {
    world.after(delay) { [self] in
      guard session == nil else { return }
      guard let link = world.relay.connect(self) else { return scheduleConnecting(50...3000) }
      self.link = link
      var session = ClientSession(
        ClientSession.Configuration(pushWindow: Int.random(in: 1...8, using: &world.random)))
      var effects = session.connected(now: world.now)
      for (room, store) in stores.sorted(by: { $0.key < $1.key }) {
        effects += session.join(room, cursor: store.cursor, digest: store.digest, now: world.now)
      }
      self.session = session
      for effect in effects { perform(effect) }
      scheduleTick()
    }
  }

  private func scheduleTick() {
    guard let deadline = session?.nextDeadline, let link else { return }
    world.at(deadline) { [self] in
      guard self.link === link else { return }
      withSession { $0.tick(now: world.now) }
      scheduleTick()
    }
  }

  func closed(_ link: SimulatedLink) { if self.link === link { end() } }

  func received(_ bytes: [UInt8], over link: SimulatedLink) {
    guard self.link === link else { return }
    withSession { $0.received(bytes, now: world.now) }
  }

  private func withSession(_ input: (inout ClientSession) -> [ClientSession.Effect]) {
    guard var session else { return }
    self.session = nil
    let effects = input(&session)
    self.session = session
    for effect in effects where self.session != nil { perform(effect) }
  }

  // MARK: Writing

  private func scheduleWriting() {
    world.after(20...1500) { [self] in
      guard !world.isHealing, let room = world.rooms.randomElement(using: &world.random) else { return }
      let count = Int.random(in: 1...6, using: &world.random)
      let contents = (0..<count).map { _ in world.newContent(in: room) }
      let document = DocumentKey(
        name: DocumentName("doc-\(Int.random(in: 0..<2, using: &world.random))")!, lineage: .blank)
      let author = stores[room]?.author ?? newID()
      stores[room]?.author = author
      stores[room]?.write(contents, to: document, as: author)
      pushOutbox(of: room)
      if number == 0, world.plan.isHostile, world.random.chance(0.5) { forge(in: room, of: document) }
      if world.random.chance(0.3) {
        withSession { $0.setPresence([UInt8(number)], in: room, now: world.now) }
      }
      scheduleWriting()
    }
  }

  /// Pushes something under the id of somebody else, where that goes on, before, or far ahead.
  private func forge(in room: RoomName, of document: DocumentKey) {
    guard let victim = world.clients.randomElement(using: &world.random), victim !== self,
      let author = victim.stores[room]?.author
    else { return }
    let key = CoverageKey(document: document, replica: author)
    let next = victim.stores[room]?.events[key]?.keys.max().map { $0 + 1 } ?? 0
    let first = [0, next, next, next + 10].randomElement(using: &world.random) ?? next
    let contents = (0..<Int.random(in: 1...5, using: &world.random)).map { _ in world.foreignContent() }
    let span = EventSpan(replica: author, seqs: first..<first + UInt32(contents.count))
    let header = EntryHeader(document: document, span: span)
    guard session?.canPush(to: room, now: world.now) == true, inFlight[room]?.contains(header) != true else {
      return
    }
    world.count("forged")
    inFlight[room, default: []].insert(header)
    withSession { $0.push(header, payload: Payload.bytes(contents), to: room, now: world.now) }
  }

  private func newID() -> ReplicaID { ReplicaID(rawValue: world.random.next()) }

  private func pushOutbox(of room: RoomName) {
    for row in stores[room]?.outbox ?? [] {
      guard session?.canPush(to: room, now: world.now) == true else { return }
      guard inFlight[room]?.contains(row.header) != true, held[room]?[CoverageKey(row.header)] == nil else {
        continue
      }
      inFlight[room, default: []].insert(row.header)
      withSession { $0.push(row.header, payload: row.payload, to: room, now: world.now) }
    }
  }

  // MARK: Effects

  private func perform(_ effect: ClientSession.Effect) {
    switch effect {
    case .send(let bytes): link?.sendToRelay(bytes)
    case .welcomed, .joined, .roleChanged, .tokenAccepted: break
    case .restart(let room):
      world.count("restart")
      held[room] = [:]
      stores[room]?.restart()
    case .deliver(let room, let entries, let cursor, let digest):
      stores[room]?.endCheckpoint(isWhole: false)
      for entry in entries {
        stores[room]?.apply(entry) {
          world.count("re-authored")
          return newID()
        }
      }
      stores[room]?.cursor = cursor
      stores[room]?.digest = digest
      release(room)
    case .checkpoint(let room, let batch):
      world.count("checkpoint taken")
      if batch.first == 0 { stores[room]?.endCheckpoint(isWhole: false) }
      stores[room]?.isTakingCheckpoint = true
      for part in batch.parts {
        stores[room]?.apply(part.entry, tip: part.part.tip) {
          world.count("re-authored")
          return newID()
        }
        stores[room]?.recut(CoverageKey(part.part.header))
      }
      guard batch.isLast else { return }
      stores[room]?.endCheckpoint(isWhole: true)
      stores[room]?.cursor = batch.head.cursor
      stores[room]?.digest = batch.head.digest
      release(room)
    case .checkpointWanted(let room, let cursor, let isWhole):
      guard let parts = checkpoint(of: room, at: cursor) else { return }
      if isWhole {
        withSession { $0.sendCheckpoint(parts, of: room, at: cursor, maximumBytes: 200, now: world.now) }
      } else {
        let digest = Checkpoint.digest(of: parts)
        withSession { $0.sendCheckpointDigest(digest, of: room, at: cursor, now: world.now) }
      }
    case .checkpointAnnounced(let room, let cursor, let digest):
      guard let found = checkpoint(of: room, at: cursor).map({ Checkpoint.digest(of: $0) }) else { return }
      // Who lies cannot bear the truth, now and then.
      guard found != digest, !isLiar || world.random.chance(0.1) else { return }
      withSession { $0.sendObjection(to: cursor, of: room, now: world.now) }
    case .retention: break
    case .caughtUp(let room, _):
      if stores[room]?.needsOffer == true { stores[room]?.offer() }
      pushOutbox(of: room)
    case .pushReady(let room): pushOutbox(of: room)
    case .acknowledged(let room, _, let cursor):
      // The row stays, and counts as in flight, until its entry has come.
      if cursor <= stores[room]?.cursor ?? 0 { world.count("acknowledged after its entry") }
    case .refused(let room, let header, let refusal): refused(room, header, refusal)
    case .presence(let room, let isComplete, let values):
      if isComplete { presence[room] = [:] }
      for value in values { presence[room, default: [:]][value.session] = value.value }
    case .left(let room, let error):
      guard error.code == .unavailable else {
        world.faults.append("client \(number) was sent away: \(error.text)")
        return
      }
      world.count("sent away")
      inFlight[room] = []
      held[room] = [:]
      let link = link
      world.after(500...3000) { [self] in
        guard self.link === link, let store = stores[room] else { return }
        withSession { $0.join(room, cursor: store.cursor, digest: store.digest, now: world.now) }
      }
    case .close(let error):
      if error.code != .timedOut { world.faults.append("client \(number) closed: \(error.text)") }
      link?.breakAtClient()
      end()
    }
  }

  /// Of a liar, with other content in the first and no last part, if there are two.
  private func checkpoint(of room: RoomName, at cursor: UInt64) -> [CheckpointPart]? {
    guard let parts = stores[room]?.checkpoint(at: cursor), isLiar, let first = parts.first else {
      return stores[room]?.checkpoint(at: cursor)
    }
    world.count("lie")
    let garbage = CheckpointPart(
      cursor: first.cursor, tip: first.tip, header: first.header, payload: first.payload.map { $0 ^ 0x55 })
    return [garbage] + parts.dropFirst().dropLast()
  }

  private func refused(_ room: RoomName, _ header: EntryHeader, _ refusal: Refusal) {
    inFlight[room]?.remove(header)
    switch refusal {
    case .covered(_, let cursor), .idClash(let cursor):
      if case .idClash = refusal { world.count("id clash") } else { world.count("covered") }
      let key = CoverageKey(header)
      held[room, default: [:]][key] = max(cursor, held[room]?[key] ?? 0)
      release(room)
    case .ownedByAnother:
      world.count("owned by another")
      world.count("re-authored")
      stores[room]?.disown(header, as: newID())
      pushOutbox(of: room)
    case .overloaded: world.count("overloaded")
    case .overtaken: world.count("overtaken")
    case .forbidden, .tooLarge: world.faults.append("client \(number) was refused")
    }
  }

  /// What waited for the log to be applied so far is cut anew.
  private func release(_ room: RoomName) {
    guard let cursor = stores[room]?.cursor else { return }
    for (key, through) in held[room] ?? [:] where through <= cursor {
      held[room]?[key] = nil
      stores[room]?.recut(key)
    }
    pushOutbox(of: room)
  }
}
