/// Moves plain insertions and deletions along equal scalars to where a line or a word begins: in "one two" → "one one two"
/// what is inserted is "one ", not "e on".
struct EditSliding {
  private let old: [UInt32]
  private let new: [UInt32]

  init(_ old: [UInt32], _ new: [UInt32]) {
    self.old = old
    self.new = new
  }

  /// The same change, beginning at better places.
  func slid(_ edits: [Edit]) -> [Edit] {
    var result: [Edit] = []
    for (index, edit) in edits.enumerated() {
      // Kept scalars that it may move over: all but one of those between two edits, so that they stay apart.
      let left = edit.old.lowerBound - (result.last.map { $0.old.upperBound + 1 } ?? 0)
      let nextStart = index + 1 < edits.count ? edits[index + 1].old.lowerBound - 1 : old.count
      let right = nextStart - edit.old.upperBound
      if edit.old.isEmpty {
        let by = Self.bestSlide(of: edit.new, in: new, left: left, right: right)
        result.append(edit.shifted(old: by, new: by))
      } else if edit.new.isEmpty {
        let by = Self.bestSlide(of: edit.old, in: old, left: left, right: right)
        result.append(edit.shifted(old: by, new: by))
      } else {
        result.append(edit)
      }
    }
    return result
  }

  /// How far to move `range` so that it begins at the best place.
  private static func bestSlide(of range: Range<Int>, in text: [UInt32], left: Int, right: Int) -> Int {
    var best = (slide: 0, score: score(range, in: text))
    var slide = 0
    while slide > -min(left, furthestSlide),
      text[range.lowerBound + slide - 1] == text[range.upperBound + slide - 1]
    {
      slide -= 1
      let score = score(range.lowerBound + slide..<range.upperBound + slide, in: text)
      if score > best.score { best = (slide, score) }
    }
    slide = 0
    while slide < min(right, furthestSlide), text[range.lowerBound + slide] == text[range.upperBound + slide]
    {
      slide += 1
      let score = score(range.lowerBound + slide..<range.upperBound + slide, in: text)
      if score > best.score { best = (slide, score) }
    }
    return best.slide
  }

  private static let furthestSlide = 200

  /// 3: whole lines; 2: begins a line; 1: begins a word.
  private static func score(_ range: Range<Int>, in text: [UInt32]) -> Int {
    let before = range.lowerBound == 0 ? 0x0a : text[range.lowerBound - 1]
    if before == 0x0a { return text[range.upperBound - 1] == 0x0a ? 3 : 2 }
    return isSpace(before) && !isSpace(text[range.lowerBound]) ? 1 : 0
  }

  private static func isSpace(_ scalar: UInt32) -> Bool { Pieces.isBlank(scalar) || scalar == 0x0a }
}
