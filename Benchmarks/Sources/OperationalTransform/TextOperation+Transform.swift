extension TextOperation {
  /// What this operation becomes where `other`, made at the same text, was made before it. O(components of both).
  ///
  /// - Parameter goesFirst: whether this operation's text stands before the other's where both insert at one
  ///   place. Exactly one of two operations must go first.
  public func transformed(over other: TextOperation, goesFirst: Bool) -> TextOperation {
    var result = TextOperation()
    result.reserve(components.count + 1)
    var mine = ComponentReader(self)
    var theirs = ComponentReader(other)
    while !mine.isAtEnd {
      if mine.kind == .insert, goesFirst || theirs.kind != .insert {
        result.insert(mine.takeText(mine.length))
      } else if theirs.kind == .insert {
        result.retain(theirs.length)
        theirs.skip(theirs.length)
      } else {
        let count = min(mine.length, theirs.length)
        switch (mine.kind, theirs.kind) {
        case (_, .delete): break
        case (.delete, _): result.delete(count)
        default: result.retain(count)
        }
        mine.skip(count)
        theirs.skip(count)
      }
    }
    return result
  }

  /// Both sides of a fork at once: `first` after `second`, and `second` after `first`. Applying `first` and then the new
  /// `second` gives the same text as `second` and then the new `first`. Where both insert at one place, the
  /// text of `first` comes first.
  public static func transform(
    _ first: TextOperation, _ second: TextOperation
  ) -> (first: TextOperation, second: TextOperation) {
    var newFirst = TextOperation()
    var newSecond = TextOperation()
    newFirst.reserve(first.components.count + 1)
    newSecond.reserve(second.components.count + 1)
    var a = ComponentReader(first)
    var b = ComponentReader(second)
    while !(a.isAtEnd && b.isAtEnd) {
      if a.kind == .insert {
        newSecond.retain(a.length)
        newFirst.insert(a.takeText(a.length))
      } else if b.kind == .insert {
        newFirst.retain(b.length)
        newSecond.insert(b.takeText(b.length))
      } else {
        let count = min(a.length, b.length)
        switch (a.kind, b.kind) {
        case (.delete, .delete): break
        case (.delete, _): newFirst.delete(count)
        case (_, .delete): newSecond.delete(count)
        default:
          newFirst.retain(count)
          newSecond.retain(count)
        }
        a.skip(count)
        b.skip(count)
      }
    }
    return (newFirst, newSecond)
  }
}
