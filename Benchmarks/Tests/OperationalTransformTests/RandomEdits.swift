import Foundation
import OperationalTransform

/// A seed for this run: `ROPEWALK_SEED`, or a new one that failing tests print.
let suiteSeed: UInt64 = {
  if let given = ProcessInfo.processInfo.environment["ROPEWALK_SEED"], let seed = UInt64(given) {
    return seed
  }
  var random = SystemRandomNumberGenerator()
  return UInt64.random(in: 0..<1 << 32, using: &random)
}()

extension SplitMix {
  /// Text of one to `maximum` scalars, now and then beyond ASCII and beyond the basic plane.
  mutating func text(maximum: Int) -> String {
    let alphabet = Array("abcdefghij \nåß中🪢".unicodeScalars)
    var text = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 1...maximum, using: &self) {
      text.append(alphabet[Int.random(in: 0..<alphabet.count, using: &self)])
    }
    return String(text)
  }

  /// An operation of one step on a text of so many scalars.
  mutating func edit(ofLength length: Int) -> TextOperation {
    let position = Int.random(in: 0...length, using: &self)
    let deleted = Bool.random(using: &self) ? 0 : Int.random(in: 0...min(6, length - position), using: &self)
    let inserted = deleted > 0 && Bool.random(using: &self) ? "" : text(maximum: 5)
    return TextOperation(at: position, deleting: deleted, inserting: inserted)
  }

  /// An operation of several steps.
  mutating func largeEdit(of text: ChunkedText) -> TextOperation {
    var all = TextOperation()
    var length = text.count
    for _ in 0..<Int.random(in: 1...6, using: &self) {
      let next = edit(ofLength: length)
      var changed = ChunkedText(String(repeating: "x", count: length))
      changed.apply(next)
      length = changed.count
      all = all.composed(with: next)
    }
    return all
  }
}

/// Applies an operation to plain scalars, step by step, as its definition reads.
func reference(_ text: String, after operation: TextOperation) -> String {
  var rest = Array(text.unicodeScalars)[...]
  var result = String.UnicodeScalarView()
  for component in operation.components {
    switch component {
    case .retain(let count):
      result.append(contentsOf: rest.prefix(count))
      rest = rest.dropFirst(count)
    case .insert(let inserted): result.append(contentsOf: inserted.text.unicodeScalars)
    case .delete(let count): rest = rest.dropFirst(count)
    }
  }
  result.append(contentsOf: rest)
  return String(result)
}
