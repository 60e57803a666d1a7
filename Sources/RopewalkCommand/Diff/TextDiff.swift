import RopewalkCore

/// What changed between two texts, as few and as round patches as can be found in bounded time.
///
/// Lines are compared first, then the words of those that differ; where one word became another, `WordPairing` says whether
/// it was corrected or replaced. So two who change different words of a line change different scalars.
enum TextDiff {
  /// Patches that turn `old` into `new`, to be applied in order.
  ///
  /// Up to 1,024 lines' difference, and 512 words' in one place, what is kept is the most possible.
  static func patches(from old: String, to new: String) -> [TextPatch] {
    patches(from: old.unicodeScalars.map(\.value), to: new.unicodeScalars.map(\.value))
  }

  /// The same for texts as arrays of scalars.
  static func patches(from old: [UInt32], to new: [UInt32]) -> [TextPatch] {
    patches(edits(old, new), inserting: new)
  }

  /// Changes as patches, to be applied in order; what they insert is in `new`.
  static func patches(_ edits: [Edit], inserting new: [UInt32]) -> [TextPatch] {
    var offset = 0
    return edits.map { edit in
      defer { offset += edit.new.count - edit.old.count }
      var inserted = String.UnicodeScalarView()
      inserted.append(contentsOf: new[edit.new].compactMap(Unicode.Scalar.init))
      return TextPatch(
        position: edit.old.lowerBound + offset, deleted: edit.old.count,
        inserted: Array(String(inserted).utf8))
    }
  }

  /// The changes, ascending, with at least one kept scalar between any two.
  static func edits(_ old: [UInt32], _ new: [UInt32]) -> [Edit] {
    let (prefix, suffix) = commonWords(old, new)
    let raw = middle(old[prefix..<old.count - suffix], new[prefix..<new.count - suffix])
    return EditSliding(old, new).slid(joined(wholeLines(joined(raw), old, new)))
  }

  /// How many scalars are equal at both ends, in whole words.
  private static func commonWords(_ old: [UInt32], _ new: [UInt32]) -> (prefix: Int, suffix: Int) {
    let shorter = min(old.count, new.count)
    var prefix = 0
    while prefix < shorter, old[prefix] == new[prefix] { prefix += 1 }
    if prefix == old.count && prefix == new.count { return (prefix, 0) }
    while prefix > 0, !isBorder(old, prefix) || !isBorder(new, prefix) { prefix -= 1 }
    var suffix = 0
    while suffix < shorter - prefix, old[old.count - 1 - suffix] == new[new.count - 1 - suffix] {
      suffix += 1
    }
    while suffix > 0, !isBorder(old, old.count - suffix) || !isBorder(new, new.count - suffix) { suffix -= 1 }
    return (prefix, suffix)
  }

  /// Whether a word can begin at a place, whatever follows it.
  private static func isBorder(_ text: [UInt32], _ place: Int) -> Bool {
    guard place > 0 else { return true }
    let before = text[place - 1]
    if Pieces.isWord(before) { return false }
    // The blanks after a word belong to it, however many come.
    return !Pieces.isBlank(before) || place < text.count && !Pieces.isBlank(text[place])
  }

  /// The changes between two stretches.
  private static func middle(_ old: ArraySlice<UInt32>, _ new: ArraySlice<UInt32>) -> [Edit] {
    if old.isEmpty && new.isEmpty { return [] }
    if old.isEmpty || new.isEmpty { return [Edit(old: old.indices, new: new.indices)] }
    var known: [ArraySlice<UInt32>: UInt32] = [:]
    let oldLines = Pieces(old, by: .lines, &known)
    let newLines = Pieces(new, by: .lines, &known)
    let lines = Myers(oldLines.numbers, newLines.numbers, bound: .init(edits: 1024, steps: 1 << 24))
    return lines.edits.flatMap { hunk in
      let (from, to) = (oldLines.scalars(hunk.old), newLines.scalars(hunk.new))
      return within(
        old[old.startIndex + from.lowerBound..<old.startIndex + from.upperBound],
        new[new.startIndex + to.lowerBound..<new.startIndex + to.upperBound])
    }
  }

