import ArgumentParser
import Foundation
import Ropewalk
import RopewalkPlainText
import RopewalkSync

/// Which replica file. Where a plain file that is mirrored is named, its replica beside it is meant.
struct ReplicaArgument: ParsableArguments {
  @Argument(help: "A replica file, or a plain file that `ropewalk mirror` keeps.")
  var replica: String

  /// The replica's path.
  var path: String { ReplicaPath.resolved(replica) }

  /// Opens a replica that must be there, to read it: also where neither the file nor its folder can be written.
  func open() throws -> Replica {
    try ReplicaPath.mustExist(path)
    return try ReplicaPath.reading(path) { copy in
      try ReplicaPath.naming(path) { try Replica(path: copy) }
    }
  }

  func validate() throws {
    if replica.utf8.isEmpty { throw ValidationError("The replica's name is empty.") }
  }
}

/// Where replicas are.
enum ReplicaPath {
  /// The replica that `mirror` keeps for a plain file: hidden, beside it.
  static func beside(_ file: String) throws -> String {
    // SQLite appends `-journal` and the like to the name.
    try FilePlace.named(file).beside(".ropewalk", room: 8).path
  }

  /// The path itself, or the replica beside it if there is one.
  static func resolved(_ path: String) -> String {
    guard let beside = try? beside(path), FileManager.default.fileExists(atPath: beside) else { return path }
    return beside
  }

  /// Makes an empty file for a replica that nobody may read who may not read the plain file: both hold the text.
  static func make(_ path: String, asReadableAs file: String) {
    var status = stat()
    guard stat(file, &status) == 0 else { return }
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return }
    fchmod(descriptor, status.st_mode & 0o666 | 0o600)
    close(descriptor)
  }

  /// Opens a replica, or makes it.
  static func replica(at path: String) throws -> Replica { try naming(path) { try Replica(path: path) } }

  /// Hands on a path at which a replica can be opened: its own, or, since SQLite makes files beside one that it
  /// opens, that of a copy where that cannot be done. The copy's name is gone afterwards; who has it open can read
  /// it.
  static func reading<Result>(_ path: String, _ body: (String) throws -> Result) throws -> Result {
    // Not by NSString, which ends the process for a name of one letter.
    let folder = path.utf8.lastIndex(of: 0x2f).map { String(path[...$0]) } ?? "."
    let canBeOpened =
      access(path, W_OK) == 0 && (access(folder, W_OK) == 0 || access(path + "-shm", F_OK) == 0)
    if canBeOpened || access(path, R_OK) != 0 { return try body(path) }
    try mustNotBeRefused(path)
    let work = try WorkFolder()
    defer { work.remove() }
    let copy = work.path + "/replica"
    for suffix in ["", "-wal"] where access(path + suffix, F_OK) == 0 {
      do { try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix) } catch {
        throw Failure(.file, "\(path) cannot be copied to a folder where it could be opened")
      }
      chmod(copy + suffix, 0o600)
    }
    return try body(copy)
  }

  /// Says which file an error is about: a command may be given several, or mean the one beside.
  static func naming<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as ReplicaError {
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
        throw Failure(.file, "\(path) is a folder, not a replica")
      }
      let failure = Failure(error)
      throw Failure(failure.code, "\(path): \(failure.message)")
    }
  }

  /// Throws if the replica would be refused, before anything is made beside it.
  static func mustNotBeRefused(_ path: String) throws { try naming(path) { try Replica.look(path: path) } }

  static func mustExist(_ path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else {
      throw Failure(.file, "there is no replica at \(path); `ropewalk sync` or `ropewalk mirror` makes one")
    }
  }
}

/// Which document of a replica; not needed where there is only one.
struct DocumentOptions: ParsableArguments {
  @Option(help: "The room. (default: the only one)")
  var room: NameArgument?

  @Option(help: "The document's name. (default: the only one)")
  var document: NameArgument?

  @Option(
    help: ArgumentHelp(
      "Which document of that name: the first digits of its lineage, as `status` lists them.",
      valueName: "digits"))
  var lineage: String?

  /// The one document that is meant.
  func find(in replica: Replica) throws -> ReplicaDocument {
    let name = try document.map { text in
      guard let name = DocumentName(text.text) else { throw ReplicaError.invalidDocumentName }
      return name
    }
    let all = try replica.documents(in: room?.text).filter {
      (name == nil || $0.key.name == name) && (lineage.map($0.hasLineage) ?? $0.isCurrent)
    }
    guard let only = all.first else {
      let wish = [
        name.map { " named \($0.shown)" }, room.map { " in room \(VisibleName.text($0.text))" },
        lineage.map { " of lineage \(VisibleName.text($0))" },
      ].compactMap { $0 }
      throw Failure(.file, "the replica holds no document\(wish.joined())")
    }
    guard all.count == 1 else {
      let (rooms, names) = (VisibleNames(all.map(\.room.text)), VisibleNames(all.map(\.key.name.text)))
      let choices = all.map { status in
        let (room, name) = (rooms.text(status.room.text), names.text(status.key.name.text))
        let choice = Wording.option("--room", room) + " " + Wording.option("--document", name)
        return lineage == nil ? choice : choice + " --lineage \(Wording.id(status.key.lineage.rawValue))"
      }
      throw Failure(
        .usage, "the replica holds several documents; choose one:", details: choices.map { "  " + $0 })
    }
    if lineage != nil { return try replica.document(only.key, in: only.room) }
    return try replica.document(only.key.name.text, in: only.room.text)
  }
}

extension DocumentStatus {
  /// Whether the lineage begins with these hexadecimal digits.
  fileprivate func hasLineage(_ digits: String) -> Bool {
    Wording.id(key.lineage.rawValue).hasPrefix(digits.lowercased())
  }
}
