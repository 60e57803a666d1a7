/// Walks through an operation's components, in pieces as long as the other side of a walk needs them.
///
/// After the last component an operation keeps whatever follows, so that the walk goes on over one endless
/// retain.
struct ComponentReader {
  enum Kind { case retain, insert, delete, end }

  private let components: [TextOperation.Component]
  private var index = 0
  /// How much of the present component was taken.
  private var taken = 0
  private(set) var kind = Kind.end
  /// What is left of the present component; endless at the end.
  private(set) var length = Int.max

  init(_ operation: TextOperation) {
    components = operation.components
    read()
  }

  var isAtEnd: Bool { kind == .end }
  /// Components that were not begun.
  var remaining: Int { components.count - index }

  /// Goes `count` scalars on inside the present component.
  mutating func skip(_ count: Int) {
    guard kind != .end else { return }
    taken += count
    length -= count
    if length == 0 {
      index += 1
      taken = 0
      read()
    }
  }

  /// The next `count` scalars of the insertion that the reader is at.
  mutating func takeText(_ count: Int) -> Insertion {
    guard case .insert(let text) = components[index] else { preconditionFailure("not at an insertion") }
    let part = text.part(from: taken, length: count)
    skip(count)
    return part
  }

  private mutating func read() {
    guard index < components.count else {
      kind = .end
      length = .max
      return
    }
    switch components[index] {
    case .retain(let count): (kind, length) = (.retain, count)
    case .insert(let text): (kind, length) = (.insert, text.count)
    case .delete(let count): (kind, length) = (.delete, count)
    }
  }
}
