/// A binary heap of numbers, greatest first.
struct MaxHeap: ~Copyable {
  private var elements = FlatBuffer<UInt64>(capacity: 32)

  init() {}

  @inline(__always) var count: Int { elements.count }

  /// The greatest element; the heap must not be empty.
  @inline(__always) var top: UInt64 { elements[0] }

  mutating func removeAll() { elements.removeAll() }

  @inline(__always)
  mutating func push(_ element: UInt64) {
    var child = elements.count
    elements.append(element)
    while child > 0 {
      let parent = (child &- 1) >> 1
      if elements[parent] >= element { break }
      elements[child] = elements[parent]
      child = parent
    }
    elements[child] = element
  }

  /// Takes the greatest element out; the heap must not be empty.
  @inline(__always)
  mutating func pop() {
    let last = elements.removeLast()
    let count = elements.count
    guard count > 0 else { return }
    var parent = 0
    while true {
      var child = 2 &* parent &+ 1
      if child >= count { break }
      if child &+ 1 < count, elements[child &+ 1] > elements[child] { child &+= 1 }
      if elements[child] <= last { break }
      elements[parent] = elements[child]
      parent = child
    }
    elements[parent] = last
  }
}
