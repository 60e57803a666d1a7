import Foundation
import GRDB

extension Scratch {
  /// Looks into a file as `sqlite3` would.
  func integer(_ sql: String, in name: String = "replica.sqlite") throws -> Int64? {
    try DatabaseQueue(path: path(name)).read { try Int64.fetchOne($0, sql: sql) }
  }

  func blob(_ sql: String, in name: String = "replica.sqlite") throws -> [UInt8]? {
    try DatabaseQueue(path: path(name)).read { try Data.fetchOne($0, sql: sql) }.map { Array($0) }
  }

  func execute(_ sql: String, in name: String = "replica.sqlite") throws {
    try DatabaseQueue(path: path(name)).writeWithoutTransaction { try $0.execute(sql: sql) }
  }
}
