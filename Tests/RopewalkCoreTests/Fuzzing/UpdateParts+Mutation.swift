extension UpdateParts {
  /// Says the same or something else in another form, as a careless encoder or an attacker might.
  mutating func mutate(using random: inout SplitMix) {
    switch random.below(13) {
    case 0: Self.mutate(&parents, using: &random)
    case 1: Self.mutate(&operations, using: &random)
    case 2: Self.mutate(&positions, using: &random)
    case 3: Self.mutate(&runAuthors, using: &random)
    case 4: Self.mutate(&runLengths, using: &random)
    case 5:
      if authors.count > 1 { authors.swapAt(random.below(authors.count), random.below(authors.count)) }
    case 6:
      if others.count > 1, random.chance(50) {
        others.swapAt(random.below(others.count), random.below(others.count))
      } else {
        others.append(random.chance(50) ? random.next() : authors.first?.replica ?? 7)
      }
    case 7: splitRun(using: &random)
    case 8: splitOperation(using: &random)
    case 9: listOwnParent(using: &random)
    case 10: swapReferences(using: &random)
    case 11: lineage = lineage == nil ? UInt64(random.below(2)) : nil
    default:
      guard !authors.isEmpty else { return }
      let author = random.below(authors.count)
      if random.chance(50) {
        authors[author].first &+= UInt64(random.below(3)) &- 1
      } else {
        authors[author].count &+= UInt64(random.below(3)) &- 1
      }
    }
  }

  private static func mutate(_ column: inout [UInt64], using random: inout SplitMix) {
    guard !column.isEmpty else { return column.append(UInt64(random.below(4))) }
    let at = random.below(column.count)
    switch random.below(6) {
    case 0: column[at] = UInt64(random.below(8))
    case 1: column[at] &+= random.chance(50) ? 1 : .max
    case 2: column[at] ^= 1 << UInt64(random.below(random.chance(90) ? 5 : 64))
    case 3: column.insert(random.chance(50) ? column[at] : UInt64(random.below(8)), at: at)
    case 4: column.remove(at: at)
    default: column.swapAt(at, random.below(column.count))
    }
  }

  /// Where each run's parents begin in their column; fewer where it does not hold them.
  private var parentCodes: [Int] {
    var codes: [Int] = []
    var at = 0
    while at < parents.count, codes.count < runLengths.count {
      codes.append(at)
      let code = parents[at]
      at += 1
      for _ in 0..<min(code, UInt64(parents.count)) where at < parents.count {
        at += parents[at] & 1 == 0 ? 1 : 2
      }
    }
    return codes
  }

  private mutating func splitRun(using random: inout SplitMix) {
    let codes = parentCodes
    guard !codes.isEmpty else { return }
    let run = random.below(codes.count)
    guard run < runLengths.count, run < runAuthors.count, runLengths[run] > 1 else { return }
    let rest = runLengths[run] / 2
    runLengths[run] -= rest
    runLengths.insert(rest, at: run + 1)
    runAuthors.insert(runAuthors[run], at: run + 1)
    parents.insert(
      contentsOf: [[0], [1, 2]][random.below(2)], at: run + 1 < codes.count ? codes[run + 1] : parents.count)
  }

  private mutating func splitOperation(using random: inout SplitMix) {
    guard !operations.isEmpty else { return }
    let at = random.below(operations.count)
    let (length, kind) = (operations[at] >> 2, operations[at] & 3)
    guard length > 1, at < positions.count else { return }
    let first = 1 + UInt64(random.below(Int(min(length - 1, 1 << 30))))
    operations[at] = first << 2 | (kind == 2 && first == 1 ? 1 : kind)
    operations.insert((length - first) << 2 | (kind == 2 && length - first == 1 ? 1 : kind), at: at + 1)
    positions.insert(kind == 2 ? 1 : 0, at: at + 1)
  }

  /// Names a run's own event before it as a reference.
  private mutating func listOwnParent(using random: inout SplitMix) {
    let codes = parentCodes
    guard let at = codes.randomElement(using: &random), let author = authors.first else { return }
    let own: [UInt64] = random.chance(50) ? [2 + 2 * UInt64(random.below(3))] : [1, author.first &- 1]
    if parents[at] < 2 { parents.replaceSubrange(at...at, with: [parents[at] + 1] + own) }
  }

  private mutating func swapReferences(using random: inout SplitMix) {
    for at in parentCodes where parents[at] > 1 && random.chance(50) {
      var references: [[UInt64]] = []
      var end = at + 1
      for _ in 0..<min(parents[at], 100) where end < parents.count {
        let width = parents[end] & 1 == 0 ? 1 : 2
        references.append(Array(parents[end..<min(parents.count, end + width)]))
        end = min(parents.count, end + width)
      }
      if random.chance(80) { references.shuffle(using: &random) } else { references += references.prefix(1) }
      parents[at] = UInt64(references.count)
      parents.replaceSubrange(at + 1..<end, with: references.flatMap { $0 })
      return
    }
  }
}
