/// Text to be put in, with its length at hand. Up to 15 bytes stand in the value itself.
public struct Insertion: Hashable, Sendable {
  /// The text.
  public private(set) var text: String
  /// Its length in scalars.
  public private(set) var count: Int

  /// Measures a text. O(n).
  public init(_ text: String) {
    self.text = text
    count = text.unicodeScalars.count
  }

  init(_ text: String, count: Int) {
    self.text = text
    self.count = count
  }

  mutating func append(_ other: Insertion) {
    text += other.text
    count += other.count
  }

  /// The part from scalar `start` on, `length` scalars long. O(length) if all is ASCII, else O(n).
  func part(from start: Int, length: Int) -> Insertion {
    guard start > 0 || length < count else { return self }
    let utf8 = text.utf8
    if utf8.count == count {
      let from = utf8.index(utf8.startIndex, offsetBy: start)
      return Insertion(String(text[from..<utf8.index(from, offsetBy: length)]), count: length)
    }
    let scalars = text.unicodeScalars
    let from = scalars.index(scalars.startIndex, offsetBy: start)
    return Insertion(String(scalars[from..<scalars.index(from, offsetBy: length)]), count: length)
  }
}
