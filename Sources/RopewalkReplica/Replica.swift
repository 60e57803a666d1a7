import RopewalkCore
import RopewalkSync

/// A full copy of some rooms' documents in one SQLite file, to be read and edited with or without a network.
///
/// Several processes may open one file at once; each sees what the others wrote at its next call. All calls are safe from
/// any thread. They touch the disk and block meanwhile: for well under a millisecond, unless another process is writing.
///
/// ```swift
/// let replica = try Replica(path: "notes.ropewalk")
/// let notes = try replica.document("notes.md", in: "team")
/// try notes.insert("Hello", at: 0)
/// ```
public final class Replica: Sendable {
  /// The file.
  public let path: String

  /// Opens a replica, and makes the file if there is none.
  ///
  /// Throws `notAReplica`, `newerSchema`, `damaged` or `storage`.
  public init(path: String, options: ReplicaOptions = ReplicaOptions()) throws(ReplicaError) { fatalError() }

  /// The document that this replica knows under a name; it need not exist yet: the first edit makes it, blank.
  ///
  /// Where documents of several lineages have the name, it is the one this replica has chosen: the first it had, until
  /// `ReplicaDocument.adoptRoomLineage`.
  public func document(_ name: String, in room: String) throws(ReplicaError) -> ReplicaDocument {
    fatalError()
  }

  /// The document of one lineage, which must be there.
  public func document(_ key: DocumentKey, in room: RoomName) throws(ReplicaError) -> ReplicaDocument {
    fatalError()
  }

  /// A document that began as `text`: whoever seeds a document of this name with the same text, even offline, has the same
  /// document. Does nothing if it is there already, whatever was edited since; throws `lineageClash` if the
  /// name is taken by a document that began otherwise and has events. The empty text gives a blank document.
  public func seed(_ name: String, in room: String, with text: String) throws(ReplicaError) -> ReplicaDocument
  {
    fatalError()
  }

  /// All documents, or one room's, ordered by room, name and lineage.
  public func documents(in room: String? = nil) throws(ReplicaError) -> [DocumentStatus] { fatalError() }

  /// What is known of every room's log.
  public func rooms() throws(ReplicaError) -> [RoomStatus] { fatalError() }

  /// Takes in everything that another replica file has and this one lacks, without any relay. The other file is only read.
  public func merge(from path: String) throws(ReplicaError) -> MergeReport { fatalError() }

  /// Checks a whole file and says what is damaged and what is safe. Changes nothing. Throws only if there is no file to read.
  public static func verify(path: String) throws(ReplicaError) -> VerificationReport { fatalError() }

  /// Looks for what other processes wrote, and delivers it to `changes()`. Costs microseconds if there is nothing.
  /// Every other call does the same first; this is for those who only watch.
  public func refresh() throws(ReplicaError) { fatalError() }

  /// Writes a copy of the replica, complete in one file, while it is in use.
  public func copy(to path: String) throws(ReplicaError) { fatalError() }

  /// Ends all observations and closes the file. Later calls throw `closed`.
  public func close() throws(ReplicaError) { fatalError() }
}
