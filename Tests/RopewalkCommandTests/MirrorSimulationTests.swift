import Foundation
import Ropewalk
import Testing

@testable import RopewalkCommand

/// Two people with a file, a replica and a mirror each, whose replicas meet now and then. Whatever the order of saves,
/// meetings and restarts: in the end there is one text, with every line that was ever written in it just once, except those
/// that somebody deleted.
@Suite struct MirrorSimulationTests {
  private struct Person {
    let name: String
    let folder: TestFolder
    let replica: Replica
    var mirror: Mirror

    init(_ name: String, text: String) throws {
      self.name = name
      folder = try TestFolder()
      replica = try Replica(path: folder["replica"])
      try folder.write(text, to: "notes.md")
      mirror = try Self.open(folder, replica)
    }

    static func open(_ folder: TestFolder, _ replica: Replica) throws -> Mirror {
      var mirror = try Mirror.open(
        file: PlainFile(path: folder["notes.md"]), replica: replica, name: "notes.md", room: "team", take: nil
      ).mirror
      // No save here is of something that was read before a write.
      mirror.now = { 0 }
      return mirror
    }

    mutating func restart() throws { mirror = try Self.open(folder, replica) }

    mutating func settle() throws { #expect(try mirror.settle().standing == .equal) }

    var lines: [String] { folder.text("notes.md")?.split(separator: "\n").map(String.init) ?? [] }

    /// Saves other lines, in place or by renaming.
    func save(_ lines: [String], inPlace: Bool) throws {
      let text = lines.map { $0 + "\n" }.joined()
      if inPlace { try folder.write(text, to: "notes.md") } else { try folder.replace("notes.md", by: text) }
    }
  }

  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func everyLineIsThereOnce(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    var people = [try Person("a", text: "begin\n"), try Person("b", text: "begin\n")]
    var written: Set<String> = ["begin"]
    var deleted: Set<String> = []
    for step in 0..<60 {
      let who = Int.random(in: 0...1, using: &random)
      switch Int.random(in: 0..<8, using: &random) {
      case 0...2:
        var lines = people[who].lines
        let line = "\(people[who].name) writes \(step)"
        lines.insert(line, at: Int.random(in: 0...lines.count, using: &random))
        written.insert(line)
        try people[who].save(lines, inPlace: Bool.random(using: &random))
      case 3:
        var lines = people[who].lines
        guard let victim = lines.indices.randomElement(using: &random) else { break }
        deleted.insert(lines.remove(at: victim))
        try people[who].save(lines, inPlace: Bool.random(using: &random))
      case 4...5: try people[who].settle()
      case 6: try people[who].restart()
      default: _ = try people[who].replica.merge(from: people[1 - who].replica.path)
      }
    }
    for _ in 0..<2 {
      for who in 0...1 {
        try people[who].settle()
        _ = try people[1 - who].replica.merge(from: people[who].replica.path)
        try people[1 - who].settle()
      }
    }
    #expect(people[0].lines == people[1].lines, "seed \(seed)")
    #expect(people[0].lines.sorted() == written.subtracting(deleted).sorted(), "seed \(seed)")
    #expect(try people[0].mirror.document.text == people[0].folder.text("notes.md"))
  }
}
