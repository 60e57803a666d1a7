import Ropewalk

extension Wording {
  /// What a document is among those of its name: "lineage 01…, the room's, current here"; nil where it is alone.
  static func lineage(of document: DocumentStatus, in replica: Replica) throws -> String? {
    let named = try replica.document(document.key.name.text, in: document.room.text).lineages()
    guard named.count > 1, named.count(where: { $0.isWorthTelling }) > 1 || !document.isCurrent,
      let status = named.first(where: { $0.lineage == document.key.lineage })
    else { return nil }
    return lineage(status)
  }

  /// A line for each document of a name; none where there is only one.
  static func lineages(of document: ReplicaDocument, in replica: Replica) throws -> [String] {
    let named = try document.lineages().filter { $0.isWorthTelling }
    return named.count > 1 ? named.map { "\(lineage($0)): \(count($0.eventCount, "event"))" } : []
  }

  private static func lineage(_ status: LineageStatus) -> String {
    var words = ["lineage \(id(status.lineage.rawValue))"]
    if status.isRooms { words.append("the room's") }
    if status.isCurrent { words.append("current here") }
    if status.isHeldBack { words.append("on this device only") }
    return words.joined(separator: ", ")
  }
}

extension LineageStatus {
  /// A name that came to mean a text leaves the empty document behind that it meant before.
  fileprivate var isWorthTelling: Bool { isCurrent || isRooms || eventCount > 0 }
}
