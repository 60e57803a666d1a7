import RopewalkCore
import RopewalkSync

/// A relay, clients and links between them, in a time of their own. All chance comes from one seed.
final class World {
  struct Plan {
    var clients = 4
    var rooms = 2
    /// How long faults happen, in simulated milliseconds.
    var faultTime: UInt64 = 20_000
    /// How long everything may take to come together afterwards.
    var healingTime: UInt64 = 240_000
    var losesLogs = false
    var copiesStores = false
    /// Checkpoints are made, and what they hold is forgotten.
    var forgets = false
    /// The first client pushes whatever it likes under others' replica ids.
    var isHostile = false
    /// How many of the clients lie about checkpoints, all in the same way, and object to true ones now and then.
    var liars = 0
    /// How long the relay waits for who was asked, and how long a checkpoint is announced, in milliseconds.
    var patience: UInt64 = 1000
    var grace: UInt64 = 1000
  }

  let plan: Plan
  var random: SeededRandom
  private(set) var now: UInt64 = 1_000_000
  private var queue: [(time: UInt64, order: UInt64, act: () -> Void)] = []
  private var nextOrder: UInt64 = 0
  private(set) var rooms: [RoomName] = []
  private(set) var relay: SimulatedRelay!
  private(set) var clients: [SimulatedClient] = []
  private(set) var isHealing = false
  /// What went wrong; empty at the end of a good run.
  var faults: [String] = []
  /// Everything that was ever written, by its content.
  var written: [RoomName: Set<UInt32>] = [:]
  private var nextContent: UInt32 = 1
  /// How often something interesting happened, so that a test can see that it did.
  var counts: [String: Int] = [:]

  init(_ plan: Plan, seed: UInt64) {
    self.plan = plan
    random = SeededRandom(seed: seed)
    rooms = (0..<plan.rooms).map { RoomName("room-\($0)")! }
    relay = SimulatedRelay(world: self)
    clients = (0..<plan.clients).map {
      SimulatedClient($0, world: self, isLiar: $0 >= plan.clients - plan.liars)
    }
  }

  func after(_ delay: ClosedRange<UInt64>, _ act: @escaping () -> Void) {
    at(now + UInt64.random(in: delay, using: &random), act)
  }

  func at(_ time: UInt64, _ act: @escaping () -> Void) {
    let entry = (time: max(time, now), order: nextOrder, act: act)
    nextOrder += 1
    var (low, high) = (0, queue.count)
    while low < high {
      let middle = (low + high) / 2
      if (queue[middle].time, queue[middle].order) > (entry.time, entry.order) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    queue.insert(entry, at: low)
  }

  func newContent(in room: RoomName) -> UInt32 {
    defer { nextContent += 1 }
    written[room, default: []].insert(nextContent)
    return nextContent
  }

  /// Content that nobody misses.
  func foreignContent() -> UInt32 {
    defer { nextContent += 1 }
    return nextContent
  }

  func count(_ what: String) { counts[what, default: 0] += 1 }

  /// Faults for a while, then peace until all has come together.
  func run() {
    for client in clients { client.begin() }
    scheduleFault()
    let healing = now + plan.faultTime
    run(until: healing)
    isHealing = true
    relay.start()
    for client in clients { client.heal() }
    run(until: healing + plan.healingTime)
    check()
  }

  private func run(until end: UInt64) {
    while let next = queue.last, next.time <= end, faults.isEmpty {
      queue.removeLast()
      now = next.time
      next.act()
    }
    now = end
  }

  private func scheduleFault() {
    after(50...1500) { [self] in
      guard !isHealing else { return }
      switch Int.random(in: 0..<10, using: &random) {
      case 0, 1: relay.crash()
      case 2 where plan.losesLogs: relay.loseLog()
      case 3, 4: clients.randomElement(using: &random)?.crash()
      case 5...7 where plan.copiesStores: copyStore()
      default: clients.randomElement(using: &random)?.loseConnection()
      }
      scheduleFault()
    }
  }

  /// Somebody's file is put in place of another's, of which others have everything: a log that is put back from an older
  /// copy may have lost what is in no other file.
  private func copyStore() {
    guard let from = clients.randomElement(using: &random), let to = clients.randomElement(using: &random),
      from !== to, to.hasNothingUnsent,
      rooms.allSatisfy({ others(than: to, have: to.contents(of: $0), in: $0) })
    else { return }
    count("copy")
    to.crash(takingOver: from)
  }

  private func others(
    than client: SimulatedClient, have contents: [CoverageKey: [UInt32: UInt32]], in room: RoomName
  ) -> Bool {
    var known: Set<UInt32> = []
    for other in clients where other !== client {
      for events in other.contents(of: room).values { known.formUnion(events.values) }
    }
    return contents.values.allSatisfy { known.isSuperset(of: $0.values) }
  }

  private func check() {
    for room in rooms {
      relay.checkLog(of: room)
      let expected = clients[0].contents(of: room)
      for client in clients where !client.isLiar {
        let found = client.contents(of: room)
        if let key = Set(found.keys).union(expected.keys).first(where: { found[$0] != expected[$0] }) {
          let (has, first) = (found[key]?.keys.sorted() ?? [], expected[key]?.keys.sorted() ?? [])
          faults.append(
            "client \(client.number) differs in \(room.text): of \(key.replica.rawValue) in "
              + "\(key.document.name.text) it has \(has), the first client \(first)")
        }
        if client.outboxCount(of: room) > 0 { faults.append("client \(client.number) still has unsent work") }
      }
      let contents = Set(expected.values.flatMap { $0.values })
      if !contents.isSuperset(of: written[room] ?? []) { faults.append("something written is missing") }
      if relay.contents(of: room) != expected { faults.append("the log is not what the clients have") }
    }
  }
}
