import RopewalkCore

/// The same order by a second road, to check the first: the event-graph walker in its plainest form (Gentle and
/// Kleppmann, *Collaborative Text Editing with Eg-walker*, EuroSys 2025), one item per scalar in an array.
struct ReferenceWalk {
  private struct Item {
    let number: Int
    let scalar: Unicode.Scalar
    let leftOrigin: Int?
    let rightParent: Int?
    /// In the version that the walk stands at: 0 not inserted yet, 1 inserted, n + 1 deleted n times.
    var current: Int
    /// Deleted by anybody.
    var isDeleted = false
  }

  private let history: ReferenceHistory
  private var items: [Item] = []
  /// By delete: the insert that it deletes; none if it is void.
  private var targets: [Int: Int] = [:]

  /// Walks all events of a history and reads the text at the end.
  static func scalars(of history: ReferenceHistory) -> [Unicode.Scalar] {
    var walk = ReferenceWalk(history: history)
    var current: [Bool] = []
    for (number, event) in history.events.enumerated() {
      let seen = history.version(event.followed)
      for other in (0..<number).reversed() where current[other] && !(other < seen.count && seen[other]) {
        walk.move(other, by: -1)
      }
      for other in 0..<number where !current[other] && other < seen.count && seen[other] {
        walk.move(other, by: 1)
      }
      current = seen + Array(repeating: false, count: number - seen.count) + [true]
      walk.apply(event, number)
    }
    return walk.items.filter { !$0.isDeleted }.map { $0.scalar }
  }

  private init(history: ReferenceHistory) { self.history = history }

  /// Advances (+1) or retreats (-1) an event.
  private mutating func move(_ number: Int, by step: Int) {
    switch history.events[number].operation {
    case .insert: if let at = place(of: number) { items[at].current += step }
    case .delete: if let target = targets[number], let at = place(of: target) { items[at].current += step }
    }
  }

  private mutating func apply(_ event: ReferenceEvent, _ number: Int) {
    let visible = items.indices.filter { items[$0].current == 1 }
    switch event.operation {
    case .delete(let index):
      guard index < visible.count else { return }
      items[visible[index]].current += 1
      items[visible[index]].isDeleted = true
      targets[number] = items[visible[index]].number
    case .insert(let scalar, let index):
      let index = min(index, visible.count)
      let at = index == 0 ? 0 : visible[index - 1] + 1
      let left = at == 0 ? nil : items[at - 1].number
      let next = items[at...].first { $0.current > 0 }
      let parent = next.flatMap { $0.leftOrigin == left ? $0.number : nil }
      let item = Item(number: number, scalar: scalar, leftOrigin: left, rightParent: parent, current: 1)
      items.insert(item, at: place(for: item, id: event.id, from: at))
    }
  }

  /// Steps over what others inserted at the same place and the author had not seen.
  private func place(for item: Item, id: EventID, from start: Int) -> Int {
    let parent = rightPlace(item)
    var place = start
    var at = start
    var isScanning = false
    while at < items.count, items[at].current == 0 {
      let other = items[at]
      let left = other.leftOrigin.flatMap { self.place(of: $0) } ?? -1
      if left < start - 1 { break }
      if left == start - 1 {
        let otherParent = rightPlace(other)
        if otherParent == parent, id < history.events[other.number].id { break }
        isScanning = otherParent < parent
      }
      at += 1
      if !isScanning { place = at }
    }
    return place
  }

  private func rightPlace(_ item: Item) -> Int {
    item.rightParent.flatMap { place(of: $0) } ?? items.count
  }

  private func place(of number: Int) -> Int? { items.firstIndex { $0.number == number } }
}
