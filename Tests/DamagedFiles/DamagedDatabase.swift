import Foundation
import GRDB

#if canImport(Glibc)
  import Glibc
#endif

/// Makes damaged copies of an SQLite database: of its bytes and pages, of its write-ahead log, of its
/// schema, and of single values, where every type may come to stand in every column.
public struct DamagedDatabase {
  private let intact: [UInt8]
  /// The same rows without the constraints that would keep wrong values out.
  private let loose: [UInt8]
  /// A write-ahead log that belongs to `intact`.
  private let log: [UInt8]
  private let pageSize: Int
  private let columns: [(table: String, column: String)]
  private let tables: [String]
  private let objects: [(kind: String, name: String)]
  /// Puts the constraints back.
  private let tightening: [(name: String, sql: String)]

  /// Reads a database that nobody has open, and makes it as small as it can be: small files are damaged
  /// where it matters.
  ///
  /// - Parameter change: a statement that changes a row; what it writes is the write-ahead log that may be
  /// damaged.
  public init(of path: String, change: String) throws {
    let small = path + ".small"
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA page_size = 512")
      try db.execute(sql: "VACUUM INTO ?", arguments: [small])
    }
    try queue.close()
    try Self.execute(["PRAGMA journal_mode = WAL"], in: small)
    intact = try Self.bytes(of: small)
    log = try Self.writeAheadLog(of: small, change)
    try Self.write(intact, to: small)
    let reading = try DatabaseQueue(path: small)
    let (objects, tightening) = try reading.read { db in
      let rows = try Row.fetchAll(db, sql: "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
      return (
        rows.map { (kind: $0[0] as String, name: $0[1] as String) },
        rows.map { (name: $0[1] as String, sql: $0[2] as String) }
      )
    }
    self.objects = objects
    self.tightening = tightening
    let tables = objects.filter { $0.kind == "table" }.map(\.name)
    self.tables = tables
    columns = try reading.read { db in
      try tables.flatMap { table in
        try String.fetchAll(db, sql: "SELECT name FROM pragma_table_info(?)", arguments: [table])
          .map { (table: table, column: $0) }
      }
    }
    try reading.close()
    try Self.loosen(small)
    loose = try Self.bytes(of: small)
    pageSize = max(512, Int(intact[16]) << 8 | Int(intact[17]))
    for end in ["", "-wal", "-shm"] { unlink(small + end) }
  }

  /// Writes the next damaged copy, alone or with a write-ahead log.
  public func write(to path: String, using random: inout DamageRandom) throws {
    for end in ["-wal", "-shm"] { unlink(path + end) }
    if random.once(in: 2) {
      try Self.write(loose, to: path)
      // What SQLite does not let through leaves the file as it is.
      try? damageRows(path, using: &random)
    } else if random.once(in: 16) {
      var log = log
      ByteDamage.damage(&log, using: &random)
      try Self.write(intact, to: path)
      try Self.write(log, to: path + "-wal")
    } else {
      var bytes = intact
      for _ in 0...(random.once(in: 2) ? 0 : random.below(4)) { damagePages(&bytes, using: &random) }
      try Self.write(bytes, to: path)
    }
  }

  // MARK: Pages

  private func damagePages(_ bytes: inout [UInt8], using random: inout DamageRandom) {
    let pages = bytes.count / pageSize
    guard pages > 1 else { return ByteDamage.damage(&bytes, using: &random) }
    let start = random.below(pages) * pageSize
    let other = random.below(pages) * pageSize
    let (one, two) = (start..<start + pageSize, other..<other + pageSize)
    switch random.below(12) {
    case 0:
      let (first, second) = (Array(bytes[one]), Array(bytes[two]))
      bytes.replaceSubrange(one, with: second)
      bytes.replaceSubrange(two, with: first)
    case 1: bytes.replaceSubrange(two, with: Array(bytes[one]))
    case 2: bytes.replaceSubrange(one, with: [UInt8](repeating: 0, count: pageSize))
    case 3: ByteDamage.setEdge(&bytes, at: random.below(100), using: &random)
    // A page's header and its cell pointers.
    case 4, 5: ByteDamage.setEdge(&bytes, at: start + random.below(24), using: &random)
    case 6: bytes.removeLast(pageSize * (1 + random.below(pages - 1)))
    case 7, 8:
      var page = Array(bytes[one])
      ByteDamage.damage(&page, using: &random)
      page += [UInt8](repeating: 0, count: max(0, pageSize - page.count))
      bytes.replaceSubrange(one, with: page.prefix(pageSize))
    default: ByteDamage.damage(&bytes, using: &random)
    }
  }

  // MARK: Rows

  private func damageRows(_ path: String, using random: inout DamageRandom) throws {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = OFF") }
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    defer { try? queue.close() }
    try queue.writeWithoutTransaction { db in
      try db.inTransaction {
        for _ in 0...(random.once(in: 2) ? 0 : random.below(4)) { try? damageRow(db, using: &random) }
        // Another schema is refused when the file is opened; rows are read under the right one.
        if !random.once(in: 16) { try Self.rewriteSchema(db, tightening) }
        return .commit
      }
    }
  }

