/// One connection: two queues that keep their order. When it breaks, what is under way to the relay may still arrive,
/// and the relay notices later than the client, who may have a new connection by then.
final class SimulatedLink {
  private let world: World
  let client: SimulatedClient
  let session: UInt64
  private var isOpenAtClient = true
  private(set) var isOpenAtRelay = true
  private var lastToRelay: UInt64 = 0
  private var lastToClient: UInt64 = 0

  init(world: World, client: SimulatedClient, session: UInt64) {
    self.world = world
    self.client = client
    self.session = session
  }

  func sendToRelay(_ bytes: [UInt8]) {
    lastToRelay = max(lastToRelay, world.now + delay)
    world.at(lastToRelay) { [self] in
      if isOpenAtRelay { world.relay.received(bytes, over: self) }
    }
  }

  func sendToClient(_ bytes: [UInt8]) {
    lastToClient = max(lastToClient, world.now + delay)
    world.at(lastToClient) { [self] in
      if isOpenAtClient { client.received(bytes, over: self) }
    }
  }

  /// The client's side is gone at once; the relay hears of it some time later.
  func breakAtClient() {
    guard isOpenAtClient else { return }
    isOpenAtClient = false
    world.after(0...3000) { [self] in closeAtRelay() }
  }

  /// The relay's side is gone; the client hears of it after what was sent, or a while later.
  func breakAtRelay() {
    guard isOpenAtRelay else { return }
    isOpenAtRelay = false
    lastToClient = max(lastToClient, world.now + delay)
    world.at(lastToClient) { [self] in closeAtClient() }
  }

  private func closeAtRelay() {
    guard isOpenAtRelay else { return }
    isOpenAtRelay = false
    world.relay.closed(self)
  }

  private func closeAtClient() {
    guard isOpenAtClient else { return }
    isOpenAtClient = false
    client.closed(self)
  }

  private var delay: UInt64 {
    world.random.chance(0.05)
      ? .random(in: 100...2000, using: &world.random) : .random(in: 1...60, using: &world.random)
  }
}
