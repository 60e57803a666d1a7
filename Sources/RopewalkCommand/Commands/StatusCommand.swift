import ArgumentParser
import Ropewalk
import RopewalkPlainText

/// Shows what a replica holds and what is still to be sent.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show a replica's rooms and documents, what is unsent, and whether the relay answers.")

  @OptionGroup var replica: ReplicaArgument
  @OptionGroup var relay: RelayOptions

  @Flag(help: "Do not ask the relay.")
  var offline = false

  func run() async throws {
    let replica = try replica.open()
    for line in try Self.lines(replica, at: self.replica.path) { Console.standard.line(line) }
    if !offline { Console.standard.line(try await connection(replica)) }
  }

  /// Says whether the relay answers and takes this token; joins no room and changes nothing.
  private func connection(_ replica: Replica) async throws -> String {
    var options = relay.clientOptions
    options.connectTimeout = 3000
    let client = try Client(
      replica: replica, relay: relay.url, token: try relay.presentedToken(), options: options)
    do {
      try await client.sync()
      await client.close()
      return "relay \(relay.url): reachable"
    } catch {
      await client.close()
      return "relay \(relay.url): \(Failure(error).message)"
    }
  }

  static func lines(_ replica: Replica, at path: String) throws -> [String] {
    var lines = ["replica \(path)"]
    let all = try replica.rooms()
    let rooms = VisibleNames(all.map(\.room.text))
    for room in all {
      let offer = room.needsOffer ? ", will offer the relay what it lacks" : ""
      lines.append(
        "room \(rooms.text(room.room.text)): read to #\(room.cursor), "
          + "\(Wording.count(room.unsentEventCount, "event")) unsent\(offer)"
          + (room.role == .view ? ", may only be viewed" : ""))
      let refused = try replica.refused(in: room.room.text)
      let documents = try replica.documents(in: room.room.text)
      let names = VisibleNames(documents.map(\.key.name.text))
      for document in documents where document.isWorthTelling {
        let note = try Wording.lineage(of: document, in: replica).map { "  (\($0))" } ?? ""
        lines.append(
          "  \(names.text(document.key.name.text)): \(Wording.count(document.scalarCount, "character")), "
            + "\(Wording.count(document.eventCount, "event")), "
            + "\(Wording.number(document.unsentEventCount)) unsent\(note)")
        lines.append("    version \(words(document.version))")
        if let moved = try Self.reauthored(document, in: replica) { lines.append("    " + moved) }
        let own = refused.filter { $0.key == document.key }
        lines += Wording.refused(own, of: names.text(document.key.name.text)).map { "    refused: " + $0 }
      }
      for held in try replica.held(in: room.room.text) { lines.append("  kept aside: \(Wording.held(held))") }
    }
    return lines
  }

  /// What of the document has another id than it was written under.
  private static func reauthored(_ status: DocumentStatus, in replica: Replica) throws -> String? {
    let document = try replica.document(status.key, in: status.room)
    let count = try document.receipts().reauthored.count
    return count == 0
      ? nil
      : "\(Wording.count(count, "stretch", "stretches")) of what was written here \(count == 1 ? "has" : "have") another id "
        + "now, since somebody else used the one before"
  }

  private static func words(_ version: Version) -> String {
    version.heads.isEmpty
      ? "empty" : version.heads.map { "\(Wording.id($0.replica.rawValue))@\($0.seq)" }.joined(separator: " ")
  }
}

extension DocumentStatus {
  /// Whether there is anything in it. A name that came to mean a text leaves the empty document behind that it meant before.
  var isWorthTelling: Bool { isCurrent || eventCount > 0 }
}