  private func damageRow(_ db: Database, using random: inout DamageRandom) throws {
    let (table, column) = columns[random.below(columns.count)]
    let rows = try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)") ?? 0
    let key = try String.fetchAll(
      db, sql: "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", arguments: [table]
    ).map { "\"\($0)\"" }.joined(separator: ", ")
    let all = random.once(in: 4) || key.isEmpty
    let place =
      all
      ? "" : " WHERE (\(key)) = (SELECT \(key) FROM \(table) LIMIT 1 OFFSET \(random.below(max(1, rows))))"
    switch random.below(20) {
    case 0: try db.execute(sql: "DELETE FROM \(table)" + place)
    case 1:
      let object = objects[random.below(objects.count)]
      try db.execute(sql: "DROP \(object.kind) \(object.name)")
    case 2: try db.execute(sql: "ALTER TABLE \(table) RENAME COLUMN \"\(column)\" TO other")
    case 3:
      let other = tables[random.below(tables.count)]
      try db.execute(sql: "ALTER TABLE \(table) RENAME TO passing; ALTER TABLE \(other) RENAME TO \(table)")
    case 4: try db.execute(sql: "UPDATE sqlite_sequence SET seq = ?", arguments: [Self.number(&random)])
    case 5: try db.execute(sql: "PRAGMA user_version = \(random.below(5))")
    case 6:
      let copied = random.once(in: 2) ? "max" : "min"
      try db.execute(
        sql: "UPDATE \(table) SET \"\(column)\" = (SELECT \(copied)(\"\(column)\") FROM \(table))" + place)
    default:
      let value = try value(db, table, column, place, using: &random)
      try db.execute(sql: "UPDATE \(table) SET \"\(column)\" = ?" + place, arguments: [value])
    }
  }

  private static func number(_ random: inout DamageRandom) -> Int64 {
    let edge = Int64(bitPattern: ByteDamage.edges[random.below(ByteDamage.edges.count)])
    return random.once(in: 2) ? edge : Int64(random.below(100)) - 3
  }

  private func value(
    _ db: Database, _ table: String, _ column: String, _ place: String, using random: inout DamageRandom
  ) throws -> DatabaseValue {
    switch random.below(8) {
    case 0: return .null
    case 1, 2: return Self.number(&random).databaseValue
    case 3: return (["", "x", "12", "\u{0}\u{1}", "0x", "-1e999"][random.below(6)] as String).databaseValue
    case 4: return (random.once(in: 2) ? Double.infinity : -0.5).databaseValue
    default:
      let found = try DatabaseValue.fetchOne(db, sql: "SELECT \"\(column)\" FROM \(table)" + place) ?? .null
      switch found.storage {
      case .blob(let data):
        var bytes = Array(data)
        ByteDamage.damage(&bytes, using: &random)
        return Data(bytes).databaseValue
      case .string(let text):
        var bytes = Array(text.utf8)
        ByteDamage.damage(&bytes, using: &random)
        // Text of any bytes, which SQLite does not check.
        return try DatabaseValue.fetchOne(db, sql: "SELECT CAST(? AS TEXT)", arguments: [Data(bytes)])
          ?? .null
      default: return Self.number(&random).databaseValue
      }
    }
  }

  // MARK: Preparing

  private static func loosen(_ path: String) throws {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    try queue.writeWithoutTransaction { db in
      let rows = try Row.fetchAll(db, sql: "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
      let loosened = rows.map { row in
        let sql: String = row[1]
        let free = sql.replacingOccurrences(of: ") STRICT, ", with: ") ")
          .replacingOccurrences(of: ") STRICT", with: ")").replacingOccurrences(of: " NOT NULL", with: "")
        return (name: row[0] as String, sql: free)
      }
      try rewriteSchema(db, loosened)
    }
    try queue.close()
    try execute(["PRAGMA journal_mode = DELETE", "PRAGMA journal_mode = WAL"], in: path)
  }

  private static func rewriteSchema(_ db: Database, _ objects: [(name: String, sql: String)]) throws {
    try db.execute(sql: "PRAGMA writable_schema = ON")
    for object in objects {
      try db.execute(
        sql: "UPDATE sqlite_schema SET sql = ? WHERE name = ?", arguments: [object.sql, object.name])
    }
    try db.execute(sql: "PRAGMA writable_schema = OFF")
  }

  /// Runs a statement without the constraints that would keep wrong values out, and leaves the schema as it
  /// was.
  public static func write(to path: String, withoutConstraints statement: String) throws {
    let schema = try schema(of: path)
    try loosen(path)
    try execute([statement], in: path)
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { try rewriteSchema($0, schema) }
    try queue.close()
  }

  private static func schema(of path: String) throws -> [(name: String, sql: String)] {
    let queue = try DatabaseQueue(path: path)
    defer { try? queue.close() }
    return try queue.read { db in
      try Row.fetchAll(db, sql: "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").map {
        (name: $0[0] as String, sql: $0[1] as String)
      }
    }
  }

  /// Writes a database that is given as SQL.
  public static func write(_ sql: String, to path: String) throws { try execute([sql], in: path) }

  private static func execute(_ statements: [String], in path: String) throws {
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { db in
      for statement in statements { try db.execute(sql: statement) }
    }
    try queue.close()
  }

  private static func writeAheadLog(of path: String, _ change: String) throws -> [UInt8] {
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { db in
      try db.execute(sql: change)
      try db.execute(sql: change)
    }
    let log = try bytes(of: path + "-wal")
    try queue.close()
    return log
  }

  private static func bytes(of path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path)))
  }

  private static func write(_ bytes: [UInt8], to path: String) throws {
    guard let file = fopen(path, "w") else { throw CocoaError(.fileWriteUnknown) }
    let written = fwrite(bytes, 1, bytes.count, file)
    fclose(file)
    guard written == bytes.count else { throw CocoaError(.fileWriteUnknown) }
  }
}
