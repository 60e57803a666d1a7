import ArgumentParser
import Foundation
import RopewalkRelay

/// Takes tokens back.
struct RevokeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke",
    abstract: "Make tokens hold no more, though they have not expired.",
    discussion: """
      Writes to the file `revoked` in the relay's data directory. A running relay reads it within a second and cuts off \
      whoever is connected with such a token.

      Examples:
        ropewalk relay revoke data --subject ada            ada is out, whatever token she shows
        ropewalk relay revoke data --subject ada --issued   tokens issued up to now; a new one lets her in again
        ropewalk relay revoke data --token 7f3c2a           the one token with this jti
        ropewalk relay revoke data --subject ada --undo     takes the first one back
      """)

  @Argument(help: "The relay's data directory.", completion: .directory)
  var directory: String

  @Option(help: "Tokens of this subject.")
  var subject: NameArgument?

  @Option(help: "The token with this id (jti).")
  var token: NameArgument?

  @Flag(help: "With --subject: only tokens that were issued up to now.")
  var issued = false

  @Flag(help: "Take a revocation back.")
  var undo = false

  func validate() throws {
    if (subject == nil) == (token == nil) { throw ValidationError("Give --subject or --token.") }
    if issued && subject == nil { throw ValidationError("--issued goes with --subject.") }
    if issued && undo {
      throw ValidationError("What was issued before a moment stays revoked; see the file.")
    }
  }

  func run() throws {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory), isDirectory.boolValue
    else { throw Failure(.file, "there is no directory \(directory)") }
    let file = RevocationFile(dataDirectory: directory)
    let changed = undo ? try file.remove(entry) : try file.add(entry)
    let console = Console.standard
    switch (undo, changed) {
    case (false, true): console.line("revoked")
    case (false, false): console.line("was revoked already")
    case (true, true): console.line("taken back")
    case (true, false): throw Failure(.checkFailed, "there is no such revocation")
    }
  }

  private var entry: Revocations.Entry {
    if let token { return .token(token.text) }
    let subject = subject?.text ?? ""
    guard issued else { return .subject(subject) }
    return .before(UInt64(max(0, Date().timeIntervalSince1970)) + 1, subject: subject)
  }
}
