import Synchronization

/// What happened to a file that a person should know.
enum FileRemark: Equatable, Sendable {
  case emptied(FileReading.Accident)
  /// A text was cut off in the middle of a line; what it was is kept in this file.
  case lost(keptAs: String)
  /// The name means another file from now on.
  case moved(to: String)
  /// The name was a symbolic link to this file, and is a file of its own from now on.
  case linkReplaced(was: String)
  /// The file has other names, which will not follow.
  case otherNames(count: Int)
}

/// What is known of a file from earlier looks; shared by all copies of a `PlainFile`, since it is about one file.
final class FileMemory: Sendable {
  struct Parts: Sendable {
    /// The name that was given, then where symbolic links lead.
    var places: [FilePlace]
    var reading: FileReading
    /// Of the file that was replaced last.
    var replaced: FileReading
    /// What is prepared to be put in place.
    var prepared: [UInt8] = []
    /// Whether what was replaced is still to be looked at.
    var isReplacing = false
    /// When to look again though nothing was heard; nil if something will be heard.
    var nextLook: Double?
    var remarks: [FileRemark] = []
    /// A program was heard to write, and not yet to close.
    var isBeingWritten = false
    /// The file whose other names were remarked upon.
    var manyNamed: FileLook.Signature?
  }

  private let parts: Mutex<Parts>

  init(_ places: [FilePlace], _ patience: FileReading.Patience) {
    let reading = FileReading(patience)
    parts = Mutex(Parts(places: places, reading: reading, replaced: reading))
  }

  func with<Result, Problem: Error>(_ body: (inout sending Parts) throws(Problem) -> sending Result)
    throws(Problem) -> sending Result
  { try parts.withLock(body) }

  var places: [FilePlace] { parts.withLock { $0.places } }

  /// When to look again, in seconds, though nothing was heard.
  var nextLook: Double? { parts.withLock { $0.nextLook } }

  /// What a person should know since the last call.
  func takeRemarks() -> [FileRemark] {
    parts.withLock { parts in
      defer { parts.remarks = [] }
      return parts.remarks
    }
  }

  /// The file is known to have held this text before anybody looked.
  func remember(_ text: [UInt8]) {
    parts.withLock {
      $0.reading.remember(text)
      $0.replaced.remember(text)
    }
  }

  /// An empty file at the first look is meant.
  func takeEmptyFile() { parts.withLock { $0.reading.takesEmptyFile = true } }

  /// A program was heard to write the file, or to close it.
  func hear(isBeingWritten: Bool) { parts.withLock { $0.isBeingWritten = isBeingWritten } }
}
