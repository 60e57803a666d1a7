import Foundation
import GRDB
import GRDBSQLite

/// Makes copies of an SQLite database in which single values are damaged: every type may come to stand in
/// every column.
///
/// The rows are kept in memory; a copy is what a transaction would have made of them, which is then rolled
/// back.
struct DamagedRows {
  private struct Table {
    let name: String
    let rows: Int
    /// The primary key's columns; empty if there are none.
    let key: String
  }

  private let queue: DatabaseQueue
  private let tables: [Table]
  private let columns: [(table: Table, column: String)]
  private let objects: [(kind: String, name: String)]

  /// Reads a database that is without the constraints that would keep wrong values out.
  ///
  /// - Parameter schema: its schema with the constraints, which is put back.
  init(of path: String, schema: [SchemaObject]) throws {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    queue = try DatabaseQueue(configuration: configuration)
    let file = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA page_size = 512") }
    try file.backup(to: queue)
    try file.close()
    objects = schema.map { ($0.kind, $0.name) }
    (tables, columns) = try queue.writeWithoutTransaction { db in
      try db.execute(sql: "CREATE TEMP TABLE tight (name TEXT PRIMARY KEY, sql TEXT)")
      for object in schema {
        try db.execute(sql: "INSERT INTO tight VALUES (?, ?)", arguments: [object.name, object.sql])
      }
      let tables = try schema.filter { $0.kind == "table" }.map { object in
        let key = try String.fetchAll(
          db, sql: "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", arguments: [object.name])
        return Table(
          name: object.name, rows: try Int.fetchOne(db, sql: "SELECT count(*) FROM \(object.name)") ?? 0,
          key: key.map { "\"\($0)\"" }.joined(separator: ", "))
      }
      let columns = try tables.flatMap { table in
        try String.fetchAll(db, sql: "SELECT name FROM pragma_table_info(?)", arguments: [table.name])
          .map { (table: table, column: $0) }
      }
      return (tables, columns)
    }
  }

  /// The bytes of the next damaged copy.
  func damaged(using random: inout DamageRandom) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try queue.writeWithoutTransaction { db in
      try db.inTransaction {
        for _ in 0...(random.once(in: 2) ? 0 : random.below(4)) {
          // What SQLite does not let through leaves the rows as they are.
          try? damageRow(db, using: &random)
        }
        // Another schema is refused when the file is opened; rows are read under the right one.
        if !random.once(in: 16) { try tighten(db) }
        bytes = Self.bytes(of: db)
        return .rollback
      }
    }
    // As a file that is used with a write-ahead log.
    if bytes.count > 19 { (bytes[18], bytes[19]) = (2, 2) }
    return bytes
  }

  private func tighten(_ db: Database) throws {
    try db.cachedStatement(sql: "PRAGMA writable_schema = ON").execute()
    try db.cachedStatement(
      sql: """
        UPDATE sqlite_master SET sql = (SELECT t.sql FROM tight t WHERE t.name = sqlite_master.name)
        WHERE name IN (SELECT name FROM tight)
        """
    ).execute()
    try db.cachedStatement(sql: "PRAGMA writable_schema = OFF").execute()
  }

  private static func bytes(of db: Database) -> [UInt8] {
    var size: sqlite3_int64 = 0
    guard let copy = sqlite3_serialize(db.sqliteConnection, "main", &size, 0) else { return [] }
    defer { sqlite3_free(copy) }
    return Array(UnsafeBufferPointer(start: copy, count: Int(size)))
  }

  // MARK: Values

  private func damageRow(_ db: Database, using random: inout DamageRandom) throws {
    let (table, column) = columns[random.below(columns.count)]
    let all = random.once(in: 4) || table.key.isEmpty
    let place =
      all ? "" : " WHERE (\(table.key)) = (SELECT \(table.key) FROM \(table.name) LIMIT 1 OFFSET ?)"
    let row: StatementArguments = all ? [] : [random.below(max(1, table.rows))]
    func execute(_ sql: String, _ arguments: StatementArguments = []) throws {
      try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }
    switch random.below(20) {
    case 0: try execute("DELETE FROM \(table.name)" + place, row)
    case 1:
      let object = objects[random.below(objects.count)]
      try execute("DROP \(object.kind) \(object.name)")
    case 2: try execute("ALTER TABLE \(table.name) RENAME COLUMN \"\(column)\" TO other")
    case 3:
      let other = tables[random.below(tables.count)].name
      try execute("ALTER TABLE \(table.name) RENAME TO passing")
      try execute("ALTER TABLE \(other) RENAME TO \(table.name)")
    case 4: try execute("UPDATE sqlite_sequence SET seq = ?", [Self.number(&random)])
    case 5: try execute("PRAGMA user_version = \(random.below(5))")
    case 6:
      let copied = random.once(in: 2) ? "max" : "min"
      try execute(
        "UPDATE \(table.name) SET \"\(column)\" = (SELECT \(copied)(\"\(column)\") FROM \(table.name))"
          + place, row)
    default:
      let select = try db.cachedStatement(sql: "SELECT \"\(column)\" FROM \(table.name)" + place)
      let value = try value(db, select, row, using: &random)
      try execute("UPDATE \(table.name) SET \"\(column)\" = ?" + place, [value] + row)
    }
  }

  private static func number(_ random: inout DamageRandom) -> Int64 {
    let edge = Int64(bitPattern: ByteDamage.edges[random.below(ByteDamage.edges.count)])
    return random.once(in: 2) ? edge : Int64(random.below(100)) - 3
  }

  private func value(
    _ db: Database, _ select: Statement, _ row: StatementArguments, using random: inout DamageRandom
  ) throws -> DatabaseValue {
    switch random.below(8) {
    case 0: return .null
    case 1, 2: return Self.number(&random).databaseValue
    case 3: return (["", "x", "12", "\u{0}\u{1}", "0x", "-1e999"][random.below(6)] as String).databaseValue
    case 4: return (random.once(in: 2) ? Double.infinity : -0.5).databaseValue
    default:
      let found = try DatabaseValue.fetchOne(select, arguments: row) ?? .null
      switch found.storage {
      case .blob(let data):
        var bytes = Array(data)
        ByteDamage.damage(&bytes, using: &random)
        return Data(bytes).databaseValue
      case .string(let text):
        var bytes = Array(text.utf8)
        ByteDamage.damage(&bytes, using: &random)
        // Text of any bytes, which SQLite does not check.
        let cast = try db.cachedStatement(sql: "SELECT CAST(? AS TEXT)")
        return try DatabaseValue.fetchOne(cast, arguments: [Data(bytes)]) ?? .null
      default: return Self.number(&random).databaseValue
      }
    }
  }
}
