/// A growing stretch of plain values that is addressed without bounds checks in release builds.
///
/// The one place where the walker owns unsafe memory. Invariant: elements `0 ..< count` are initialised and
/// `count <= capacity`.
struct FlatBuffer<Element: BitwiseCopyable>: ~Copyable {
  private(set) var base: UnsafeMutablePointer<Element>
  private(set) var count = 0
  private var capacity: Int

  init(capacity: Int = 64) {
    self.capacity = max(1, capacity)
    base = UnsafeMutablePointer<Element>.allocate(capacity: self.capacity)
  }

  deinit { base.deallocate() }

  @inline(__always)
  subscript(index: Int) -> Element {
    get {
      assert(index >= 0 && index < count)
      return base[index]
    }
    nonmutating set {
      assert(index >= 0 && index < count)
      base[index] = newValue
    }
  }

  @inline(__always)
  func pointer(_ index: Int) -> UnsafeMutablePointer<Element> {
    assert(index >= 0 && index < count)
    return base + index
  }

  /// All elements, valid until the buffer changes.
  @inline(__always) var all: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: base, count: count) }

  mutating func removeAll() { count = 0 }

  /// Grows to at least `length` elements; new ones are `value`.
  @inline(__always)
  mutating func grow(to length: Int, filling value: Element) {
    guard length > count else { return }
    if length > capacity { reallocate(max(length, capacity * 2)) }
    (base + count).initialize(repeating: value, count: length - count)
    count = length
  }

  @inline(__always)
  mutating func append(_ value: Element) {
    if count == capacity { reallocate(capacity * 2) }
    (base + count).initialize(to: value)
    count &+= 1
  }

  @inline(__always)
  mutating func append(_ values: UnsafeBufferPointer<Element>) {
    guard let first = values.baseAddress else { return }
    if count + values.count > capacity { reallocate(max(count + values.count, capacity * 2)) }
    (base + count).initialize(from: first, count: values.count)
    count += values.count
  }

  @inline(__always)
  mutating func removeLast() -> Element {
    assert(count > 0)
    count &-= 1
    return base[count]
  }

  mutating func removeLast(_ number: Int) {
    assert(number >= 0 && number <= count)
    count -= number
  }

  private mutating func reallocate(_ length: Int) {
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: length)
    larger.moveInitialize(from: base, count: count)
    base.deallocate()
    base = larger
    capacity = length
  }
}
