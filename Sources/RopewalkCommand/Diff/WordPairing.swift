/// What becomes of each word where some words were replaced by others.
///
/// A word that was corrected keeps its scalars, so that a correction by somebody else meets it. A word that was replaced by
/// another does not: letters that both happen to have would tie the new word to what others do to the old one.
enum WordPairing {
  /// The changes in one place that turn words of `old` into words of `new`, ascending, in scalars from the place's start.
  static func edits(
    _ old: ArraySlice<UInt32>, _ oldWords: [Range<Int>], _ new: ArraySlice<UInt32>, _ newWords: [Range<Int>]
  ) -> [Edit] {
    if let insertion = insertion(old, new) { return [insertion] }
    let (width, height) = (oldWords.count, newWords.count)
    guard width > 0, height > 0, width * height <= longest else {
      return [trimmed(old, old.indices, new, new.indices)].compactMap { $0 }
    }
    // Most scalars kept, over all ways to pair words in order.
    var kept = [[Int]](repeating: [Int](repeating: 0, count: height + 1), count: width + 1)
    var pairs = kept
    for i in stride(from: width - 1, through: 0, by: -1) {
      for j in stride(from: height - 1, through: 0, by: -1) {
        pairs[i][j] = common(old[oldWords[i]], new[newWords[j]])
        let paired = pairs[i][j] > 0 ? pairs[i][j] + kept[i + 1][j + 1] : 0
        kept[i][j] = max(paired, kept[i + 1][j], kept[i][j + 1])
      }
    }
    var edits: [Edit] = []
    var (i, j) = (0, 0)
    var (oldStart, newStart) = (old.startIndex, new.startIndex)
    func replace(_ oldEnd: Int, _ newEnd: Int) {
      if oldStart < oldEnd || newStart < newEnd {
        edits.append(Edit(old: oldStart..<oldEnd, new: newStart..<newEnd))
      }
    }
    while i < width, j < height {
      if pairs[i][j] > 0, kept[i][j] == pairs[i][j] + kept[i + 1][j + 1] {
        replace(oldWords[i].lowerBound, newWords[j].lowerBound)
        if let edit = trimmed(old, oldWords[i], new, newWords[j]) { edits.append(edit) }
        (oldStart, newStart) = (oldWords[i].upperBound, newWords[j].upperBound)
        (i, j) = (i + 1, j + 1)
      } else if kept[i][j] == kept[i + 1][j] {
        i += 1
      } else {
        j += 1
      }
    }
    replace(old.endIndex, new.endIndex)
    return edits
  }

  /// What was typed before, after or within words that are all there still, however short they are; nil if it is something else.
  private static func insertion(_ old: ArraySlice<UInt32>, _ new: ArraySlice<UInt32>) -> Edit? {
    let ends = ends(old, new)
    guard !old.isEmpty, ends.prefix + ends.suffix == old.count else { return nil }
    return Edit(
      old: old.startIndex + ends.prefix..<old.endIndex - ends.suffix,
      new: new.startIndex + ends.prefix..<new.endIndex - ends.suffix)
  }

  /// More pairs than this are not weighed.
  private static let longest = 1 << 14

  /// How many scalars two words have in common at both ends, if one looks like a correction of the other: two thirds of the
  /// longer one, blanks aside, or all of the shorter one, if that is three scalars or half of the longer one; else 0.
  private static func common(_ a: ArraySlice<UInt32>, _ b: ArraySlice<UInt32>) -> Int {
    let (a, b) = (withoutBlanks(a), withoutBlanks(b))
    let ends = ends(a, b)
    let common = ends.prefix + ends.suffix
    let (shorter, longer) = (min(a.count, b.count), max(a.count, b.count))
    let isGrown = common == shorter && (common >= 3 || 2 * common >= longer)
    return common > 0 && (isGrown || 3 * common >= 2 * longer) ? common : 0
  }

  private static func withoutBlanks(_ word: ArraySlice<UInt32>) -> ArraySlice<UInt32> {
    let end = word.lastIndex { !Pieces.isBlank($0) }
    return end.map { word[...$0] } ?? word
  }

  private static func ends(_ a: ArraySlice<UInt32>, _ b: ArraySlice<UInt32>) -> (prefix: Int, suffix: Int) {
    let shorter = min(a.count, b.count)
    var prefix = 0
    while prefix < shorter, a[a.startIndex + prefix] == b[b.startIndex + prefix] { prefix += 1 }
    var suffix = 0
    while suffix < shorter - prefix, a[a.endIndex - 1 - suffix] == b[b.endIndex - 1 - suffix] { suffix += 1 }
    return (prefix, suffix)
  }

  /// One change between two ranges, without what both have at their ends; nil if they are equal.
  private static func trimmed(
    _ old: ArraySlice<UInt32>, _ oldRange: Range<Int>, _ new: ArraySlice<UInt32>, _ newRange: Range<Int>
  ) -> Edit? {
    // Words that were replaced share letters by coincidence only.
    let isCorrection = common(old[oldRange], new[newRange]) > 0
    let ends = isCorrection ? Self.ends(old[oldRange], new[newRange]) : (prefix: 0, suffix: 0)
    let edit = Edit(
      old: oldRange.lowerBound + ends.prefix..<oldRange.upperBound - ends.suffix,
      new: newRange.lowerBound + ends.prefix..<newRange.upperBound - ends.suffix)
    return edit.cost > 0 ? edit : nil
  }
}
