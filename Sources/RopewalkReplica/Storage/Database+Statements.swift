import Foundation
import GRDB
import RopewalkCore

extension Database {
  /// Runs a prepared statement.
  func run(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws {
    try cachedStatement(sql: sql).execute(arguments: arguments)
  }

  /// The rows of a prepared query.
  func rows(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> [Row] {
    try Row.fetchAll(try cachedStatement(sql: sql), arguments: arguments)
  }

  /// The first row of a prepared query.
  func row(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Row? {
    try Row.fetchOne(try cachedStatement(sql: sql), arguments: arguments)
  }
}

// A damaged file can hold any type in any column: these throw where GRDB's subscripts would trap.
extension Row {
  func integer(_ index: Int) throws -> Int64 { try decode(Int64.self, atIndex: index) }
  func optionalInteger(_ index: Int) throws -> Int64? { try decode(Int64?.self, atIndex: index) }
  func flag(_ index: Int) throws -> Bool { try integer(index) != 0 }
  func string(_ index: Int) throws -> String { try decode(String.self, atIndex: index) }
  func optionalString(_ index: Int) throws -> String? { try decode(String?.self, atIndex: index) }
  func bytes(_ index: Int) throws -> [UInt8] { Array(try decode(Data.self, atIndex: index)) }
  func optionalBytes(_ index: Int) throws -> [UInt8]? {
    try decode(Data?.self, atIndex: index).map(Array.init)
  }

  /// A number that SQLite holds as the signed integer of the same bits.
  func unsigned(_ index: Int) throws -> UInt64 { UInt64(bitPattern: try integer(index)) }

  /// Columns `replica`, `first`, `end`.
  func span(_ index: Int) throws -> EventSpan {
    let (first, end) = (try integer(index + 1), try integer(index + 2))
    guard first >= 0, end > first, end <= 1 << 31 else {
      throw ReplicaError.damaged(.init(place: "file", problem: "a span of events is empty or out of bounds"))
    }
    return EventSpan(
      replica: ReplicaID(rawValue: try unsigned(index)), seqs: UInt32(first)..<UInt32(end))
  }
}

extension ReplicaID {
  /// As SQLite holds it.
  var stored: Int64 { Int64(bitPattern: rawValue) }
}

extension Lineage {
  /// As SQLite holds it.
  var stored: Int64 { Int64(bitPattern: rawValue) }
}
