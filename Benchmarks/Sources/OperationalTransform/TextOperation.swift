/// A change of a whole text: what to keep, what to put in, what to take out, from the start on.
///
/// The operation of Jupiter, Google Wave and ot.js, over Unicode scalars. Always in normal form: no empty
/// component, no two neighbours of one kind, an insertion before a deletion at the same place, and no retain
/// at the end (what is not mentioned is kept). Equal changes therefore are equal values.
public struct TextOperation: Hashable, Sendable {
  /// One step.
  public enum Component: Hashable, Sendable {
    /// Passes over so many scalars.
    case retain(Int)
    /// Puts in text.
    case insert(Insertion)
    /// Takes out so many scalars.
    case delete(Int)
  }

  /// The steps, in order.
  public private(set) var components: [Component] = []

  /// Changes nothing.
  public init() {}

  /// Puts in `text` before scalar `position`.
  public init(inserting text: String, at position: Int) {
    components.reserveCapacity(2)
    retain(position)
    insert(Insertion(text))
  }

  /// Takes out `range`, in scalars.
  public init(deleting range: Range<Int>) {
    components.reserveCapacity(2)
    retain(range.lowerBound)
    delete(range.count)
  }

  /// Takes out `deleted` scalars at `position` and puts in `text` there.
  public init(at position: Int, deleting deleted: Int, inserting text: String) {
    retain(position)
    insert(Insertion(text))
    delete(deleted)
  }

  /// Changes nothing.
  public var isEmpty: Bool { components.isEmpty }

  /// The least length a text must have for this, in scalars.
  public var requiredLength: Int {
    components.reduce(0) { length, component in
      switch component {
      case .retain(let count), .delete(let count): length + count
      case .insert: length
      }
    }
  }

  /// Passes over `count` scalars next. Kept back until something follows, so that none stands at the end.
  mutating func retain(_ count: Int) {
    precondition(count >= 0, "a length cannot be negative")
    trailing += count
  }

  /// Puts in text next.
  mutating func insert(_ text: Insertion) {
    guard text.count > 0 else { return }
    flushRetain()
    var place = components.count
    // Before a deletion at the same place: the two orders mean the same, and only one is normal.
    if case .delete? = components.last { place -= 1 }
    if place > 0, case .insert(var before) = components[place - 1] {
      components[place - 1] = .retain(0)  // so that the text is grown in place
      before.append(text)
      components[place - 1] = .insert(before)
    } else {
      components.insert(.insert(text), at: place)
    }
  }

  /// Takes out `count` scalars next.
  mutating func delete(_ count: Int) {
    precondition(count >= 0, "a length cannot be negative")
    guard count > 0 else { return }
    flushRetain()
    if case .delete(let before)? = components.last {
      components[components.count - 1] = .delete(before + count)
    } else {
      components.append(.delete(count))
    }
  }

  mutating func reserve(_ count: Int) { components.reserveCapacity(count) }

  /// A retain that was asked for and may turn out to stand at the end.
  private var trailing = 0

  private mutating func flushRetain() {
    guard trailing > 0 else { return }
    components.append(.retain(trailing))
    trailing = 0
  }

  /// Compares what they do.
  public static func == (a: TextOperation, b: TextOperation) -> Bool { a.components == b.components }
  /// Hashes what it does.
  public func hash(into hasher: inout Hasher) { hasher.combine(components) }
}
