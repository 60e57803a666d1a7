import Foundation
import GRDB
import RopewalkCore
import RopewalkSync

/// Why an entry was kept aside: `held.kind`.
enum HeldKind: Int64 {
  /// Its payload is not the update of its header.
  case noUpdate = 0
  /// It follows events that the log does not hold yet.
  case waits = 1
  /// Its subject writes on too many branches at once.
  case inExcess = 2
  /// It cannot be merged for another reason.
  case contradicts = 3
}

extension Transaction {
  /// Keeps a payload aside, in place of what was kept there before.
  func keepAside(
    _ payload: [UInt8], as kind: HeldKind, at cursor: Int64, in room: Int64, because reason: String
  )
    throws
  {
    try db.run(
      "INSERT OR REPLACE INTO held (room, cursor, kind, reason, payload) VALUES (?, ?, ?, ?, ?)",
      [room, cursor, kind.rawValue, reason, Data(payload)])
  }
}

extension Transaction {
  /// Where a payload is kept aside that has no place in the log: a number below 0, which follows from its bytes, so that
  /// it is found among any number of others.
  ///
  /// - Returns: the number, and whether the payload is there already.
  func placeAside(_ payload: [UInt8], in room: Int64) throws -> (cursor: Int64, isKept: Bool) {
    let hash = PayloadHash(of: payload).bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    var cursor = -1 - Int64(hash >> 2)
    while true {
      let row = try db.row("SELECT payload FROM held WHERE room = ? AND cursor = ?", [room, cursor])
      guard let kept = try row?.bytes(0) else { return (cursor, false) }
      if kept == payload { return (cursor, true) }
      cursor -= 1
    }
  }
}

extension LogEntry {
  /// The update in it; nil if it is not what the header says.
  var update: Update? {
    guard let update = try? Update(bytes: payload), update.spans == [header.span],
      update.lineage == header.document.lineage
    else { return nil }
    return update
  }
}
