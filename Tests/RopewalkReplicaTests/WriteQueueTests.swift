import Foundation
import RopewalkCore
import Synchronization
import Testing

@testable import RopewalkReplica

/// Writers take turns, in the order in which they came.
@Suite struct WriteQueueTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test func whoComesAgainQueuesBehindThoseWhoWait() {
    let (a, b, c) = (queue(), queue(), queue())
    for _ in 0..<100 {
      a.draw()
      b.draw()
      c.draw()
      #expect([a.isFirst, b.isFirst, c.isFirst] == [true, false, false])
      a.leave()
      a.draw()
      #expect([a.isFirst, b.isFirst, c.isFirst] == [false, true, false])
      b.leave()
      #expect([a.isFirst, c.isFirst] == [false, true])
      c.leave()
      #expect(a.isFirst)
      a.leave()
    }
  }

  @Test func whoEndsInTheQueueOrInItsTurnHoldsUpNobody() {
    var (a, b): (WriteQueue?, WriteQueue?) = (queue(), queue())
    let c = queue()
    a?.draw()
    b?.draw()
    c.draw()
    // As when the process is killed: the system closes its files.
    b = nil
    #expect(!c.isFirst)
    a = nil
    #expect(c.isFirst)
    #expect(a == nil && b == nil)
  }

  @Test func whoWaitsTooLongGivesUpItsPlace() throws {
    let (a, b, c) = (queue(), queue(), queue())
    a.draw()
    #expect(throws: ReplicaError.busy) { try b.enter(milliseconds: 0) {} }
    a.leave()
    try c.enter(milliseconds: 0) {}
  }

  @Test(arguments: [
    Data(), Data([1, 2, 3]), Data(repeating: 0xff, count: 8), Data(repeating: 0x7f, count: 4096),
  ]) func anythingInTheFileIsTakenForATicket(content: Data) throws {
    try content.write(to: URL(filePath: scratch.path() + "-queue"))
    let (a, b) = (queue(), queue())
    for round in 0..<3 {
      a.draw()
      b.draw()
      // After the last number the order begins anew.
      if round > 0 { #expect([a.isFirst, b.isFirst] == [true, false]) }
      a.leave()
      #expect(b.isFirst)
      b.leave()
    }
  }

  @Test func aFileThatWasRemovedIsMadeAnew() throws {
    let (a, b) = (queue(), queue())
    a.draw()
    a.leave()
    b.draw()
    b.leave()
    try FileManager.default.removeItem(atPath: scratch.path() + "-queue")
    a.draw()
    b.draw()
    #expect([a.isFirst, b.isFirst] == [true, false])
  }

  @Test func whereTheFileCannotBeUsedWritersGoOn() throws {
    try FileManager.default.createDirectory(
      atPath: scratch.path() + "-queue", withIntermediateDirectories: false)
    let notes = try scratch.open().document("notes.md", in: "team")
    try notes.insert("abc", at: 0)
    #expect(try notes.text == "abc")
  }

  @Test func aClosedReplicaLeavesOneFile() throws {
    let replica = try scratch.open()
    let notes = try replica.document("notes.md", in: "team")
    try notes.insert("abc", at: 0)
    try replica.close()
    #expect(throws: ReplicaError.closed) { try notes.insert("d", at: 3) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.folder.path) == ["replica.sqlite"])
  }

  /// Beside writers that never pause, an edit waits for one transaction of each at most.
  @Test func anEditWaitsForOneTransactionOfEachOther() async throws {
    let writers = 3
    let counts = Counts(writers)
    let scratch = scratch
    let others = (0..<writers).map { writer in
      Task.detached {
        let notes = try scratch.open().document("notes \(writer)", in: "team")
        while !counts.isOver {
          await Task.yield()
          try notes.edit { text in
            counts.count(writer)
            if text.scalarCount > 100 { try text.delete(0..<text.scalarCount) } else { try text.append("x") }
          }
        }
      }
    }
    try await Task.detached {
      defer { counts.end() }
      var options = ReplicaOptions.forTests()
      options.whenQueued = { counts.mark() }
      let notes = try scratch.open("replica.sqlite", options).document("single", in: "team")
      for _ in 0..<100 {
        try notes.edit { text in
          // One that had begun before may have counted itself only afterwards.
          for others in counts.sinceMark { #expect(others <= 1) }
          try text.append("x")
        }
      }
    }.value
    for other in others { try await other.value }
    #expect(try Replica.verify(path: scratch.path()).isSound)
  }

  private func queue() -> WriteQueue { WriteQueue(besides: scratch.path()) }
}

/// How many transactions each writer has made.
private final class Counts: Sendable {
  private struct State {
    var made: [Int]
    var marked: [Int]
    var isOver = false
  }

  private let state: Mutex<State>

  init(_ writers: Int) {
    let none = [Int](repeating: 0, count: writers)
    state = Mutex(State(made: none, marked: none))
  }

  var isOver: Bool { state.withLock { $0.isOver } }
  var sinceMark: [Int] { state.withLock { state in zip(state.made, state.marked).map { $0 - $1 } } }

  func count(_ writer: Int) { state.withLock { $0.made[writer] += 1 } }
  func mark() { state.withLock { $0.marked = $0.made } }
  func end() { state.withLock { $0.isOver = true } }
}
