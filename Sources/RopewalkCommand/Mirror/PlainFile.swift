import Foundation
import Synchronization

/// The plain file that a mirror keeps, read and replaced so that no other program's save is missed.
///
/// Reading waits for writers (`FileReading`). On Linux a read lease says whether there is one, and keeps new ones out
/// for the moment of reading.
///
/// Replacing exchanges the file with a finished temporary one in a single step (`RENAME_EXCHANGE`), so what was
/// replaced is still there to be looked at: a save that came between reading and replacing is found in it.
///
/// The name that a person gave is what counts. Where it is a symbolic link, the file that it points to is kept;
/// when the name comes to mean another file, that one.
struct PlainFile: Sendable {
  /// What the file holds.
  enum Content: Equatable {
    /// There is no file.
    case missing
    /// A whole text, in UTF-8.
    case text([UInt8])
    /// A text that has not changed for a while, though a program still has the file open for writing.
    case openText([UInt8])
    /// Emptied by an accident; its text is to be put back.
    case emptied
    /// Bytes that are not UTF-8; the first bad line, from 1.
    case notText(line: Int)
    /// It is being written, or looks so.
    case busy
  }

  /// What the system can do for a file; tests leave some of it out.
  struct System: Sendable {
    var leases = true
    /// Exchanging two files in one step.
    var exchanges = true
    /// Telling of changes.
    var events = true
  }

  /// As the person named it.
  let given: FilePlace
  let system: System
  let memory: FileMemory
  /// Seconds of a clock that never goes back.
  let clock: @Sendable () -> Double

  /// The file of a name, which need not exist.
  init(
    at given: FilePlace, patience: FileReading.Patience = .none, system: System = System(),
    clock: @escaping @Sendable () -> Double = PlainFile.monotonic
  ) {
    (self.given, self.system, self.clock) = (given, system, clock)
    // Where that cannot be found out, reading says why.
    memory = FileMemory((try? given.followed()) ?? [given], patience)
  }

  /// The file of a path from the root of the file system on.
  init(path: String) { self.init(at: FilePlace(path, in: "/")) }

  /// Since the system was started.
  static let monotonic: @Sendable () -> Double = {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Its name, as it was given.
  var name: String { given.name }

  /// Where the file itself is, symbolic links followed.
  var place: FilePlace { memory.places[memory.places.count - 1] }

  var path: String { place.path }

  /// The folder it is in.
  var folder: String { place.folder }

  /// Where the next content is prepared, and where the previous one is after the exchange.
  var temporaryPath: String { place.beside(".ropewalk-new").path }

  /// Where the previous content is for a moment, on file systems that cannot exchange.
  var previousPath: String { place.beside(".ropewalk-old").path }

  /// What a mirror locks while it keeps the file; its content is the file's mark.
  var lockPath: String { place.beside(".ropewalk-lock").path }

  /// Who may read and write the file; nil if it is not there.
  var access: FileAccess? { FileAccess(of: path) }

  static func failure(_ problem: String, _ path: String) -> Failure {
    Failure(.file, "\(FilePlace.shown(path)) \(problem): \(String(cString: strerror(errno)))")
  }
}
