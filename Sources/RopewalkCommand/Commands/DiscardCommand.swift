import ArgumentParser
import Foundation
import Ropewalk
import RopewalkSync

/// Takes what the relay refused out of documents.
struct DiscardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard",
    abstract: "Take out of a replica what the relay refused, so that the texts are what others see.",
    discussion: """
      `ropewalk status` shows what was refused, and why. To keep it, do nothing: it is sent when the relay allows it. \
      What is taken out is gone from the replica for good; the text as it was before is kept in a file beside the replica.
      """)

  @OptionGroup var replica: ReplicaArgument

  @Option(help: "The room. (default: all)")
  var room: NameArgument?

  @Option(help: "The document's name. (default: all)")
  var document: NameArgument?

  func run() throws {
    let replica = try replica.open()
    var keys: [(room: RoomName, key: DocumentKey)] = []
    let name = document.flatMap { DocumentName($0.text) }
    if document != nil, name == nil { throw ReplicaError.invalidDocumentName }
    let refused = try replica.refused(in: room?.text).filter {
      $0.reason == .forbidden || $0.reason == .tooLarge
    }
    for events in refused where name == nil || events.key.name == name {
      if !keys.contains(where: { $0 == (events.room, events.key) }) { keys.append((events.room, events.key)) }
    }
    var count = 0
    for (room, key) in keys { count += try discard(key, in: room, of: replica) }
    if count == 0 { Console.standard.line("nothing that can be taken out was refused") }
  }

  /// Returns how many events were taken out.
  private func discard(_ key: DocumentKey, in room: RoomName, of replica: Replica) throws -> Int {
    let document = try replica.document(key, in: room)
    let before = try document.read().utf8
    let kept = try PlainFile(path: Self.place(key, beside: replica.path)).keepBeside(before, as: "discarded")
    let count = try document.discardRefused().reduce(0) { $0 + $1.seqs.count }
    if count == 0 { return 0 }
    Console.standard.line(
      "took \(Wording.count(count, "event")) out of \(key.name.shown); the text with them is kept as \(kept)")
    return count
  }

  /// Where the text of a document is kept: a file of its name, beside the replica.
  private static func place(_ key: DocumentKey, beside replica: String) -> String {
    var bytes = key.name.utf8.prefix(200).map { $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0 }
    if bytes.first == UInt8(ascii: ".") { bytes.insert(UInt8(ascii: "_"), at: 0) }
    let folder = URL(fileURLWithPath: replica).deletingLastPathComponent().path
    return folder + "/" + String(decoding: bytes, as: UTF8.self)
  }
}
