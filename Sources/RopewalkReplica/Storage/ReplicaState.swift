import RopewalkCore
import RopewalkSync

/// What a `Replica` holds in memory of its file. Used inside the database's serial queue only.
final class ReplicaState {
  /// A name in a room.
  struct Name: Hashable {
    let room: RoomName
    let name: DocumentName
  }

  /// `PRAGMA data_version` up to which the rest is true: it changes when another connection commits.
  var dataVersion: Int64 = -1
  /// Documents read so far, by `documents.id`. One that a failed transaction touched is dropped, and read
  /// anew.
  var documents: [Int64: LoadedDocument] = [:]
  /// Which document a name means.
  var current: [Name: Int64] = [:]
  /// Which document the observers of a name have been shown.
  var shown: [Name: Int64] = [:]
  /// Documents that fell out of memory while somebody watched, since they could not be read: what has happened
  /// to them meanwhile was not delivered.
  var missed: [Int64: Name] = [:]
  /// `rooms.id`.
  var rooms: [RoomName: Int64] = [:]
  /// By `documents.id`: the entries of the log that wait for events of the outbox. None for a document of which
  /// that was not looked up yet.
  var waiting: [Int64: WaitingEntries] = [:]
  /// By `documents.id` and subject: its tips. None where they were not looked up yet.
  var tips: [Int64: [[UInt8]: SubjectTips]] = [:]

  /// How often it was looked whether events of an own id are in the log twice.
  var twinChecks: [ReplicaID: Int] = [:]

  /// What `PRAGMA synchronous` is set to; nil if it was not set yet.
  var isSynchronousFull: Bool?

  /// Who writes; drawn at the first edit.
  var author: ReplicaID?
  /// Whether `author` is in the file and was not retired since.
  var authorIsRecorded = false

  /// Forgets all that another process may have changed, except the documents.
  func forgetLookups() {
    current = [:]
    rooms = [:]
    waiting = [:]
    tips = [:]
    authorIsRecorded = false
  }
}
