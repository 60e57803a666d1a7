import Foundation
import Ropewalk
import RopewalkRelay
import Testing

@testable import RopewalkCommand

/// A replica with more rooms than the relay allows on one connection.
@Suite struct ManyRoomsTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  @Test func syncExchangesThemInTurns() async throws {
    var configuration = Relay.Configuration(dataDirectory: folder["relay"], port: 0, threads: 1)
    configuration.limits.rooms = 10
    let relay = try await Relay.start(configuration)
    let replica = try Replica(path: folder["a"])
    let rooms = (0..<30).map { "room \($0)" }
    for room in rooms { try replica.document("notes.md", in: room).insert("hello", at: 0) }
    try replica.close()
    #expect(
      try await Tool.run("sync", folder["a"], "--relay", relay.url)
        == Tool.Outcome(status: 0, output: "sent 150 events, fetched 0 events\n", problems: ""))
    #expect(
      try await Tool.run(["sync", folder["b"], "--relay", relay.url] + rooms.flatMap { ["--room", $0] })
        == Tool.Outcome(status: 0, output: "sent 0 events, fetched 150 events\n", problems: ""))
    await relay.stop()
  }
}
