import GRDB
import RopewalkCore
import RopewalkSync

extension Transaction {
  /// All documents of one name, the room's first.
  func lineages(of name: DocumentName, in room: RoomName) throws -> [LineageStatus] {
    guard let roomID = try roomID(room) else { return [] }
    let rows = try db.rows(
      """
      SELECT lineage, is_current, first_cursor > 0, events, \(Self.isHeldBack)
      FROM documents d WHERE room = ? AND name = ?
      ORDER BY first_cursor IS NULL, first_cursor <= 0, abs(first_cursor), id
      """, [roomID, name.text])
    return try rows.enumerated().map { place, row in
      LineageStatus(
        lineage: Lineage(rawValue: try row.unsigned(0)), isCurrent: try row.flag(1),
        isRooms: try place == 0 && row.optionalInteger(2) == 1, isHeldBack: try row.flag(4),
        eventCount: Int(try row.integer(3)))
    }
  }

  /// The names that mean another document here than in the room.
  func lineageClashes(in roomID: Int64) throws -> [DocumentName] {
    try db.rows(
      """
      SELECT d.name FROM documents d
      WHERE d.room = ? AND d.is_current = 1 AND EXISTS (
        SELECT 1 FROM documents o
        WHERE o.room = d.room AND o.name = d.name AND o.id <> d.id AND o.first_cursor > 0
          AND (d.first_cursor IS NULL OR d.first_cursor <= 0 OR o.first_cursor < d.first_cursor))
      ORDER BY d.name
      """, [roomID]
    ).compactMap { DocumentName(try $0.string(0)) }
  }

  /// A name under which nothing was written here means what it means in the room.
  func followRoom(to id: Int64, _ key: DocumentKey, in room: RoomName) throws {
    guard let current = try currentID(key.name, in: room), current != id, try mayTakeName(from: current)
    else { return }
    let isFirst = try db.row(
      """
      SELECT 1 FROM documents d
      WHERE d.id = ? AND EXISTS (
        SELECT 1 FROM documents o
        WHERE o.room = d.room AND o.name = d.name AND o.first_cursor > 0 AND o.first_cursor < d.first_cursor)
      """, [id])
    guard isFirst == nil else { return }
    try db.run("UPDATE documents SET is_current = (id = ?) WHERE id IN (?, ?)", [id, id, current])
    let name = ReplicaState.Name(room: room, name: key.name)
    try moveName(name, from: current, to: id)
    if observers.watch(name) { show(try loaded(id), as: name, inPlaceOf: try loaded(current)) }
  }

  /// Whether another document may take the name of one: nothing was written in it, here or in the room.
  func mayTakeName(from current: Int64) throws -> Bool {
    try db.row(
      "SELECT 1 FROM documents WHERE id = ? AND events = 0 AND coalesce(first_cursor, 0) <= 0", [current])
      != nil
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
