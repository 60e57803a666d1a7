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

    private var hasSaved = false

    mutating func settle() throws {
      hasSaved = false
      #expect(try mirror.settle().standing == .equal)
    }

    var lines: [String] { folder.text("notes.md")?.split(separator: "\n").map(String.init) ?? [] }

    /// Saves other lines, in place or by renaming. One change of one line at a time: two in one save may be told
    /// by the scalars they share, and another's change of the same line then leaves a part of it.
    mutating func save(inPlace: Bool, _ change: (inout [String]) -> Void) throws {
      if hasSaved { try settle() }
      hasSaved = true
      var lines = lines
      change(&lines)
      let text = lines.map { $0 + "\n" }.joined()
      if inPlace { try folder.write(text, to: "notes.md") } else { try folder.replace("notes.md", by: text) }
    }
  }

  /// A line that has hardly a letter in common with any other.
  private static func line(_ number: Int, _ random: inout SplitMix) -> String {
    var line = String.UnicodeScalarView()
    for _ in 0..<8 {
      line.append(Unicode.Scalar(UInt16.random(in: 0x4e00..<0x9f00, using: &random)) ?? "?")
    }
    return "\(String(line))\(number)"
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
        let line = Self.line(step, &random)
        written.insert(line)
        let inPlace = Bool.random(using: &random)
        try people[who].save(inPlace: inPlace) {
          $0.insert(line, at: Int.random(in: 0...$0.count, using: &random))
        }
      case 3:
        let inPlace = Bool.random(using: &random)
        try people[who].save(inPlace: inPlace) {
          guard let victim = $0.indices.randomElement(using: &random) else { return }
          deleted.insert($0.remove(at: victim))
        }
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
