import Foundation
import Ropewalk
import Synchronization
import Testing

@testable import RopewalkCommand

/// Editors that save what they made of a text that the file no longer holds.
@Suite struct MirrorOriginTests {
  private let folder: TestFolder
  private let replica: Replica
  private let clock = Clock()

  /// Milliseconds since 1970.
  private final class Clock: Sendable {
    let now = Mutex(UInt64(1_000_000_000_000))
    func pass(seconds: UInt64) { now.withLock { $0 += seconds * 1000 } }
  }

  init() throws {
    folder = try TestFolder()
    replica = try Replica(path: folder["replica"])
  }

  private func open(_ text: String? = nil) throws -> Mirror {
    if let text { try folder.write(text, to: "a") }
    var mirror = try Mirror.open(
      file: PlainFile(path: folder["a"]), replica: replica, name: "a", room: "team", take: nil
    ).mirror
    let clock = clock
    mirror.now = { clock.now.withLock { $0 } }
    return mirror
  }

  /// What somebody else makes of the document's text.
  private func other(_ mirror: inout Mirror, _ text: String) throws {
    var theirs = try mirror.document.read()
    theirs.replica = ReplicaID(rawValue: UInt64.random(in: 1 ... .max))
    let before = theirs.versionVector
    for patch in TextDiff.patches(from: theirs.text, to: text) {
      theirs.replace(patch.position..<patch.position + patch.deleted, with: patch.insertedText)
    }
    let update = theirs.update(since: before)
    try mirror.document.edit { _ = try $0.apply(update) }
    #expect(try mirror.settle().standing == .equal)
    #expect(try mirror.document.text == text)
  }

  /// An editor saves by renaming; some seconds pass before and after.
  @discardableResult
  private func save(_ mirror: inout Mirror, _ text: String) throws -> Mirror.Report {
    clock.pass(seconds: 2)
    try folder.replace("a", by: text)
    let report = try mirror.settle()
    clock.pass(seconds: 2)
    #expect(folder.text("a") == (try mirror.document.text))
    return report
  }

  // MARK: What must come out

  @Test(arguments: ["", "four\n"])
  func whoDeletesAndUndoesThatHasEverythingAgain(deleted: String) throws {
    var mirror = try open("one\ntwo\nthree\nfour\n")
    _ = try mirror.settle()
    try other(&mirror, "one\ntwo\nX\nthree\nfour\n")
    try save(&mirror, deleted)
    #expect(folder.text("a") == "X\n" + deleted)
    try save(&mirror, "one\ntwo\nX\nthree\nfour\n")
    #expect(folder.text("a") == "one\ntwo\nX\nthree\nfour\n")
  }

  @Test func whoUndoesWithoutReloadingKeepsWhatOthersWroteInTheGap() throws {
    let (one, two) = ("a long first line\n", "a long second line\n")
    var mirror = try open("head\n" + one + two + "foot\n")
    _ = try mirror.settle()
    try save(&mirror, "head\nfoot\n")
    // The editor never shows this. Others want one of the lines kept, and add to it.
    try other(&mirror, "head\n" + one + "X\nY\nfoot\n")
    mirror = try open()
    try save(&mirror, "head\n" + one + two + "foot\n")
    let text = try mirror.document.text
    #expect(text.contains("X\nY\n"))
    #expect(text.contains(two))
  }

  @Test func whoUndoesAfterReloadingHasEverythingOnce() throws {
    let own = "a long first line\na long second line\n"
    var mirror = try open("head\n" + own + "foot\n")
    _ = try mirror.settle()
    try save(&mirror, "head\nfoot\n")
    try save(&mirror, "head\nfoot\nmore\n")
    try other(&mirror, "head\nX\nfoot\nmore\n")
    for text in ["head\nX\n" + own + "foot\nmore\n", "head\nX\nfoot\nmore\n", "head\n" + own + "X\nfoot\n"] {
      try save(&mirror, text)
      #expect(folder.text("a") == text)
    }
  }

  @Test func whoTakesEverythingOutAndUndoesPartOfThatLosesNothingThatWasNeverRead() throws {
    var mirror = try open("丁")
    _ = try mirror.settle()
    try other(&mirror, "丁丂七丆万")
    // The editor reads this, and nothing of what comes then.
    for text in ["丁丂七丆万丈三", "丁丂七丆万丈三丌", "丁丂七丆万丈三丌不与", "丁丂七丆万丈三丌不与专且丕世"] {
      try other(&mirror, text)
    }
    // A file does not say that its editor had read the others' text.
    let report = try save(&mirror, "")
    #expect(report.savedOfThePast)
    mirror = try open()
    try save(&mirror, "丁丂万")
    #expect(folder.text("a")?.unicodeScalars.count == 12)
    for scalar in "丁丂万丈三丌不与专且丕世".unicodeScalars {
      #expect(folder.text("a")?.unicodeScalars.filter { $0 == scalar }.count == 1)
    }
  }

