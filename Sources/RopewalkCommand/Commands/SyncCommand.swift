import ArgumentParser
import Ropewalk
import RopewalkSync

/// Exchanges once with a relay.
struct SyncCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync",
    abstract: "Exchange once with the relay: send what is unsent, fetch what is new, exit.",
    discussion: "Makes the replica if there is none. Without --room, all rooms that the replica knows.")

  @OptionGroup var replica: ReplicaArgument
  @OptionGroup var relay: RelayOptions

  @Option(name: .customLong("room"), help: "A room to exchange; repeatable.")
  var rooms: [NameArgument] = []

  func run() async throws {
    let replica = try ReplicaPath.replica(at: replica.path)
    let known = try replica.rooms().map(\.room)
    let named = try rooms.map { argument in
      guard let name = RoomName(argument.text) else { throw ReplicaError.invalidRoomName }
      return name
    }
    let wanted = named.isEmpty ? known : named
    if wanted.isEmpty { throw Failure(.usage, "the replica knows no room yet; name one with --room") }
    let before = try Self.eventCounts(replica)
    let unsent = try replica.rooms().filter { wanted.contains($0.room) }.reduce(0) {
      $0 + $1.unsentEventCount
    }
    let client = try Client(
      replica: replica, relay: relay.url, token: try relay.presentedToken(),
      options: relay.clientOptions)
    let events = client.events()
    let telling = Console.standard.tellWaits(client.events())
    defer { telling.cancel() }
    for room in wanted { try await client.join(room.text) }
    var refusal: ClientError?
    do throws(ClientError) {
      try await client.sync()
    } catch {
      await client.close()
      switch error {
      // All else was exchanged.
      case .pushRefused, .refused(.some, _): refusal = error
      default: throw error
      }
    }
    await client.close()
    for room in named { try replica.note(room.text) }
    var fetched = 0
    for (key, count) in try Self.eventCounts(replica) { fetched += count - (before[key] ?? 0) }
    let left = try replica.rooms().filter { wanted.contains($0.room) }.reduce(0) {
      $0 + $1.unsentEventCount
    }
    Console.standard.line(
      "sent \(Wording.count(max(0, unsent - left), "event")), fetched \(Wording.count(fetched, "event"))")
    for await event in events {
      if case .reauthored(let moved) = event { Console.standard.problem(Wording.reauthored(moved)) }
    }
    for held in try replica.held() where wanted.contains(held.room) {
      Console.standard.problem("\(held.room.shown): kept aside: \(Wording.held(held))")
    }
    if let refusal {
      for room in wanted {
        let refused = try replica.refused(in: room.text)
        for key in Set(refused.map(\.key)).sorted() {
          let own = refused.filter { $0.key == key }
          for line in Wording.refused(own, of: "\(key.name.shown) in room \(room.shown)") {
            Console.standard.problem(line)
          }
        }
      }
      throw refusal
    }
  }

  private struct Place: Hashable {
    let room: RoomName
    let key: DocumentKey
  }

  private static func eventCounts(_ replica: Replica) throws -> [Place: Int] {
    var counts: [Place: Int] = [:]
    for document in try replica.documents() {
      counts[Place(room: document.room, key: document.key)] = document.eventCount
    }
    return counts
  }
}
