import GRDB

/// The tables, indexes, views and triggers of a database, and the statements that made them.
///
/// A file that comes from somebody else may hold a trigger, a view in a table's place, a generated column or
/// a check: its author's code, which would run at our statements, change what they do, or never end. So
/// before a file is used its schema is compared with the one that this release makes. Reading it runs none
/// of it.
package struct DatabaseSchema: Sendable {
  struct Name: Hashable, Sendable {
    /// `table`, `index`, `view` or `trigger`, or whatever a damaged file says.
    let kind: String
    let name: String
  }

  /// What an object belongs to and the statement that made it. White space that means nothing makes no
  /// difference.
  struct Definition: Equatable, Sendable {
    let table: String
    /// Nil for the index of a UNIQUE constraint, whose statement is the table's.
    let statement: String?

    static func == (one: Self, other: Self) -> Bool {
      guard one.table == other.table else { return false }
      // Nearly always the statements are the same, which is found out faster than what they mean.
      return one.statement == other.statement
        || one.statement.map(DatabaseSchema.condensed) == other.statement.map(DatabaseSchema.condensed)
    }
  }

  private(set) var objects: [Name: Definition] = [:]
  /// An object whose row in the schema cannot be one.
  private var isMalformed = false

  /// What `ANALYZE` makes, which anybody may run: numbers for the planner.
  private static let statistics: [Name: Definition] = [
    Name(kind: "table", name: "sqlite_stat1"): Definition(
      table: "sqlite_stat1", statement: "CREATE TABLE sqlite_stat1(tbl,idx,stat)"),
    Name(kind: "table", name: "sqlite_stat4"): Definition(
      table: "sqlite_stat4", statement: "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)"),
  ]

  /// The newer name, `sqlite_schema`, could be a view of the file's.
  static let query = "SELECT type, name, tbl_name, sql FROM sqlite_master"

  /// A row of the schema; a field that holds no text is nil.
  struct Row {
    var kind: String?
    var name: String?
    var table: String?
    var statement: String?
    /// The statement is NULL, as that of an index of a UNIQUE constraint.
    var hasNoStatement: Bool
  }

  /// Reads a database's schema. The database is not changed.
  package init(of database: Database) throws {
    let rows = try GRDB.Row.fetchAll(database, sql: Self.query)
    self.init(
      rows: rows.map { row in
        let fields = (0..<4).map { String.fromDatabaseValue(row[$0] as DatabaseValue) }
        return Row(
          kind: fields[0], name: fields[1], table: fields[2], statement: fields[3],
          hasNoStatement: (row[3] as DatabaseValue).isNull)
      })
  }

  init(rows: [Row]) {
    for row in rows {
      guard let kind = row.kind, let name = row.name, let table = row.table,
        row.statement != nil || row.hasNoStatement
      else {
        isMalformed = true
        continue
      }
      let definition = Definition(table: table, statement: row.statement)
      let key = Name(kind: kind, name: name)
      if Self.statistics[key] == definition { continue }
      if objects.updateValue(definition, forKey: key) != nil { isMalformed = true }
    }
  }

  /// The schema that steps make of an empty database.
  package init(after steps: ArraySlice<@Sendable (Database) throws -> Void>) throws {
    let scratch = try DatabaseQueue()
    self = try scratch.inDatabase { database in
      for step in steps { try step(database) }
      return try DatabaseSchema(of: database)
    }
    try scratch.close()
  }

  /// The schemas after none of the steps, the first, the first two, and so on.
  package static func all(_ steps: [@Sendable (Database) throws -> Void]) throws -> [DatabaseSchema] {
    try (0...steps.count).map { try DatabaseSchema(after: steps.prefix($0)) }
  }

  /// How this schema differs from the one it should be; nil if it does not.
  package func difference(from expected: DatabaseSchema) -> SchemaDifference? {
    for (name, definition) in objects where expected.objects[name] != definition {
      return expected.objects[name] == nil
        ? .foreign(Self.word(for: name.kind)) : .altered(Self.word(for: name.kind), name: name.name)
    }
    if isMalformed { return .foreign("row in the schema") }
    return expected.objects.keys.first { objects[$0] == nil }.map {
      .missing(Self.word(for: $0.kind), name: $0.name)
    }
  }

  /// A damaged or hostile file's own words are not repeated.
  private static func word(for kind: String) -> String {
    ["table", "index", "view", "trigger"].first { $0 == kind } ?? "row in the schema"
  }

  /// Without white space at commas and parentheses, and with one space for the rest of it, outside of quotes.
  static func condensed(_ statement: String) -> String {
    var result: [UInt8] = []
    var (quote, hasSpace): (UInt8?, Bool) = (nil, false)
    for byte in statement.utf8 {
      if let end = quote {
        result.append(byte)
        if byte == end { quote = nil }
        continue
      }
      if [0x09, 0x0a, 0x0c, 0x0d, 0x20].contains(byte) {
        hasSpace = true
        continue
      }
      // ( ) ,
      let closes: (UInt8) -> Bool = { [0x28, 0x29, 0x2c].contains($0) }
      if hasSpace, let last = result.last, !closes(last), !closes(byte) { result.append(0x20) }
      hasSpace = false
      result.append(byte)
      switch byte {
      case 0x22, 0x27, 0x60: quote = byte
      case 0x5b: quote = 0x5d
      default: break
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
