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
    for room in wanted { try await client.join(room.text) }
    do {
      try await client.sync()
    } catch {
      await client.close()
      throw error
    }
    await client.close()
    for room in named { try replica.note(room.text) }
    var fetched = 0
    for (key, count) in try Self.eventCounts(replica) { fetched += count - (before[key] ?? 0) }
    Console.standard.line(
      "sent \(Wording.count(unsent, "event")), fetched \(Wording.count(fetched, "event"))")
    for held in try replica.held() where wanted.contains(held.room) {
      Console.standard.problem("\(held.room.shown): kept aside: \(Wording.held(held))")
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
