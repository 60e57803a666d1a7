import Ropewalk

/// What the editor of a mirrored file can have had when it saves: the text of the last save that came from the file, or one
/// that the mirror has written into the file since. Never anything older.
///
/// Texts are kept as moments of the document. The mirror stores this value in the replica, in the transaction of the change
/// that it describes, so it survives restarts and kills.
struct SeenTexts: Equatable {
  /// The moment whose text was saved last, before the changes that others had made by then.
  private(set) var saved: VersionVector
  /// Moments before it whose texts the editor had too, the latest first: what undoing takes it back to. No save is made
  /// from one of these.
  private(set) var undoable: [VersionVector] = []
  /// The moments whose texts were written into the file since, ascending: how many events the document had then. Events are
  /// only ever added, unless refused ones are discarded, so their number names a moment of this replica, in two bytes mostly.
  private(set) var written: [Int] = []
  /// What had been written before the last save, after the moment that it is taken to be made from, ascending as `written`:
  /// if that was a mistake, its editor had one of these, and goes back to it by undoing. Empty unless `isDoubtful`.
  private(set) var writtenBefore: [Int] = []
  /// Whether the last save was merged as one made from an earlier text than the file held, so that its editor may have
  /// meant to take out what others wrote.
  private(set) var isDoubtful = false
  /// When the result of a doubtful save was first written into the file, in milliseconds since 1970.
  private(set) var answered: UInt64?
  /// Whether the last written moment is being put into the file: it may be there or not.
  private(set) var isWriting = false
  /// Whether that moment was in the file before too: a file that was removed is written again.
  private var isWritingAgain = false
  /// Counts the changes of this value. A replica put back from a backup has a lower count than its file (`FileMark`).
  private(set) var count: UInt64 = 0

  /// So many written moments are remembered exactly; of the older half of more, every second one.
  static let limit = 4096
  /// The same of what had been written before the last save.
  static let limitBefore = 64
  /// So many moments that undoing may lead to are remembered.
  static let undoLimit = 4

  /// The file holds the text of this moment, as a save or because the mirror begins with it.
  init(saved: VersionVector) { self.saved = saved }

  /// The moment whose text the file is known to hold; nil if the document does not know it.
  func holding(in whole: TextDocument) -> TextDocument? {
    if let count = written.last { return TextDocument(whole, ofFirst: count) }
    return TextDocument(whole, at: saved)
  }

  /// Whether the document knows all these moments.
  func isKnown(to whole: TextDocument) -> Bool {
    whole.versionVector.covers(saved) && written.last ?? 0 <= whole.eventCount
  }

  /// Whether the file is known to hold the present text of a document.
  func holds(_ whole: TextDocument) -> Bool {
    written.last.map { $0 == whole.eventCount } ?? (saved == whole.versionVector)
  }

  /// The same when the present text of a document is in the file.
  ///
  /// - Parameter isBegun: whether it is only about to be put there. Even if the process ends now, an editor may read it.
  func writing(_ whole: TextDocument, at milliseconds: UInt64, isBegun: Bool = false) -> SeenTexts {
    var next = self
    next.count += 1
    if isDoubtful && answered == nil && whole.versionVector.covers(saved) { next.answered = milliseconds }
    // Discarding refused events makes the document shorter: moments beyond its end are gone.
    next.written.removeAll { $0 > whole.eventCount }
    next.writtenBefore.removeAll { $0 > whole.eventCount }
    next.isWriting = isBegun
    next.isWritingAgain = isBegun && next.holds(whole) && (!isWriting || isWritingAgain)
    if !next.holds(whole) { next.written.append(whole.eventCount) }
    Self.thin(&next.written, to: Self.limit)
    return next
  }

  private static func thin(_ moments: inout [Int], to limit: Int) {
    guard moments.count > limit else { return }
    let old = moments.count - limit / 2
    moments = (0..<old).compactMap { $0 % 2 == 1 ? moments[$0] : nil } + moments[old...]
  }

  /// How many moments an editor that saves now can have had, besides that of the last save: see `moment(_:in:)`.
  var readCount: Int { writtenBefore.count + written.count }

  /// How many events the document had at a moment, of those that an editor can have had.
  private func position(_ index: Int) -> Int { index == 0 ? -1 : (writtenBefore + written)[index - 1] }

  /// One of the moments that an editor can have had, the later ones last: 0 is the last save.
  func moment(_ index: Int, in whole: TextDocument) -> VersionVector {
    if index == 0 { return saved }
    if index > writtenBefore.count {
      return whole.versionVector(ofFirst: written[index - writtenBefore.count - 1])
    }
    // Its editor had that text, and did to it what it saved.
    return whole.versionVector(ofFirst: writtenBefore[index - 1]).joined(with: saved)
  }

