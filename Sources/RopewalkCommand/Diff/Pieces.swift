/// A text cut into pieces, equal pieces having equal numbers.
struct Pieces {
  /// How a text is cut.
  enum Cut {
    /// After each U+000A.
    case lines
    /// Words with the blanks after them; everything else by scalars.
    case words
  }

  private(set) var numbers: [UInt32] = []
  /// Where each piece starts, in scalars, and the end of the text.
  private(set) var starts = [0]

  /// - Parameter known: the numbers given so far, so that two texts can be compared.
  init(_ text: ArraySlice<UInt32>, by cut: Cut, _ known: inout [ArraySlice<UInt32>: UInt32]) {
    var place = text.startIndex
    var longUntil = place
    while place < text.endIndex {
      var end = place + 1
      if place >= longUntil {
        end = cut == .lines ? Self.endOfLine(text, place) : Self.endOfWord(text, place)
        if cut == .words, Self.isLongWord(text, place, end) {
          longUntil = end
          end = place + 1
        }
      }
      let fresh = UInt32(known.count)
      let number = known[text[place..<end], default: fresh]
      if number == fresh { known[text[place..<end]] = fresh }
      numbers.append(number)
      starts.append(end - text.startIndex)
      place = end
    }
  }

  /// The scalars of some pieces.
  func scalars(_ pieces: Range<Int>) -> Range<Int> { starts[pieces.lowerBound]..<starts[pieces.upperBound] }

  private static func endOfLine(_ text: ArraySlice<UInt32>, _ start: Int) -> Int {
    text[start...].firstIndex(of: 0x0a).map { $0 + 1 } ?? text.endIndex
  }

  private static func endOfWord(_ text: ArraySlice<UInt32>, _ start: Int) -> Int {
    var end = start
    while end < text.endIndex, isWord(text[end]) { end += 1 }
    if end == start && !isBlank(text[start]) { return start + 1 }
    while end < text.endIndex, isBlank(text[end]) { end += 1 }
    return end
  }

  /// Scripts without blanks, and what no person reads as words, are compared by scalars.
  private static func isLongWord(_ text: ArraySlice<UInt32>, _ start: Int, _ end: Int) -> Bool {
    end - start > longestWord && isWord(text[start])
  }

  private static let longestWord = 32

  static func isBlank(_ scalar: UInt32) -> Bool { scalar == 0x20 || scalar == 0x09 }

  /// Letters and digits of scripts that put blanks between words, roughly: those below the ideographs (U+2E80).
  static func isWord(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f: true
    case 0xaa..<0x2000, 0x200c...0x200d, 0x2c00..<0x2e80: true
    default: false
    }
  }
}
