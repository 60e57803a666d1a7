/// What somebody may have put into the schema of a file that they send: code of theirs that would run at our
/// statements, and may never end, or ask for much memory.
public struct HostileSchema: Sendable, CustomStringConvertible {
  /// What it is.
  public let description: String
  /// The statements that put it there, for a database with a table `rooms` and a table `entries`.
  public let statements: String

  private static let endless = """
    (SELECT count(*) FROM (WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n))
    """
  private static let huge = "length(hex(zeroblob(400000000)))"

  /// All kinds.
  public static let all: [HostileSchema] = [
    HostileSchema(
      description: "a trigger that never ends",
      statements: """
        CREATE TRIGGER entries_by_room BEFORE INSERT ON entries BEGIN SELECT \(endless); END;
        CREATE TRIGGER rooms_by_name AFTER UPDATE ON rooms BEGIN SELECT \(endless); END
        """),
    HostileSchema(
      description: "a view that never ends, in a table's place",
      statements: """
        PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON; ALTER TABLE rooms RENAME TO real_rooms;
        CREATE VIEW rooms AS SELECT * FROM real_rooms WHERE \(endless) > 0
        """),
    HostileSchema(
      description: "a view more", statements: "CREATE VIEW more AS SELECT \(endless) AS number"),
    HostileSchema(
      description: "a generated column",
      statements: "ALTER TABLE rooms ADD COLUMN more INTEGER AS (\(huge)) VIRTUAL"),
    HostileSchema(
      description: "a check",
      statements: """
        PRAGMA writable_schema = ON;
        UPDATE sqlite_master SET sql = replace(sql, 'name TEXT NOT NULL', 'name TEXT NOT NULL CHECK (\(huge) > 0)')
          WHERE name = 'rooms'
        """),
    HostileSchema(
      description: "a default",
      statements: """
        PRAGMA writable_schema = ON;
        UPDATE sqlite_master SET sql = replace(sql, 'time INTEGER', 'time INTEGER DEFAULT (\(huge))')
          WHERE name = 'entries'
        """),
    HostileSchema(
      description: "an index of an expression", statements: "CREATE INDEX more ON rooms (lower(name))"),
    HostileSchema(
      description: "an index of ours with an expression",
      statements: """
        PRAGMA writable_schema = ON;
        UPDATE sqlite_master SET sql = replace(sql, ', first', ', abs(first)')
          WHERE type = 'index' AND sql IS NOT NULL
        """),
    HostileSchema(description: "a table more", statements: "CREATE TABLE more (a)"),
    HostileSchema(
      description: "a trigger under a name of SQLite's",
      statements: """
        PRAGMA writable_schema = ON;
        INSERT INTO sqlite_master VALUES ('trigger', 'sqlite_autoindex_rooms_2', 'rooms', 0,
          'CREATE TRIGGER sqlite_autoindex_rooms_2 AFTER UPDATE ON rooms BEGIN SELECT \(endless); END')
        """),
    HostileSchema(
      description: "a table that is not strict",
      statements: """
        PRAGMA writable_schema = ON;
        UPDATE sqlite_master SET sql = replace(sql, 'STRICT', '') WHERE name = 'rooms'
        """),
    HostileSchema(
      description: "a table missing", statements: "PRAGMA foreign_keys = OFF; DROP TABLE entries"),
  ]
}
