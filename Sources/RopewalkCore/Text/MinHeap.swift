/// A binary heap of values, least first. A value, as its elements are.
struct MinHeap<Element: Comparable & Sendable>: Sendable {
  private var elements: [Element] = []

  init() {}

  var isEmpty: Bool { elements.isEmpty }

  /// The least element.
  var first: Element? { elements.first }

  /// Adds an element. O(log n).
  mutating func insert(_ element: Element) {
    var child = elements.count
    elements.append(element)
    while child > 0 {
      let parent = (child - 1) / 2
      if elements[parent] <= element { break }
      elements.swapAt(parent, child)
      child = parent
    }
  }

  /// Takes out the least element, if there is any. O(log n).
  mutating func removeFirst() {
    guard let last = elements.popLast(), !elements.isEmpty else { return }
    elements[0] = last
    var parent = 0
    while true {
      var least = parent
      let (left, right) = (2 * parent + 1, 2 * parent + 2)
      if left < elements.count, elements[left] < elements[least] { least = left }
      if right < elements.count, elements[right] < elements[least] { least = right }
      if least == parent { return }
      elements.swapAt(parent, least)
      parent = least
    }
  }
}
