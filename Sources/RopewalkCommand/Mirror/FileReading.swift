/// What a file is at a moment, judged by what looks at it have shown so far. No clock and no disk: both are passed in.
///
/// A file is a text when whoever wrote it is done. A writer truncates first and writes later; a slow one pauses, or
/// closes the file between two pieces; one that is killed never comes back. So a file that has just shrunk to nothing
/// or to its own beginning may be the middle of a save, and is given time, which a finished save does not need.
struct FileReading: Sendable {
  /// How many seconds a file is waited for.
  struct Patience: Sendable {
    /// A program that keeps a file open has written a whole text when nothing was written for so long.
    var quiet: Double
    /// A file that looks cut off, and nobody is writing, is meant so when it has been so for so long.
    var doubt: Double
    /// Where the system does not say who writes, two looks at so great a distance must show one text.
    var moment: Double
    /// A program that had emptied the file for so long and then left it empty has failed: to empty a file on purpose
    /// takes no time.
    var failing: Double

    static let standard = Patience(quiet: 2, doubt: 2, moment: 0.1, failing: 0.5)
    /// What is there now counts, unless somebody is writing it. For those who look once.
    static let none = Patience(quiet: 2, doubt: 0, moment: 0, failing: .infinity)
  }

  /// What a file is taken for.
  enum Verdict: Equatable, Sendable {
    /// A whole text. `loses` tells that it breaks off in the middle of a line of what it was.
    case text(isOpen: Bool, loses: Bool)
    /// Emptied by an accident: the text that it had is to be put back.
    case emptied(Accident)
    /// Not to be read yet; it may be decided in so many seconds, or when something happens.
    case unfinished(Double?)
  }

  enum Accident: Equatable, Sendable {
    /// It was empty already at the first look.
    case beforeTheFirstLook
    /// It was removed, and an empty file was made in its place.
    case madeAnew
    /// A program emptied it and ended before it wrote anything.
    case writerFailed
  }

  let patience: Patience
  /// What the file is known to have held last; nil if that is not known.
  private(set) var known: [UInt8]?
  /// Which file that was.
  private var knownSignature: FileLook.Signature?
  private var last: FileLook?
  /// When the file was last seen to have changed.
  private var changed = 0.0
  /// Since when it is empty in the hands of a program that has it open.
  private var heldEmpty: Double?
  /// For how long it was, when that program was gone and it was still empty.
  private var wasHeldEmpty: Double?
  private var isFirst = true
  private var wasMissing = false
  /// An accident was reported: whoever empties the file again means it.
  private var hasReported = false
  private var accident: (Accident, FileLook.Signature)?
  /// Whether an empty file at the first look is meant.
  var takesEmptyFile = false

  init(_ patience: Patience, known: [UInt8]? = nil) {
    self.patience = patience
    self.known = known
  }

  /// The file is known to have held this before the first look, by what was kept when it was last read or written.
  mutating func remember(_ text: [UInt8]) {
    (known, knownSignature) = (text, nil)
    isFirst = last.map { isHollow($0.bytes) } ?? true
  }

  /// Another file was put in its place, which holds `text`. Returns what is known of the file that was there.
  mutating func replace(by text: [UInt8]) -> FileReading {
    let replaced = self
    (known, knownSignature) = (text, nil)
    (last, heldEmpty, wasHeldEmpty) = (nil, nil, nil)
    (isFirst, wasMissing) = (false, false)
    return replaced
  }

  /// What the last look showed.
  var lastSignature: FileLook.Signature? { last?.signature }

  /// There was no file.
  mutating func miss() {
    wasMissing = true
    (last, heldEmpty, wasHeldEmpty) = (nil, nil, nil)
  }

  /// Judges a look that was taken at `now`, in seconds of a clock that never goes back.
  mutating func judge(_ look: FileLook, at now: Double) -> Verdict {
    if look.isUnread {
      (last, changed) = (look, now)
      (heldEmpty, wasHeldEmpty) = (nil, nil)
      return .unfinished(patience.quiet)
    }
    note(look, at: now)
    let verdict = decide(look, at: now)
    if case .text = verdict {
      if known != look.bytes && !isHollow(look.bytes) { hasReported = false }
      (known, knownSignature) = (look.bytes, look.signature)
      (isFirst, wasMissing) = (false, false)
    }
    if case .emptied(let reason) = verdict {
      accident = (reason, look.signature)
      (hasReported, isFirst, wasMissing) = (true, false, false)
    }
    return verdict
  }

