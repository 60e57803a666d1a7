import ArgumentParser
import Foundation
import RopewalkRelay
import RopewalkSync

/// Mints a token for development.
struct TokenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token",
    abstract: "Make a token for development.",
    discussion: """
      Whoever holds the key that `ropewalk keys new` made can make tokens; in production that is your own sign-in \
      service.

      Example: ropewalk token --key-file relay.key --subject ada --room 'team/*=edit' --room lobby=view
      """)

  @Option(help: "A file that holds the private key (PEM), or the secret of HS256.", completion: .file())
  var keyFile: String?

  @Option(help: "An environment variable that holds the secret of HS256.")
  var keyEnvironment: String?

  @Option(help: "Who the token is for.")
  var subject: String

  @Option(
    name: .customLong("room"),
    help: "ROOM=ROLE or PREFIX*=ROLE, where a role is view, edit, run or own; repeatable.")
  var rooms: [RoomGrant]

  @Option(help: "Names the token (jti), so that it can be revoked alone. (default: at random)")
  var id: String?

  @Option(help: "How many minutes it holds.")
  var minutes = 24 * 60

  func validate() throws {
    if (keyFile == nil) == (keyEnvironment == nil) {
      throw ValidationError("Give --key-file or --key-environment.")
    }
    if rooms.isEmpty { throw ValidationError("Give at least one --room.") }
    if !(1...(10 * 365 * 24 * 60)).contains(minutes) {
      throw ValidationError("--minutes lies between 1 and ten years.")
    }
  }

  func run() async throws {
    let key = try keyFile.map { try RelayKey(file: $0) } ?? RelayKey(environment: keyEnvironment ?? "")
    let now = UInt64(max(0, Date().timeIntervalSince1970 * 1000))
    let token = try await RelayToken.mint(
      key: key, subject: subject,
      rooms: Dictionary(rooms.map { ($0.pattern, $0.role) }, uniquingKeysWith: max),
      issued: now, expires: now + UInt64(minutes) * 60_000, id: id ?? Wording.id(.random(in: 1 ... .max)))
    Console.standard.line(token)
  }
}

/// A role in a room, or in all rooms that begin alike.
struct RoomGrant: ExpressibleByArgument, Equatable {
  let pattern: String
  let role: Role

  init?(argument: String) {
    guard let equals = argument.lastIndex(of: "="), equals > argument.startIndex,
      let role = Role(name: String(argument[argument.index(after: equals)...]))
    else { return nil }
    pattern = String(argument[..<equals])
    self.role = role
  }
}
