import GRDB
import RopewalkCore
import RopewalkSync

extension Transaction {
  /// All documents of one name, the room's first.
  func lineages(of name: DocumentName, in room: RoomName) throws -> [LineageStatus] {
    guard let roomID = try roomID(room) else { return [] }
    let rows = try db.rows(
      """
      SELECT lineage, is_current, first_cursor, events FROM documents WHERE room = ? AND name = ?
      ORDER BY first_cursor IS NULL, first_cursor, id
      """, [roomID, name.text])
    return try rows.enumerated().map { place, row in
      LineageStatus(
        lineage: Lineage(rawValue: try row.unsigned(0)), isCurrent: try row.flag(1),
        isRooms: try place == 0 && row.optionalInteger(2) != nil, eventCount: Int(try row.integer(3)))
    }
  }

  /// Makes a name mean the room's document.
  func adoptRoomLineage(of name: DocumentName, in room: RoomName, carryingOver: CarryOver) throws -> Lineage {
    let all = try lineages(of: name, in: room)
    guard let rooms = all.first(where: { $0.isRooms }) ?? all.first(where: { $0.isCurrent }) else {
      throw ReplicaError.noSuchDocument
    }
    guard !rooms.isCurrent, let roomID = try roomID(room),
      let id = try documentID(DocumentKey(name: name, lineage: rooms.lineage), in: room)
    else { return rooms.lineage }
    let old = try currentID(name, in: room).map { try loaded($0) }
    try db.run(
      "UPDATE documents SET is_current = (id = ?) WHERE room = ? AND name = ?", [id, roomID, name.text])
    let key = ReplicaState.Name(room: room, name: name)
    state.current[key] = nil
    let adopted = try loaded(id)
    if observers.watch(key) { show(adopted, as: key, inPlaceOf: old) }
    try carry(old?.document.utf8 ?? [], over: adopted.document.utf8, into: id, carryingOver)
    return rooms.lineage
  }

  private func carry(_ old: [UInt8], over new: [UInt8], into id: Int64, _ how: CarryOver) throws {
    switch how {
    case .nothing: return
    case .appending:
      try edit(id, from: .adoption) { try $0.append(String(decoding: old, as: UTF8.self)) }
    case .replacing:
      guard let patch = TextPatch.difference(from: new, to: old) else { return }
      try edit(id, from: .adoption) {
        try $0.replace(patch.position..<patch.position + patch.deleted, with: patch.insertedText)
      }
    }
  }
}