  @Test(arguments: ["yXtyped here\n", "typed\nyX", "typed here yX", "yXx"])
  func whoGoesOnTypingAtAnothersShortWordHasThatOnce(end: String) throws {
    var mirror = try open("one two\nthree\n")
    _ = try mirror.settle()
    try save(&mirror, "one two\nthree\nfour\n")
    try other(&mirror, "one two\nthree\nfour\nyX")
    let report = try save(&mirror, "one two\nthree\nfour\n" + end)
    #expect(!report.savedOfThePast)
    #expect(folder.text("a") == "one two\nthree\nfour\n" + end)
  }

  @Test func undoingAnOwnLineKeepsTheWordThatAnotherPutIntoIt() throws {
    var mirror = try open("first\n")
    try save(&mirror, "first\nhello there\n")
    try other(&mirror, "first\nhello WORLD there\n")
    let report = try save(&mirror, "first\n")
    #expect(report.savedOfThePast)
    #expect(try mirror.document.text.contains("WORLD"))
    #expect(try !mirror.document.text.contains("there"))
  }

  @Test func anOldVersionThatIsPutBackTwiceStays() throws {
    var mirror = try open("old\n")
    _ = try mirror.settle()
    try FileManager.default.copyItem(atPath: folder["a"], toPath: folder["backup"])
    try other(&mirror, "old\nnew\n")
    for round in 0..<2 {
      try folder.write("old\n", to: "a~")
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 900_000_000)], ofItemAtPath: folder["a~"])
      #expect(rename(folder["a~"], folder["a"]) == 0)
      clock.pass(seconds: 3)
      #expect(try mirror.settle().savedOfThePast == (round == 0))
      #expect(folder.text("a") == (round == 0 ? "old\nnew\n" : "old\n"))
    }
    #expect(try mirror.document.text == "old\n")
  }

  @Test func anOldVersionPutBackTwiceStaysAcrossARestart() throws {
    var mirror = try open("old\n")
    _ = try mirror.settle()
    try other(&mirror, "old\nnew\n")
    try save(&mirror, "old\n")
    #expect(folder.text("a") == "old\nnew\n")
    mirror = try open()
    try save(&mirror, "old\n")
    #expect(folder.text("a") == "old\n")
  }

  @Test func aProgramThatSavesTwiceInARowTakesNothingBack() throws {
    var mirror = try open("old\n")
    _ = try mirror.settle()
    try other(&mirror, "old\nnew\n")
    for _ in 0..<5 {
      try folder.replace("a", by: "old\n")
      _ = try mirror.settle()
      #expect(folder.text("a") == "old\nnew\n")
    }
  }

  @Test func aStaleEditorAndAnotherPersonChangeDifferentWordsOfALine() throws {
    var mirror = try open("the quick brown fox jumps\n")
    _ = try mirror.settle()
    try other(&mirror, "the quick red fox jumps\n")
    try save(&mirror, "the slow brown fox jumps\n")
    #expect(folder.text("a") == "the slow red fox jumps\n")
  }

  @Test func anEditorThatNeverReloadsTakesNothingBackHoweverLongItIsOpen() throws {
    var mirror = try open("one\n")
    _ = try mirror.settle()
    var (mine, theirs) = ("one\n", "one\n")
    for number in 0..<20 {
      theirs = "theirs \(number)\n" + theirs
      try other(&mirror, theirs)
      mine += "mine \(number)\n"
      clock.pass(seconds: 10_000)
      try save(&mirror, mine)
      theirs += "mine \(number)\n"
      #expect(folder.text("a") == theirs)
    }
  }

  @Test func anEditorThatReadOneOfManyTextsIsTakenToHaveReadThatOne() throws {
    for loaded in [0, 17, 59] {
      let mirrorText = "begin\nend\n"
      try? FileManager.default.removeItem(atPath: folder["a"])
      let replica = try Replica(path: folder["replica \(loaded)"])
      try folder.write(mirrorText, to: "a")
      var mirror = try Mirror.open(
        file: PlainFile(path: folder["a"]), replica: replica, name: "a", room: "team", take: nil
      ).mirror
      _ = try mirror.settle()
      var texts = [mirrorText]
      for number in 0..<60 {
        texts.append(texts[number].replacing("end\n", with: "word\(number) more\nend\n"))
        try other(&mirror, texts[number + 1])
      }
      try save(&mirror, "mine\n" + texts[loaded].replacing("begin\n", with: ""))
      let expected = "mine\n" + texts[60].replacing("begin\n", with: "")
      let text = try mirror.document.text
      #expect(text == expected, "read text \(loaded)")
    }
  }

  @Test func whoChangesALineThatOthersJustWroteChangesIt() throws {
    for (written, changed) in [
      ("zero\none\n", "zero!\none\n"), ("zero\none\n", "zer\none\n"),
      ("cat and dog\none\n", "cut and dog\none\n"),
      ("a long line of others\none\n", "a line\none\n"),
    ] {
      try? FileManager.default.removeItem(atPath: folder["a"])
      try folder.write("one\n", to: "a")
      let replica = try Replica(path: folder["replica \(changed.hashValue)"])
      var mirror = try Mirror.open(
        file: PlainFile(path: folder["a"]), replica: replica, name: "a", room: "team", take: nil
      ).mirror
      _ = try mirror.settle()
      try other(&mirror, written)
      let report = try save(&mirror, changed)
      #expect(!report.savedOfThePast, "\(changed)")
      #expect(folder.text("a") == changed)
    }
  }

  @Test func twoWhoWriteInOnePlaceKeepBothWordings() throws {
    for (theirs, mine) in [
      ("a cat\n", "a dog\n"), ("and then we left\n", "and now it rains\n"), ("bar\n", "foo\n"),
    ] {
      try? FileManager.default.removeItem(atPath: folder["a"])
      try folder.write("one\ntwo\n", to: "a")
      let replica = try Replica(path: folder["replica \(mine.hashValue)"])
      var mirror = try Mirror.open(
        file: PlainFile(path: folder["a"]), replica: replica, name: "a", room: "team", take: nil
      ).mirror
      _ = try mirror.settle()
      try other(&mirror, "one\n\(theirs)two\n")
      let report = try save(&mirror, "one\n\(mine)two\n")
      #expect(report.savedOfThePast)
      let text = try mirror.document.text
      #expect(text.contains(theirs.dropLast()) && text.contains(mine.dropLast()), "\(text)")
    }
  }

  @Test func aStaleEditorDoesNotPutBackWhatOthersDeleted() throws {
    var mirror = try open("one\ntwo\nthree\n")
    _ = try mirror.settle()
    try other(&mirror, "one\nthree\n")
    try save(&mirror, "one\ntwo\nthree\nfour\n")
    #expect(folder.text("a") == "one\nthree\nfour\n")
  }

  @Test func whoPutsBackOnPurposeWhatOthersDeletedIsObeyedTheSecondTime() throws {
    var mirror = try open("one\ntwo\nthree\n")
    _ = try mirror.settle()
    try other(&mirror, "one\nthree\n")
    #expect(try save(&mirror, "one\ntwo\nthree\n").savedOfThePast)
    #expect(folder.text("a") == "one\nthree\n")
    try save(&mirror, "one\ntwo\nthree\n")
    #expect(folder.text("a") == "one\ntwo\nthree\n")
  }

  @Test func whatOthersWroteAndTookOutAgainDoesNotComeBackFromAnEditorThatHasReadIt() throws {
    var mirror = try open("one\ntwo\n")
    _ = try mirror.settle()
    try other(&mirror, "one\nfleeting thought\ntwo\n")
    try other(&mirror, "one\ntwo\n")
    try save(&mirror, "one\nfleeting thought\ntwo\nthree\n")
    #expect(folder.text("a") == "one\ntwo\nthree\n")
  }

  @Test func whatCameAfterASecondSaveIsKept() throws {
    var mirror = try open("old\n")
    _ = try mirror.settle()
    try other(&mirror, "old\nnew\n")
    try save(&mirror, "old\n")
    try other(&mirror, "old\nnew\nnewer\n")
    try save(&mirror, "old\n")
    #expect(folder.text("a") == "old\nnewer\n")
  }

  @Test func anEventIDThatWasGivenUpDoesNotEndTheMirror() throws {
    var mirror = try open("one\ntwo\n")
    _ = try mirror.settle()
    try save(&mirror, "one\ntwo\nthree\n")
    let encoded = try #require(try mirror.document.localValue(Mirror.seenKey))
    let lost = try #require(SeenTexts(encoded: encoded))
    var unknown = lost.saved
    unknown[ReplicaID(rawValue: 77)] = 5
    var seen = lost
    seen.save(unknown, from: (0, lost.saved), isDoubtful: false)
    try mirror.document.setLocalValue(seen.encoded, for: Mirror.seenKey)
    mirror = try open()
    try save(&mirror, "one\ntwo\nthree\nfour\n")
    #expect(folder.text("a") == "one\ntwo\nthree\nfour\n")
    #expect(try mirror.document.text == "one\ntwo\nthree\nfour\n")
  }
}