  /// What has changed since the last look.
  private mutating func note(_ look: FileLook, at now: Double) {
    defer { last = look }
    let isSame =
      last.map { $0.signature == look.signature && ($0.isUnread || $0.bytes == look.bytes) } ?? false
    if !isSame || look.isTorn { changed = now }
    let isSameFile = last?.signature.isSameFile(as: look.signature) ?? false
    if !isHollow(look.bytes) || !isSameFile { (heldEmpty, wasHeldEmpty) = (nil, nil) }
    if isHollow(look.bytes) {
      if look.writer == .some {
        heldEmpty = heldEmpty ?? now
      } else if let since = heldEmpty {
        (heldEmpty, wasHeldEmpty) = (nil, now - since)
      }
    }
  }

  private func decide(_ look: FileLook, at now: Double) -> Verdict {
    let still = now - changed
    let suspicion = suspicion(of: look)
    switch look.writer {
    case .some:
      if suspicion != nil { return .unfinished(nil) }
      if still < patience.quiet { return .unfinished(patience.quiet - still) }
      return .text(isOpen: true, loses: false)
    case .unknown where look.isTorn: return .unfinished(patience.moment)
    case .unknown where look.bytes != known && still < patience.moment:
      return .unfinished(patience.moment - still)
    case .unknown where hasShrunk(look) && still < patience.doubt: return .unfinished(patience.doubt - still)
    case .none, .unknown: break
    }
    guard let suspicion else { return .text(isOpen: false, loses: false) }
    if suspicion == .empty, let reason = accident(look) { return .emptied(reason) }
    if still < patience.doubt { return .unfinished(patience.doubt - still) }
    let isRepeated = suspicion == .empty && hasFailed
    return .text(isOpen: false, loses: suspicion == .cutInALine || isRepeated)
  }

  /// Why an empty file is not meant; nil if it may be.
  private func accident(_ look: FileLook) -> Accident? {
    // It may have been renamed since.
    if let (reason, signature) = accident, signature.isSameFile(as: look.signature),
      signature.modified == look.signature.modified
    {
      return reason
    }
    if hasReported || patience.doubt == 0 { return nil }
    if isFirst { return takesEmptyFile ? nil : .beforeTheFirstLook }
    if wasMissing { return .madeAnew }
    return hasFailed ? .writerFailed : nil
  }

  /// Whether a program that emptied the file took long, and then ended without having written.
  private var hasFailed: Bool { wasHeldEmpty.map { $0 >= patience.failing } ?? false }

  private enum Suspicion { case empty, cut, cutInALine }

  /// Whether the file looks like the beginning of a save that is not complete.
  private func suspicion(of look: FileLook) -> Suspicion? {
    guard let known, !isHollow(known), look.bytes != known else { return nil }
    if isHollow(look.bytes) { return .empty }
    guard isInPlace(look), let end = FileCut.end(of: look.bytes, in: known) else { return nil }
    return FileCut.isInALine(look.bytes, end: end, in: known) ? .cutInALine : .cut
  }

  /// Whether it was written in place: what is renamed over a file is complete.
  private func isInPlace(_ look: FileLook) -> Bool {
    knownSignature.map { $0.isSameFile(as: look.signature) } ?? true
  }

  private func hasShrunk(_ look: FileLook) -> Bool {
    isInPlace(look) && look.bytes.count < known?.count ?? 0
  }

  /// Empty, or nothing but zeros, as a power failure may leave it.
  private func isHollow(_ bytes: [UInt8]) -> Bool { bytes.allSatisfy { $0 == 0 } }
}

/// Where a text that may be cut off ends in the text that it was.
enum FileCut {
  /// As much of an end tells it from others.
  private static let telling = 64

  /// The place in `whole` where `text` breaks off: it begins as `whole` does, or its last bytes are in there. Nil if it
  /// ends as `whole` does, or otherwise.
  static func end(of text: [UInt8], in whole: [UInt8]) -> Int? {
    guard text.count < whole.count, !text.isEmpty else { return nil }
    if whole.starts(with: text) { return text.count }
    let ending = text.suffix(telling)
    if ending.count < telling / 4 || whole.suffix(ending.count) == ending { return nil }
    return find(ending, in: whole).map { $0 + ending.count }
  }

  /// Whether a line is cut in its middle, and others after it are gone: no editor's user does that in place.
  static func isInALine(_ text: [UInt8], end: Int, in whole: [UInt8]) -> Bool {
    text.last != 0x0a && whole[end] != 0x0a && whole[end..<(whole.count - 1)].contains(0x0a)
  }

  private static func find(_ part: ArraySlice<UInt8>, in whole: [UInt8]) -> Int? {
    guard let first = part.first, part.count <= whole.count else { return nil }
    var place = 0
    while let next = whole[place...(whole.count - part.count)].firstIndex(of: first) {
      if whole[next..<next + part.count] == part { return next }
      place = next + 1
      if place > whole.count - part.count { return nil }
    }
    return nil
  }
}
