import Foundation
import GRDB

#if canImport(Glibc)
  import Glibc
#endif

/// A table, index, view or trigger, and the statement that made it.
struct SchemaObject {
  let kind: String
  let name: String
  let sql: String
}

/// Makes damaged copies of an SQLite database: of its bytes and pages, of its write-ahead log, of its
/// schema, and of single values, where every type may come to stand in every column.
public struct DamagedDatabase {
  private let intact: [UInt8]
  /// The same rows without the constraints that would keep wrong values out.
  private let loose: DamagedRows
  /// A write-ahead log that belongs to `intact`.
  private let log: [UInt8]
  private let pageSize: Int

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
    let schema = try Self.schema(of: small)
    try Self.loosen(small)
    loose = try DamagedRows(of: small, schema: schema)
    pageSize = max(512, Int(intact[16]) << 8 | Int(intact[17]))
    for end in ["", "-wal", "-shm"] { unlink(small + end) }
  }

  /// Writes the next damaged copy, alone or with a write-ahead log.
  public func write(to path: String, using random: inout DamageRandom) throws {
    for end in ["-wal", "-shm"] { unlink(path + end) }
    if random.once(in: 2) {
      try Self.write(loose.damaged(using: &random), to: path)
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

  // MARK: Preparing

  private static func loosen(_ path: String) throws {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    try queue.writeWithoutTransaction { db in
      let loosened = try schema(of: db).map { object in
        let free = object.sql.replacingOccurrences(of: ") STRICT, ", with: ") ")
          .replacingOccurrences(of: ") STRICT", with: ")").replacingOccurrences(of: " NOT NULL", with: "")
        return SchemaObject(kind: object.kind, name: object.name, sql: free)
      }
      try rewriteSchema(db, loosened)
    }
    try queue.close()
    try execute(["PRAGMA journal_mode = DELETE", "PRAGMA journal_mode = WAL"], in: path)
  }

  private static func rewriteSchema(_ db: Database, _ objects: [SchemaObject]) throws {
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

  private static func schema(of path: String) throws -> [SchemaObject] {
    let queue = try DatabaseQueue(path: path)
    defer { try? queue.close() }
    return try queue.read(schema)
  }

  private static func schema(of db: Database) throws -> [SchemaObject] {
    try Row.fetchAll(db, sql: "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL").map {
      SchemaObject(kind: $0[0], name: $0[1], sql: $0[2])
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