  /// The changes within changed lines: by words, unless that takes too long and little of them is kept.
  private static func within(_ old: ArraySlice<UInt32>, _ new: ArraySlice<UInt32>) -> [Edit] {
    let whole = [Edit(old: old.indices, new: new.indices)]
    if old.isEmpty || new.isEmpty { return whole }
    if let edits = byWords(old, new, bound: .standard, givesUp: true) { return edits }
    if old.count + new.count > longestHunk { return whole }
    guard let edits = byWords(old, new, bound: .init(edits: 256, steps: 1 << 22), givesUp: false) else {
      return whole
    }
    let kept = old.count - edits.reduce(0) { $0 + $1.old.count }
    return 2 * kept >= min(old.count, new.count) ? edits : whole
  }

  /// Changed lines in one place longer than this, in scalars of both texts, are replaced whole.
  private static let longestHunk = 1 << 18

  private static func byWords(
    _ old: ArraySlice<UInt32>, _ new: ArraySlice<UInt32>, bound: Myers.Bound, givesUp: Bool
  ) -> [Edit]? {
    var known: [ArraySlice<UInt32>: UInt32] = [:]
    let oldWords = Pieces(old, by: .words, &known)
    let newWords = Pieces(new, by: .words, &known)
    if givesUp && abs(oldWords.numbers.count - newWords.numbers.count) > bound.edits { return nil }
    let script = Myers(oldWords.numbers, newWords.numbers, bound: bound, givesUp: givesUp)
    if givesUp && !script.isMinimal { return nil }
    return script.edits.flatMap { hunk in
      let (from, to) = (oldWords.scalars(hunk.old), newWords.scalars(hunk.new))
      return WordPairing.edits(
        old[old.startIndex + from.lowerBound..<old.startIndex + from.upperBound],
        hunk.old.map { range(oldWords, $0, old.startIndex) },
        new[new.startIndex + to.lowerBound..<new.startIndex + to.upperBound],
        hunk.new.map { range(newWords, $0, new.startIndex) })
    }
  }

  private static func range(_ pieces: Pieces, _ piece: Int, _ offset: Int) -> Range<Int> {
    let range = pieces.scalars(piece..<piece + 1)
    return offset + range.lowerBound..<offset + range.upperBound
  }

  /// Where nothing of a line was kept, its end goes with it: a line that is typed in the place of another does not run into
  /// the next one when somebody else deletes that other.
  private static func wholeLines(_ edits: [Edit], _ old: [UInt32], _ new: [UInt32]) -> [Edit] {
    edits.map { edit in
      let (oldEnd, newEnd) = (edit.old.upperBound, edit.new.upperBound)
      guard oldEnd < old.count, newEnd < new.count, old[oldEnd] == 0x0a, isWholeLine(edit.old, in: old),
        isWholeLine(edit.new, in: new)
      else { return edit }
      return Edit(old: edit.old.lowerBound..<oldEnd + 1, new: edit.new.lowerBound..<newEnd + 1)
    }
  }

  /// Whether a range ends with all of a line but its end.
  private static func isWholeLine(_ range: Range<Int>, in text: [UInt32]) -> Bool {
    guard let last = range.last, text[last] != 0x0a else { return false }
    let start = text[range].lastIndex(of: 0x0a).map { $0 + 1 } ?? range.lowerBound
    return start == 0 || text[start - 1] == 0x0a
  }

  /// Changes that touch are one.
  private static func joined(_ edits: [Edit]) -> [Edit] {
    var joined: [Edit] = []
    for edit in edits {
      if let last = joined.last, last.old.upperBound == edit.old.lowerBound,
        last.new.upperBound == edit.new.lowerBound
      {
        joined[joined.count - 1] = Edit(
          old: last.old.lowerBound..<edit.old.upperBound, new: last.new.lowerBound..<edit.new.upperBound)
      } else {
        joined.append(edit)
      }
    }
    return joined
  }
}
