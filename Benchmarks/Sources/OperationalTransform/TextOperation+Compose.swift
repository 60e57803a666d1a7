extension TextOperation {
  /// One operation that does what this and then `next` do. O(components of both).
  public func composed(with next: TextOperation) -> TextOperation {
    if isEmpty { return next }
    if next.isEmpty { return self }
    var result = TextOperation()
    result.reserve(components.count + next.components.count)
    var first = ComponentReader(self)
    var second = ComponentReader(next)
    while !(first.isAtEnd && second.isAtEnd) {
      if first.kind == .delete {
        result.delete(first.length)
        first.skip(first.length)
      } else if second.kind == .insert {
        result.insert(second.takeText(second.length))
      } else {
        // `first` keeps or inserts what `second` keeps or deletes.
        let count = min(first.length, second.length)
        switch (first.kind, second.kind) {
        case (.insert, .delete): first.skip(count)
        case (.insert, _): result.insert(first.takeText(count))
        case (_, .delete):
          result.delete(count)
          first.skip(count)
        default:
          result.retain(count)
          first.skip(count)
        }
        second.skip(count)
      }
    }
    return result
  }

  /// One operation that does what all of these do, in order. Neighbours are joined in pairs, so that n small
  /// operations cost O(n log n) and not O(n²).
  public static func composed(_ operations: some Collection<TextOperation>) -> TextOperation {
    var buffer = EditBuffer()
    for operation in operations { buffer.append(operation) }
    return buffer.composed
  }
}
