/// Edits that wait to be sent, kept as few composed operations of growing size.
///
/// Composing each keystroke into one large operation costs as much as the operation is long, which makes a
/// long time offline quadratic. Here an edit is joined with neighbours of its own size only (as a binary counter
/// carries), so that n edits cost O(n log n).
struct EditBuffer: Sendable {
  private var parts: [(operation: TextOperation, edits: Int)] = []

  var isEmpty: Bool { parts.isEmpty }

  /// Adds an edit made after all others.
  mutating func append(_ edit: TextOperation) {
    guard !edit.isEmpty else { return }
    parts.append((edit, 1))
    while parts.count > 1, parts[parts.count - 2].edits <= parts[parts.count - 1].edits { joinLast() }
  }

  /// Everything as one operation.
  var composed: TextOperation {
    var copy = self
    return copy.flatten()
  }

  /// Joins everything into one operation and returns it.
  mutating func flatten() -> TextOperation {
    while parts.count > 1 { joinLast() }
    return parts.last?.operation ?? TextOperation()
  }

  /// Puts one operation in the place of all.
  mutating func replace(with operation: TextOperation) {
    let edits = max(1, parts.reduce(0) { $0 + $1.edits })
    parts = operation.isEmpty ? [] : [(operation, edits)]
  }

  /// Joins everything, and leaves nothing behind.
  mutating func removeAll() -> TextOperation {
    let all = flatten()
    parts = []
    return all
  }

  private mutating func joinLast() {
    let last = parts.removeLast()
    let before = parts.removeLast()
    parts.append((before.operation.composed(with: last.operation), before.edits + last.edits))
  }
}