  /// The same before the text that is being written.
  var beforeWriting: SeenTexts {
    var before = self
    if isWriting && !isWritingAgain && !written.isEmpty { before.written.removeLast() }
    (before.isWriting, before.isWritingAgain) = (false, false)
    return before
  }

  /// What was to be written has turned out not to be in the file.
  mutating func cancelWriting() {
    self = beforeWriting
    count += 1
  }

  /// The count goes on after another one.
  mutating func goOn(after count: UInt64) { self.count = count + 1 }

  /// A save was merged.
  ///
  /// - Parameters:
  ///   - moment: the moment that it was made from, with the save.
  ///   - origin: the moment that it was made from, and the index of that: see `moment(_:in:)`.
  mutating func save(
    _ moment: VersionVector, from origin: (index: Int, moment: VersionVector), isDoubtful: Bool
  ) {
    count += 1
    // A save that changed nothing adds no moment.
    let known = writtenBefore + written.filter { $0 > writtenBefore.last ?? 0 }
    writtenBefore = isDoubtful ? known.filter { $0 > position(origin.index) } : []
    Self.thin(&writtenBefore, to: Self.limitBefore)
    let origin = origin.moment
    undoable = Array(((origin == saved ? [] : [origin]) + [saved] + undoable).prefix(Self.undoLimit))
    (saved, written, self.isDoubtful, answered) = (moment, [], isDoubtful, nil)
    (isWriting, isWritingAgain) = (false, false)
  }

  /// Whether a save of just the last saved text, made now, is the second one after which others' text came back, so
  /// that its editor has seen that and means it.
  func isInsisted(at milliseconds: UInt64) -> Bool {
    guard isDoubtful, let answered, !written.isEmpty else { return false }
    return milliseconds < answered || milliseconds - answered >= Self.reaction
  }

  /// In fewer milliseconds nobody sees that a text came back and takes it out again; a program that saves twice in a row does.
  static let reaction: UInt64 = 1000
}

// MARK: Encoding

extension SeenTexts {
  /// Bytes: see `Spec/files.md`.
  var encoded: [UInt8] {
    var writer = ByteWriter()
    // First: events that get other ids get them here too.
    writer.varint(UInt64(1 + undoable.count))
    for moment in [saved] + undoable { writer.block(moment.encoded) }
    writer.varint(count)
    writer.varint(isDoubtful ? 1 + (answered.map { $0 &+ 1 } ?? 0) : 0)
    writer.byte(isWriting ? isWritingAgain ? 2 : 1 : 0)
    for moments in [writtenBefore, written] {
      writer.varint(UInt64(moments.count))
      var last = 0
      for count in moments {
        // A save that was found when this had been written already made the document longer, never shorter.
        writer.varint(UInt64(count - last))
        last = count
      }
    }
    return writer.bytes
  }

  /// Reads `encoded`; nil if the bytes are something else.
  init?(encoded: [UInt8]) {
    do {
      var reader = ByteReader(encoded)
      let known = try reader.count("seen.moments")
      guard 1...1 + Self.undoLimit ~= known else { return nil }
      self.init(saved: try VersionVector(encoded: Array(try reader.block("seen.saved"))))
      for _ in 1..<known {
        undoable.append(try VersionVector(encoded: Array(try reader.block("seen.undoable"))))
      }
      let count = try reader.varint("seen.count")
      let doubt = try reader.varint("seen.doubt")
      let writing = try reader.byte("seen.writing")
      guard writing <= 2 else { return nil }
      guard let before = try Self.moments(&reader, limit: Self.limitBefore),
        let written = try Self.moments(&reader, limit: Self.limit)
      else { return nil }
      try reader.expectEnd()
      (writtenBefore, self.written) = (before, written)
      self.count = count
      isWriting = writing > 0
      isWritingAgain = writing == 2
      isDoubtful = doubt > 0
      answered = doubt > 1 ? doubt - 2 : nil
    } catch {
      return nil
    }
  }

  private static func moments(_ reader: inout ByteReader, limit: Int) throws -> [Int]? {
    let count = try reader.count("seen.written")
    guard count <= limit else { return nil }
    var moments: [Int] = []
    for _ in 0..<count {
      let (last, gained) = (moments.last ?? 0, try reader.varint("seen.written"))
      guard gained > 0 || last == 0, gained < 1 << 31 else { return nil }
      moments.append(last + Int(gained))
    }
    return moments
  }
}

extension VersionVector {
  /// What both know.
  fileprivate func joined(with other: VersionVector) -> VersionVector {
    var both = self
    for (replica, count) in other.entries where both[replica] < count { both[replica] = count }
    return both
  }
}
