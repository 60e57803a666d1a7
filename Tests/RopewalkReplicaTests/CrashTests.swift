import Foundation
import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkReplica

@Suite struct CrashTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// A process that writes until it is killed.
  private final class Writer {
    private let process = Process()
    private let pipe = Pipe()

    init(_ path: String, _ document: String, _ mark: String) throws {
      let products = Bundle.main.bundleURL
      process.executableURL = products.appending(path: "ReplicaWriter")
      process.arguments = [path, document, mark]
      process.standardOutput = pipe
      try process.run()
    }

    /// Lets the process say so many words, kills it, and returns all that it said.
    func kill(after count: Int) throws -> [String] {
      var said = Data()
      var words = 0
      while words < count {
        let piece = pipe.fileHandleForReading.availableData
        if piece.isEmpty { break }
        said += piece
        words += piece.count { $0 == UInt8(ascii: "\n") }
      }
      #if canImport(Glibc)
        Glibc.kill(process.processIdentifier, SIGKILL)
      #else
        Darwin.kill(process.processIdentifier, SIGKILL)
      #endif
      process.waitUntilExit()
      said += try pipe.fileHandleForReading.readToEnd() ?? Data()
      // A word without its line end was cut off by the kill; its edit had returned all the same.
      return String(decoding: said, as: UTF8.self).split(separator: "\n").map(String.init)
    }
  }

  @Test func nothingThatAnEditReturnedForIsLostWhenTheProcessIsKilled() throws {
    let seed = testSeed()
    var random = SeededGenerator(seed: seed)
    var said: [String] = []
    for round in 0..<8 {
      let writer = try Writer(scratch.path(), "notes.md", "r\(round)n")
      said += try writer.kill(after: Int.random(in: 1...60, using: &random))
      if round % 2 == 1 { #expect(try Replica.verify(path: scratch.path()).damage == [], "seed \(seed)") }
      let text = try scratch.open().document("notes.md", in: "room").text
      #expect(said.allSatisfy { text.contains($0) }, "seed \(seed), round \(round)")
      #expect(try Replica.verify(path: scratch.path()).damage == [], "seed \(seed), round \(round)")
    }
    #expect(said.count > 8)
    try expectAllIsInTheOutbox()
  }

  @Test func severalProcessesWriteOneFileAndAreKilled() throws {
    let seed = testSeed()
    var random = SeededGenerator(seed: seed)
    var said: [String] = []
    for round in 0..<3 {
      let writers = try (0..<3).map { try Writer(scratch.path(), "notes.md", "r\(round)w\($0)n") }
      for writer in writers { said += try writer.kill(after: Int.random(in: 5...30, using: &random)) }
    }
    let text = try scratch.open().document("notes.md", in: "room").text
    #expect(said.allSatisfy { text.contains($0) }, "seed \(seed)")
    #expect(try Replica.verify(path: scratch.path()).damage == [], "seed \(seed)")
    try expectAllIsInTheOutbox()
  }

  private func expectAllIsInTheOutbox() throws {
    let replica = try scratch.open()
    let text = try replica.document("notes.md", in: "room").text
    var relay = RelayDouble()
    let room = try #require(RoomName("room"))
    try relay.exchange(with: replica, in: room)
    let other = try scratch.open("other")
    try relay.exchange(with: other, in: room)
    #expect(try other.document("notes.md", in: "room").text == text)
  }
}
