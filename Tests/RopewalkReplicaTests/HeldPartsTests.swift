import Foundation
import GRDB
import GRDBSQLite
import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkReplica

/// What cannot be merged is kept once, and costs no more for what is kept beside it.
@Suite struct HeldPartsTests {
  private let room = RoomName("team")!
  private let key = DocumentKey(name: DocumentName("notes.md")!, lineage: .blank)

  /// A part that is no update.
  private func part(_ number: Int) -> LogEntry {
    let span = EventSpan(replica: ReplicaID(rawValue: UInt64(number) + 1), seqs: 0..<1)
    return LogEntry(
      cursor: 1, subject: Array("mallory".utf8), time: 0, header: EntryHeader(document: key, span: span),
      payload: Array("part \(number)".utf8))
  }

  /// Keeps so many parts aside, each twice; returns how many rows there are then, and how many steps SQLite's virtual machine
  /// has made.
  private func hold(_ count: Int) throws -> (rows: Int64, steps: Int) {
    let scratch = try Scratch()
    let replica = try scratch.open("a")
    var steps = 0
    try replica.write { transaction in
      let roomID = try transaction.roomIDMakingIt(room)
      let id = try transaction.makeDocument(key, in: room)
      transaction.checkpointBeingTaken = 9
      defer { transaction.checkpointBeingTaken = nil }
      var batch = Transaction.Batch(room: room, roomID: roomID)
      withUnsafeMutablePointer(to: &steps) { counter in
        sqlite3_progress_handler(
          transaction.db.sqliteConnection, 1,
          { counter in
            counter?.assumingMemoryBound(to: Int.self).pointee += 1
            return 0
          }, counter)
        for _ in 0..<2 {
          for number in 0..<count {
            do { try transaction.hold(part: part(number), of: id, because: "none", in: &batch) } catch {
              Issue.record("\(error)")
            }
          }
        }
        sqlite3_progress_handler(transaction.db.sqliteConnection, 0, nil, nil)
      }
    }
    try replica.close()
    return (try scratch.integer("SELECT count(*) FROM held WHERE cursor < 0", in: "a") ?? 0, steps)
  }

  @Test func partsThatCannotBeMergedAreKeptOnceAndFoundWithoutLookingAtAll() throws {
    let (few, many) = (try hold(500), try hold(2000))
    #expect(few.rows == 500 && many.rows == 2000)
    #expect(few.steps > 0 && many.steps < 6 * few.steps, "\(few.steps) \(many.steps)")
  }
}
