import ArgumentParser
import Foundation
import RopewalkPlainText
import RopewalkRelay
import RopewalkSync

/// Mints a token for development.
struct TokenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token",
    abstract: "Make a token for development.",
    discussion: """
      Whoever holds the key that `ropewalk keys new` made can make tokens; in production that is your own sign-in \
      service. A file with a key or secret that others on this machine may read or write is used, with a warning.

      Example: ropewalk token --key-file relay.key --subject ada --room 'team/*=edit' --room lobby=view
      """)

  @Option(help: "A file that holds the private key of ES256 or EdDSA (PEM).", completion: .file())
  var keyFile: String?

  @Option(help: "A file that holds the secret of HS256 (base64url without padding).", completion: .file())
  var secretFile: String?

  @Option(help: "An environment variable that holds the secret of HS256 (base64url without padding).")
  var secretEnvironment: String?

  @Option(help: "Who the token is for.")
  var subject: NameArgument

  @Option(
    name: .customLong("room"),
    help: "ROOM=ROLE or PREFIX*=ROLE, where a role is view, edit, run or own; repeatable.")
  var rooms: [RoomGrant]

  @Option(help: "Names the token (jti), so that it can be revoked alone. (default: at random)")
  var id: NameArgument?

  @Option(help: "How many minutes it holds.")
  var minutes = 24 * 60

  func validate() throws {
    if [keyFile, secretFile, secretEnvironment].count(where: { $0 != nil }) != 1 {
      throw ValidationError("Give one of --key-file, --secret-file and --secret-environment.")
    }
    if rooms.isEmpty { throw ValidationError("Give at least one --room.") }
    if !(1...(10 * 365 * 24 * 60)).contains(minutes) {
      throw ValidationError("--minutes lies between 1 and ten years.")
    }
  }

  func run() throws {
    let key =
      try keyFile.map { try RelayKey(file: $0) } ?? secretFile.map { try RelayKey(secretFile: $0) }
      ?? RelayKey(secretEnvironment: secretEnvironment ?? "")
    let file = [keyFile ?? secretFile].compactMap { $0 }
    for exposure in FileExposure.sentences(secrets: file, trusted: file) {
      Console.standard.problem("warning: \(exposure)")
    }
    let now = UInt64(max(0, Date().timeIntervalSince1970 * 1000))
    let token = try RelayToken.mint(
      key: key, subject: subject.text, rooms: rooms.map { ($0.pattern, $0.role) }, issued: now,
      expires: now + UInt64(minutes) * 60_000, id: id?.text ?? Wording.id(.random(in: 1 ... .max)))
    Console.standard.line(token)
  }
}

/// A role in a room, or in all rooms that begin alike.
struct RoomGrant: ExpressibleByArgument, Equatable {
  /// A name, or a prefix followed by `*`.
  let pattern: String
  let role: Role

  /// `NAME=ROLE`. The name may be written as lists show it, in quotes; a `*` after them makes it a prefix.
  init?(argument: String) {
    // By bytes: with a combining character after it, `=` would be another `Character`.
    guard let equals = argument.utf8.lastIndex(of: 0x3d), equals > argument.startIndex,
      let role = Role(name: String(Substring(argument.utf8[argument.utf8.index(after: equals)...])))
    else { return nil }
    let name = String(Substring(argument.utf8[..<equals]))
    let isQuotedPrefix = name.utf8.first == 0x22 && name.utf8.last == 0x2a
    guard let pattern = VisibleName.name(reading: isQuotedPrefix ? String(name.dropLast()) : name) else {
      return nil
    }
    // In quotes all is the name, and none ends with it.
    if name.utf8.first == 0x22, !isQuotedPrefix, pattern.utf8.last == 0x2a { return nil }
    self.pattern = isQuotedPrefix ? pattern + "*" : pattern
    self.role = role
  }

  static func == (one: RoomGrant, other: RoomGrant) -> Bool {
    one.role == other.role && one.pattern.utf8.elementsEqual(other.pattern.utf8)
  }
}
