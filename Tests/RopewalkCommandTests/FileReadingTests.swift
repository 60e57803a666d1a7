import Testing

@testable import RopewalkCommand

/// What a file is taken for, look by look. The file was known to hold four lines.
@Suite struct FileReadingTests {
  private static let four = "one\ntwo\nthree\nfour\n"
  private var reading = FileReading(.standard)
  private var now = 1000.0

  init() {
    reading.remember(Array(Self.four.utf8))
    #expect(look(Self.four) == .text(isOpen: false, loses: false))
  }

  /// A look at a file that holds `text`. Every text has its own modification time.
  private mutating func look(
    _ text: String, after seconds: Double = 0, writer: FileLook.Writer = .none, inode: UInt64 = 1,
    modified: Int64? = nil, isTorn: Bool = false
  ) -> FileReading.Verdict {
    now += seconds
    let time = modified ?? text.utf8.reduce(Int64(text.utf8.count)) { $0 &* 31 &+ Int64($1) }
    let signature = FileLook.Signature(
      device: 1, inode: inode, size: Int64(text.utf8.count), modified: time, changed: time)
    let look = FileLook(signature: signature, bytes: Array(text.utf8), writer: writer, isTorn: isTorn)
    return reading.judge(look, at: now)
  }

  private let text = FileReading.Verdict.text(isOpen: false, loses: false)
  private let openText = FileReading.Verdict.text(isOpen: true, loses: false)

  // MARK: A writer that is there

  @Test mutating func anEmptyFileInAWritersHandsIsNeverAText() {
    #expect(look("", writer: .some) == .unfinished(nil))
    // However old its modification time may look.
    #expect(look("", after: 3600, writer: .some) == .unfinished(nil))
    #expect(look("one\nTWO\nthree\nfour\n", after: 1) == text)
  }

  @Test mutating func aBeginningInAWritersHandsIsNeverAText() {
    #expect(look("one\ntwo\n", writer: .some) == .unfinished(nil))
    #expect(look("one\ntwo\n", after: 3600, writer: .some) == .unfinished(nil))
  }

  @Test mutating func aWholeTextInAWritersHandsCountsWhenNothingWasWrittenForAWhile() {
    let log = Self.four + "five\n"
    #expect(look(log, writer: .some) == .unfinished(2))
    #expect(look(log, after: 1.5, writer: .some) == .unfinished(0.5))
    // It goes on: the time begins anew.
    #expect(look(log + "six\n", writer: .some) == .unfinished(2))
    #expect(look(log + "six\n", after: 2, writer: .some) == openText)
  }

  @Test mutating func modificationTimesAreNotComparedWithAnyClock() {
    for time in [Int64.min, 0, 1, .max] {
      #expect(look("\(time)\n" + Self.four, writer: .some, modified: time) == .unfinished(2))
      #expect(look("\(time)\n" + Self.four, after: 2, writer: .some, modified: time) == openText)
      _ = look("\(time)!\n" + Self.four, writer: .unknown, modified: time)
      #expect(look("\(time)!\n" + Self.four, after: 0.1, writer: .unknown, modified: time) == text)
    }
  }

  // MARK: A writer that is gone

  @Test mutating func aSaveThatIsCompleteCountsAtOnce() {
    #expect(look("one\ntwo\nthree\nfour\nfive\n") == text)
    #expect(look("something else\n") == text)
  }

  @Test mutating func theLastLineDeletedInPlaceCountsAfterAWhile() {
    #expect(look("one\ntwo\nthree\n") == .unfinished(2))
    #expect(look("one\ntwo\nthree\n", after: 2) == text)
  }

  @Test mutating func theLastLineDeletedByRenamingCountsAtOnce() {
    #expect(look("one\ntwo\nthree\n", inode: 2) == text)
  }

  @Test mutating func aFileEmptiedOnPurposeCountsAfterAWhile() {
    #expect(look("", after: 1) == .unfinished(2))
    #expect(look("", after: 2) == text)
  }

  @Test mutating func aSaveInTwoPiecesThatIsClosedBetweenThemIsOneSave() {
    #expect(look("one\nTWO\nthree and more\n") == text)
    let rest = (0..<9).map { "line \($0) as it was before\n" }
    let whole = "one\nTWO\nthree and more\n" + rest.joined()
    #expect(look(whole) == text)
    // Its beginning is another; it breaks off where the old text goes on.
    let cut = "ONE\nTWO\nthree and more\n" + rest[..<4].joined()
    #expect(look(cut) == .unfinished(2))
    #expect(look(cut, after: 1.5) == .unfinished(0.5))
    #expect(look("ONE" + whole.dropFirst(3)) == text)
  }

