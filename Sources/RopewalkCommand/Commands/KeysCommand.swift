import ArgumentParser
import Foundation
import RopewalkPlainText
import RopewalkRelay

/// Keys for tokens.
struct KeysCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Make keys that tokens are signed with.", subcommands: [New.self])

  /// Makes a key.
  struct New: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "new",
      abstract:
        "Make a key: a private file that signs tokens, and for ES256 and EdDSA a public one for relays.",
      discussion: """
        The private file is for your sign-in service and `ropewalk token`; only its owner may read it. The public \
        file, a JSON Web Key Set, is for relays (`ropewalk serve --jwks-file`). If it is there already, the new key is \
        added to it: relays take tokens of both until the old one is removed.

        With HS256 there is one file, a secret, which relays need as well (`ropewalk serve --secret-file`): 32 random \
        bytes as one line of base64url without padding.
        """)

    @Option(help: "HS256, ES256 or EdDSA.")
    var algorithm = RelayKey.Algorithm.es256

    @Option(help: "The private file, which must not be there yet.", completion: .file())
    var out: String

    @Option(help: "The public file. (default: the private file's name and .jwks)", completion: .file())
    var jwks: String?

    func run() throws {
      let key = RelayKey.generate(algorithm)
      guard let text = key.privateText else { throw Failure(.other, "the key could not be made") }
      let publicPath = jwks ?? out + ".jwks"
      var keySet: String?
      if let jwk = key.publicJWK { keySet = try Self.keySet(adding: jwk, at: publicPath) }
      try Self.write(text.hasSuffix("\n") ? text : text + "\n", toNew: out)
      let console = Console.standard
      guard let keySet else {
        console.line("private key: \(out)")
        return console.line("the relay needs the same file: ropewalk serve --secret-file \(out)")
      }
      do { try Data(keySet.utf8).write(to: URL(fileURLWithPath: publicPath), options: .atomic) } catch {
        // Without its public half the private key is of no use, and its name would be taken.
        unlink(out)
        throw Failure(.file, "\(publicPath) cannot be written; no key was made")
      }
      console.line("private key: \(out)")
      console.line("public keys: \(publicPath), for ropewalk serve --jwks-file")
      if let id = key.id { console.line("kid: \(id)") }
    }

    /// The text of a key set with one more key than the file has.
    private static func keySet(adding jwk: String, at path: String) throws -> String {
      var keys: [Any] = []
      let file: TextFile?
      do { file = try TextFile.ifThere(path: path) } catch { throw Failure(.file, "\(error)") }
      if let file {
        // Foundation would keep one of two members of one name.
        guard (try? file.json()) != nil,
          let set = try? JSONSerialization.jsonObject(with: Data(file.bytes)) as? [String: Any],
          let found = set["keys"] as? [Any]
        else { throw Failure(.file, "\(path) is not a JSON Web Key Set") }
        keys = found
      }
      keys.append(try JSONSerialization.jsonObject(with: Data(jwk.utf8)))
      let options: JSONSerialization.WritingOptions = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      let data = try JSONSerialization.data(withJSONObject: ["keys": keys], options: options)
      return String(decoding: data, as: UTF8.self) + "\n"
    }

    /// Never overwrites; nobody but the owner may read it, not even for a moment.
    private static func write(_ text: String, toNew path: String) throws {
      let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      guard file >= 0 else {
        throw Failure(.file, "\(path) \(errno == EEXIST ? "is there already" : "cannot be made")")
      }
      let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
      do {
        try handle.write(contentsOf: Data(text.utf8))
        try handle.synchronize()
      } catch { throw Failure(.file, "\(path) cannot be written") }
    }
  }
}

extension RelayKey.Algorithm: ExpressibleByArgument {
  /// Any spelling of upper and lower case.
  public init?(argument: String) {
    guard let found = Self.allCases.first(where: { $0.rawValue.lowercased() == argument.lowercased() }) else {
      return nil
    }
    self = found
  }
}
