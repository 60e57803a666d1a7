import Foundation
import RopewalkCore
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

  private func queue() -> WriteQueue { WriteQueue(besides: scratch.path()) }
}