  @Test mutating func aProgramThatEmptiesTheFileAndFailsEmptiesNothing() {
    #expect(look("", writer: .some) == .unfinished(nil))
    #expect(look("", after: 0.6) == .emptied(.writerFailed))
    // The mirror has not put it back yet.
    #expect(look("", after: 60) == .emptied(.writerFailed))
    let replaced = reading.replace(by: Array(Self.four.utf8))
    #expect(replaced.known == Array(Self.four.utf8))
    #expect(look(Self.four, inode: 2) == text)
    // Whoever empties it again means it.
    #expect(look("", inode: 2, modified: 7) == .unfinished(2))
    #expect(look("", after: 2, inode: 2, modified: 7) == text)
  }

  @Test mutating func whatIsPutAsideWhenATextIsPutBackIsNotASave() {
    #expect(look("", writer: .some) == .unfinished(nil))
    #expect(look("", after: 0.6) == .emptied(.writerFailed))
    reading = reading.replace(by: Array(Self.four.utf8))
    #expect(look("") == .emptied(.writerFailed))
  }

  @Test mutating func emptyingWithinAMomentIsNotAFailureOfTheProgram() {
    #expect(look("", writer: .some) == .unfinished(nil))
    #expect(look("", after: 0.25) == .unfinished(1.75))
    #expect(look("", after: 1.75) == text)
  }

  @Test mutating func aLineCutInItsMiddleIsTakenAsALoss() {
    #expect(look("one\nt", writer: .some) == .unfinished(nil))
    #expect(look("one\nt", after: 1) == .unfinished(1))
    #expect(look("one\nt", after: 1) == .text(isOpen: false, loses: true))
  }

  @Test mutating func theEndOfTheLastLineDeletedIsNoLoss() {
    for end in ["one\ntwo\nthree\nfour", "one\ntwo\nthree\nfo", "one\ntwo\nthree"] {
      _ = look(Self.four, inode: 9)
      _ = look(end, inode: 9)
      #expect(look(end, after: 2, inode: 9) == text)
    }
  }

  // MARK: The first look, and files that come and go

  @Test mutating func aFileThatIsEmptyAtTheFirstLookIsPutBack() {
    for empty in ["", "\0\0\0\0"] {
      reading = FileReading(.standard)
      reading.remember(Array(Self.four.utf8))
      #expect(look(empty) == .emptied(.beforeTheFirstLook))
      #expect(look(empty, after: 60) == .emptied(.beforeTheFirstLook))
    }
  }

  @Test mutating func aFileThatHadATextAtTheFirstLookIsEmptiedLater() {
    reading = FileReading(.standard)
    #expect(look(Self.four) == text)
    reading.remember(Array(Self.four.utf8))
    #expect(look("") == .unfinished(2))
  }

  @Test mutating func whoWantsTheEmptyFileTakenSaysSo() {
    reading = FileReading(.standard)
    reading.takesEmptyFile = true
    reading.remember(Array(Self.four.utf8))
    #expect(look("") == .unfinished(2))
    #expect(look("", after: 2) == text)
  }

  @Test mutating func anEmptyFileThatWasEmptyBeforeIsAText() {
    reading = FileReading(.standard)
    reading.remember([])
    #expect(look("") == text)
  }

  @Test mutating func anEmptyFileMadeWhereOneWasRemovedIsPutBack() {
    reading.miss()
    #expect(look("", inode: 2) == .emptied(.madeAnew))
    _ = reading.replace(by: Array(Self.four.utf8))
    #expect(look(Self.four, inode: 3) == text)
    // And once more.
    reading.miss()
    #expect(look("", inode: 4) == .unfinished(2))
    #expect(look("", after: 2, inode: 4) == text)
  }

  @Test mutating func anEmptyFileThatIsRenamedOverItIsMeant() {
    #expect(look("", inode: 2) == .unfinished(2))
    #expect(look("", after: 2, inode: 2) == text)
  }

  // MARK: Where the system does not say who writes

  @Test mutating func withoutALeaseTwoLooksMustShowOneText() {
    #expect(look("one\n2\nthree\nfour\nfive\n", writer: .unknown) == .unfinished(0.1))
    #expect(look("one\n2\nthree\nfour\nfive!\n", after: 0.2, writer: .unknown) == .unfinished(0.1))
    #expect(
      look("one\n2\nthree\nfour\nfive!\n", after: 0.1, writer: .unknown, isTorn: true) == .unfinished(0.1))
    #expect(look("one\n2\nthree\nfour\nfive!\n", after: 0.1, writer: .unknown) == text)
  }

  @Test mutating func withoutALeaseAFileThatShrankIsWaitedFor() {
    #expect(look("1\n2\n", writer: .unknown) == .unfinished(0.1))
    #expect(look("1\n2\n", after: 0.5, writer: .unknown) == .unfinished(1.5))
    #expect(look("1\n2\n", after: 1.5, writer: .unknown) == text)
    #expect(look("", writer: .unknown) == .unfinished(0.1))
    #expect(look("", after: 2, writer: .unknown) == text)
  }

  @Test mutating func whatIsKnownIsATextWithoutASecondLook() {
    #expect(look(Self.four, writer: .unknown, modified: 5) == text)
  }
}
