import Foundation
import Ropewalk

/// Somebody in the demonstration: a name, a replica file and a client.
struct DemoPerson {
  static let room = "demo"
  static let documentName = "story.txt"

  let name: String
  let replica: Replica
  let client: Client
  let document: ReplicaDocument

  init(_ name: String, folder: String, relay: String) async throws {
    self.name = name
    replica = try Replica(path: "\(folder)/\(name.lowercased()).ropewalk")
    document = try replica.document(Self.documentName, in: Self.room)
    var options = ClientOptions()
    options.firstPause = 20
    client = try Client(replica: replica, relay: relay, options: options)
    try await client.join(Self.room)
    await client.connect()
  }

  /// Puts words before the first place where `mark` stands.
  func write(_ words: String, before mark: String) throws {
    let text = try document.text
    let place = text.range(of: mark)?.lowerBound ?? text.endIndex
    try document.insert(words, at: text.unicodeScalars.distance(from: text.startIndex, to: place))
  }

  /// Replaces the first place where `old` stands.
  func replace(_ old: String, with new: String) throws {
    let text = try document.text
    guard let range = text.range(of: old) else { return }
    let scalars = text.unicodeScalars
    let start = scalars.distance(from: scalars.startIndex, to: range.lowerBound)
    let end = scalars.distance(from: scalars.startIndex, to: range.upperBound)
    try document.replace(start..<end, with: new)
  }

  /// Waits until everything that the other has is here.
  func receive(from other: DemoPerson) async throws {
    let changes = try document.changes()
    let wanted = try other.document.read().versionVector
    while try !document.read().versionVector.covers(wanted) {
      for await _ in changes { break }
    }
  }

  /// Where what this person wrote is.
  func receipt() throws -> String {
    let receipts = try document.receipts()
    return "\(name): \(Wording.count(receipts.sentCount, "event")) at the relay, "
      + "\(Wording.number(receipts.unsentCount)) only on this device"
  }

  func close() async throws {
    await client.close()
    try replica.close()
  }
}
