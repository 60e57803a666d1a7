import ArgumentParser
import Foundation
import Ropewalk
import RopewalkPlainText
import UnixSignals

/// Keeps a plain file and a room equal.
struct MirrorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mirror",
    abstract: "Keep a plain file and a room equal, with or without a network.",
    discussion: """
      Edit the file with any editor: what you save is merged into the room, and what others save into the file. \
      Without a connection the edits are kept and sent later. It may be killed at any moment. What the relay refuses is \
      kept and told, and sent when the relay allows it; a --token-file is read again before its token expires and when the \
      relay refuses.

      The first time: an empty or missing file becomes the room's text; into an empty room goes the file's text. Where \
      both have a text, --take says which one goes on; the other is kept beside the file.

      An editor saves what it made of a text that it had read: its own last save, or something written into the file since. \
      A save is merged as an edit of the one that takes nothing of others' back, unless the text shows that its editor had \
      read more. So an editor that never reloads takes nothing back; where others' text comes back that was meant to go, the \
      mirror says so, and saving the same text once more, a second later or more, takes it out.

      A file that a program is still writing is waited for. One that is empty when the mirror begins, or that a failing \
      program emptied, gets its text back: to delete a text, empty the file while the mirror runs, or begin with --take \
      file. What cannot be done for the time being (a full disk, a folder that is gone) is said once and done later. \
      Spec/files.md has the details.

      Example: ropewalk mirror notes.md --room team
      """)

  @Argument(help: "The file; made if it is not there.", completion: .file())
  var file: String

  @Option(help: "The room.")
  var room: NameArgument

  @OptionGroup var relay: RelayOptions

  @Option(help: "Where the replica is kept. (default: .FILE.ropewalk, beside the file)")
  var replica: String?

  @Option(help: "The document's name in the room. (default: the file's name)")
  var document: NameArgument?

  @Option(help: "Which text goes on where file and room began with different ones: room or file.")
  var take: Mirror.Side?

  func validate() throws {
    if file.utf8.isEmpty { throw ValidationError("The file's name is empty.") }
  }

  func run() async throws {
    while try await mirror() == .replicaMoved {}
    Console.standard.line("stopped")
  }

  private func mirror() async throws -> MirrorSession.Ending {
    // Before anything is made beside it.
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: file, isDirectory: &isFolder), isFolder.boolValue {
      throw Failure(.file, "\(file) is a folder, not a plain file")
    }
    let plain = PlainFile(at: try FilePlace.named(file), patience: .standard)
    try plain.follow()
    let (room, name) = (room.text, document?.text ?? plain.name)
    let path = try replica ?? ReplicaPath.beside(plain.given.path)
    try ReplicaPath.mustNotBeRefused(path)
    // Before a replica is made: another mirror has its own.
    guard let lock = try FileLock(for: plain) else { throw MirrorRound.isKeptByAnother(plain) }
    ReplicaPath.make(path, asReadableAs: plain.path)
    let replica = try ReplicaPath.replica(at: path)
    let client = try Client(
      replica: replica, relay: relay.url, token: try relay.presentedToken(),
      options: relay.clientOptions)
    let report = MirrorReporter(
      file: FilePlace.shown(plain.name),
      place: "\(VisibleName.text(room))/\(VisibleName.text(name)) at \(relay.url)")
    let session = MirrorSession(
      file: plain, replica: replica, name: name, room: room, take: take, client: client, report: report,
      lock: lock, renewsToken: relay.tokenFile != nil)
    let ending: MirrorSession.Ending
    do {
      ending = try await session.run(until: await UnixSignalsSequence(trapping: .sigint, .sigterm))
    } catch {
      await client.close()
      throw error
    }
    await client.close()
    if ending == .replicaMoved {
      report.beginsAnew(path)
      try? replica.close()
    } else {
      try replica.close()
    }
    return ending
  }
}

extension Mirror.Side: ExpressibleByArgument {}
