import Foundation
import Testing

@testable import RopewalkCommand

/// Random sessions of people with editors: whatever they do in whatever order, nothing that somebody typed and nobody deleted
/// is missing in the end, nothing is there twice, and nothing that somebody deleted is back unless that person put it back.
///
/// `ROPEWALK_EDITOR_SESSIONS` says how many, `ROPEWALK_SEED` with which the first begins.
@Suite struct EditorSessionTests {
  @Test func nothingIsLostDoubledOrBack() throws {
    let environment = ProcessInfo.processInfo.environment
    let first = environment["ROPEWALK_SEED"].flatMap(UInt64.init) ?? .random(in: 1 << 20..<1 << 32)
    let count = environment["ROPEWALK_EDITOR_SESSIONS"].flatMap(UInt64.init) ?? 200
    print("editor sessions with the seeds \(first) ..< \(first + count)")
    var failures = 0
    for seed in first..<first + count {
      var session = try EditorSession(seed: seed)
      let wrong = try session.play()
      if wrong.isEmpty { continue }
      failures += 1
      Issue.record("seed \(seed): \(wrong.joined(separator: "; "))\n\(session.log.joined(separator: "\n"))")
      if failures == 3 { break }
    }
  }
}
