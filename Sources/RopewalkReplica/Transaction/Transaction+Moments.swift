import RopewalkCore

extension Transaction {
  /// Local values whose keys begin so begin with moments of their document: how many, and a block with the version
  /// vector of each.
  static let moments = "moment."

  /// The events of a document that get another id get it in the moments that are kept beside it too.
  func moveMoments(from event: EventID, to new: EventID, of document: Int64) throws {
    let rows = try db.rows(
      "SELECT key, value FROM local_values WHERE document = ? AND substr(key, 1, ?) = ?",
      [document, Self.moments.utf8.count, Self.moments])
    for row in rows {
      let value = try row.bytes(1)
      guard let moved = Self.moved(value, from: event, to: new), moved != value else { continue }
      try setLocalValue(moved, for: try row.string(0), of: document)
    }
  }

  /// Nil where nothing is to be changed, or the value begins otherwise.
  private static func moved(_ value: [UInt8], from event: EventID, to new: EventID) -> [UInt8]? {
    var reader = ByteReader(value)
    guard let count = try? reader.count("moments") else { return nil }
    var writer = ByteWriter()
    writer.varint(UInt64(count))
    for _ in 0..<count {
      guard let block = try? reader.block("moment"), var moment = try? VersionVector(encoded: Array(block))
      else { return nil }
      if moment.contains(event) {
        moment[new.replica] = moment[event.replica] - event.seq + new.seq
        moment[event.replica] = event.seq
      }
      writer.block(moment.encoded)
    }
    return writer.bytes + value[reader.offset...]
  }
}
