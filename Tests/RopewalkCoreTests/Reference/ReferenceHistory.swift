import RopewalkCore

/// The merge order of `Spec/merge-order.md`, word for word and slow.
///
/// Every inserted scalar is a node of a tree and is, for good, a left or a right child of another node. The document's order
/// is the tree read from left to right: a node's left children, the node, its right children; siblings by id. Which events an
/// author had seen is looked up in a table of who knows whom. Nothing is retreated, advanced, or run-length encoded.
struct ReferenceHistory {
  /// The node before the document's first scalar.
  private static let start = -1

  private(set) var events: [ReferenceEvent] = []
  private(set) var numbers: [EventID: Int] = [:]
  /// `pasts[e][i]`: event i happened before e, or is e.
  private var pasts: [[Bool]] = []

  /// All inserts ever, in document order.
  private var order: [Int] = []
  private var leftOrigins: [Int: Int] = [:]
  private var leftChildren: [Int: [Int]] = [:]
  private var rightChildren: [Int: [Int]] = [:]
  /// By insert: the events that delete it.
  private var deletions: [Int: [Int]] = [:]

  /// Adds an event whose parents are there, and its author's event before.
  mutating func add(_ event: ReferenceEvent) {
    let number = events.count
    let seen = version(event.followed)
    switch event.operation {
    case .delete(let index):
      let visible = visibleItems(in: seen)
      if index < visible.count { deletions[visible[index], default: []].append(number) }
    case .insert(_, let index):
      let visible = visibleItems(in: seen)
      let index = min(index, visible.count)
      let left = index == 0 ? Self.start : visible[index - 1]
      insert(number, event.id, after: left, next: item(after: left, in: seen))
    }
    events.append(event)
    numbers[event.id] = number
    pasts.append(seen + Array(repeating: false, count: number - seen.count) + [true])
  }

  /// The version that follows some events: whether each event, by number, is in it.
  func version(_ heads: [EventID]) -> [Bool] {
    let places = heads.compactMap { numbers[$0] }.sorted()
    var seen = places.last.map { pasts[$0] } ?? []
    for head in places.dropLast() {
      for (number, isSeen) in pasts[head].enumerated() where isSeen { seen[number] = true }
    }
    return seen
  }

  func scalars(in seen: [Bool]) -> [Unicode.Scalar] {
    visibleItems(in: seen).map { item in
      guard case .insert(let scalar, _) = events[item].operation else { preconditionFailure("an insert") }
      return scalar
    }
  }

  /// The events of a version that no other one there follows, ascending.
  func heads(of seen: [Bool]) -> [EventID] {
    var isFollowed = Set<EventID>()
    for (number, isSeen) in seen.enumerated() where isSeen { isFollowed.formUnion(events[number].followed) }
    return seen.indices.filter { seen[$0] }.map { events[$0].id }.filter { !isFollowed.contains($0) }.sorted()
  }

  // MARK: The order

  private mutating func insert(_ number: Int, _ id: EventID, after left: Int, next: Int?) {
    leftOrigins[number] = left
    if let next, leftOrigins[next] == left {
      // Goes with `next`, at its left.
      let siblings = leftChildren[next] ?? []
      let rank = siblings.firstIndex { events[$0].id > id } ?? siblings.count
      let follower = rank < siblings.count ? first(ofSubtree: siblings[rank]) : next
      leftChildren[next, default: []].insert(number, at: rank)
      order.insert(number, at: place(of: follower))
    } else {
      let siblings = rightChildren[left] ?? []
      let rank = siblings.firstIndex { events[$0].id > id } ?? siblings.count
      let leader = rank > 0 ? last(ofSubtree: siblings[rank - 1]) : left
      rightChildren[left, default: []].insert(number, at: rank)
      order.insert(number, at: leader == Self.start ? 0 : place(of: leader) + 1)
    }
  }

  private func first(ofSubtree node: Int) -> Int {
    var node = node
    while let child = leftChildren[node]?.first { node = child }
    return node
  }

  private func last(ofSubtree node: Int) -> Int {
    var node = node
    while let child = rightChildren[node]?.last { node = child }
    return node
  }

  private func place(of item: Int) -> Int { order.firstIndex(of: item) ?? order.count }

  // MARK: What an author saw

  /// The item that follows another one in a version, deleted there or not.
  private func item(after left: Int, in seen: [Bool]) -> Int? {
    order[(left == Self.start ? 0 : place(of: left) + 1)...].first { isIn(seen, $0) }
  }

  private func visibleItems(in seen: [Bool]) -> [Int] {
    order.filter { item in
      isIn(seen, item) && !(deletions[item]?.contains { isIn(seen, $0) } ?? false)
    }
  }

  private func isIn(_ seen: [Bool], _ number: Int) -> Bool { number < seen.count && seen[number] }
}
