/// The walker that a document's last merge left, for the next one to go on with. A cache: without it the next
/// merge walks more, and comes to the same.
///
/// A document is a value, but a walker is not copied: copies of a document share it, and then none of them
/// uses it.
struct WarmWalker: Sendable {
  /// `@unchecked Sendable` because a holder touches it only while it holds the only reference, hence never two
  /// at once.
  private final class Box: @unchecked Sendable {
    var walker: Walker?
    init(_ walker: consuming Walker) { self.walker = consume walker }
  }

  private var box: Box?

  /// Takes the walker out, if no copy of the document shares it.
  mutating func take() -> Walker? {
    guard isKnownUniquelyReferenced(&box) else {
      box = nil
      return nil
    }
    return box?.walker.take()
  }

  /// Keeps a walker.
  mutating func store(_ walker: consuming Walker?) {
    guard let walker else {
      box = nil
      return
    }
    if isKnownUniquelyReferenced(&box), let box {
      box.walker = consume walker
    } else {
      box = Box(walker)
    }
  }
}
