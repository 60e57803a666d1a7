import Foundation
import Ropewalk
import Testing

@testable import RopewalkCommand

/// A replica is put back from a backup while the file beside it stays: what was saved since is at the relay, here another
/// replica, and must not be written a second time.
@Suite struct MirrorBackupTests {
  private let folder: TestFolder
  private let relay: Replica
  private var file: PlainFile { PlainFile(path: folder["a"]) }

  /// The file was saved as "one\ntwo\n" when the backup was made, and as "one\ntwo\nthree\n" later.
  init() throws {
    folder = try TestFolder()
    relay = try Replica(path: folder["relay"])
    try folder.write("one\n", to: "a")
    try withMirror { mirror in
      try folder.replace("a", by: "one\ntwo\n")
      _ = try mirror.settle()
    }
    try FileManager.default.copyItem(atPath: folder["replica"], toPath: folder["backup"])
    try withMirror { mirror in
      try folder.replace("a", by: "one\ntwo\nthree\n")
      _ = try mirror.settle()
    }
    _ = try relay.merge(from: folder["replica"])
    try FileManager.default.removeItem(atPath: folder["replica"])
    try FileManager.default.moveItem(atPath: folder["backup"], toPath: folder["replica"])
  }

  private func withMirror(_ body: (inout Mirror) throws -> Void) throws {
    let replica = try Replica(path: folder["replica"])
    let lock = try #require(try FileLock(for: file))
    var mirror = try Mirror.open(
      file: file, replica: replica, name: "a", room: "team", take: nil, mark: FileMark(of: file)
    ).mirror
    try body(&mirror)
    withExtendedLifetime(lock) {}
    try replica.close()
  }

  @Test func nothingIsComparedBeforeTheRoomWasRead() throws {
    try withMirror { mirror in
      #expect(mirror.isBehind)
      let report = try mirror.settle()
      #expect(report.standing == .behind)
      #expect(folder.text("a") == "one\ntwo\nthree\n")
      let text = try mirror.document.text
      #expect(text == "one\ntwo\n")
    }
    // Nor by the next one.
    try withMirror { mirror in #expect(mirror.isBehind) }
  }

  @Test(arguments: ["one\ntwo\nthree\n", "one\ntwo\nthree\nfour\n", "zero\none\ntwo\nthree\n"])
  func whatCameBackFromTheRoomIsNotWrittenTwice(saved: String) throws {
    try folder.replace("a", by: saved)
    try withMirror { mirror in
      _ = try mirror.settle()
      let replica = relay.path
      _ = try Replica(path: folder["replica"]).merge(from: replica)
      try mirror.catchUp()
      let report = try mirror.settle()
      #expect(report.standing == .equal)
      #expect(report.saved.deleted == 0)
      #expect(report.saved.inserted == saved.count - "one\ntwo\nthree\n".count)
      #expect(folder.text("a") == saved)
      #expect(try mirror.document.text == saved)
    }
    try withMirror { mirror in #expect(!mirror.isBehind) }
  }

  @Test func whatOthersWroteSinceIsWrittenIntoTheFile() throws {
    try relay.document("a", in: "team").insert("others\n", at: 0)
    try withMirror { mirror in
      _ = try Replica(path: folder["replica"]).merge(from: relay.path)
      try mirror.catchUp()
      _ = try mirror.settle()
      #expect(folder.text("a") == "others\none\ntwo\nthree\n")
    }
  }
}
