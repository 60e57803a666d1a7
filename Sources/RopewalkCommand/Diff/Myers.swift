/// The shortest edit script between two sequences: the greedy algorithm of Eugene Myers, *An O(ND) Difference
/// Algorithm and Its Variations* (1986), with a bound.
///
/// Think of a grid, `old` from left to right, `new` from top to bottom. A step right deletes, a step down
/// inserts, a diagonal step keeps. Diagonal `k` holds the places where `x - y == k`. Row `d` remembers, for
/// every diagonal that `d` edits can reach, the furthest `x` on it; from row `d - 1` each follows by one step and
/// a run of diagonals. The first row that reaches the lower right corner has the fewest edits.
///
/// With `old` = "abc", `new` = "bcd": row 0 reaches x = 0 on diagonal 0. Row 1 reaches "bc" on diagonal 1
/// (delete "a", then two diagonals, x = 3, y = 2) and x = 0, y = 1 on diagonal -1. Row 2 goes down from
/// (3, 2) to (3, 3), the corner: two edits.
///
/// Rows are kept to walk back through, so memory is O(bound²) and independent of the length.
struct Myers {
  /// The most edits in one script, and the most diagonal steps, before it settles for less than minimal.
  struct Bound {
    var edits: Int
    var steps: Int

    /// 512 edits, 64 million steps: a few megabytes and a fraction of a second.
    static let standard = Bound(edits: 512, steps: 1 << 26)
  }

  /// Whether the edits are the fewest possible.
  private(set) var isMinimal = true
  /// Ascending, with kept elements between them.
  private(set) var edits: [Edit] = []

  /// Compares two sequences. Beyond the bound the furthest path is kept and the search begins anew at its
  /// end, so that the time stays O(bound · length) however different the two are.
  ///
  /// - Parameter givesUp: stops at the bound instead; what was found is then the beginning of a script.
  init(_ old: [UInt32], _ new: [UInt32], bound: Bound = .standard, givesUp: Bool = false) {
    var (x, y) = (0, 0)
    while x < old.count || y < new.count {
      let end = old.withUnsafeBufferPointer { a in
        new.withUnsafeBufferPointer { b in
          extend(UnsafeBufferPointer(rebasing: a[x...]), UnsafeBufferPointer(rebasing: b[y...]), x, y, bound)
        }
      }
      (x, y) = (x + end.x, y + end.y)
      guard x < old.count || y < new.count else { return }
      isMinimal = false
      if givesUp { return }
    }
  }

  private static let unreachable = Int32.min

  /// Adds the edits of one search; returns where it ended.
  private mutating func extend(
    _ old: UnsafeBufferPointer<UInt32>, _ new: UnsafeBufferPointer<UInt32>, _ oldOffset: Int,
    _ newOffset: Int, _ bound: Bound
  ) -> (x: Int, y: Int) {
    let (width, height) = (old.count, new.count)
    var rows: [Int32] = []  // row d begins at d(d+1)/2 and holds diagonals -d, -d+2 … d
    var furthest = (row: 0, diagonal: 0, sum: -1)
    var steps = 0
    search: for d in 0...max(1, bound.edits) {
      for k in stride(from: -d, through: d, by: 2) {
        var x = d == 0 ? 0 : Self.step(rows, d, k, width, height)
        guard x >= 0 else {
          rows.append(Self.unreachable)
          continue
        }
        let start = x
        while x < width, x - k < height, old[x] == new[x - k] { x += 1 }
        steps += x - start
        rows.append(Int32(x))
        if 2 * x - k > furthest.sum { furthest = (d, k, 2 * x - k) }
        if furthest.sum == width + height { break search }
      }
      if steps > bound.steps && d > 0 { break }
    }
    append(Self.path(rows, furthest.row, furthest.diagonal, width, height), oldOffset, newOffset)
    return ((furthest.sum + furthest.diagonal) / 2, (furthest.sum - furthest.diagonal) / 2)
  }

  /// The furthest `x` on diagonal `k` one edit after row `d - 1`; negative if the grid ends before.
  private static func step(_ rows: [Int32], _ d: Int, _ k: Int, _ width: Int, _ height: Int) -> Int {
    let base = (d - 1) * d / 2
    var best = Int(unreachable)
    if k < d, k + 1 > -d {  // down from diagonal k + 1: an insertion
      let x = Int(rows[base + (k + d) / 2])
      if x >= 0, x - k <= height { best = x }
    }
    if k > -d {  // right from diagonal k - 1: a deletion
      let x = Int(rows[base + (k + d) / 2 - 1])
      if x >= 0, x < width, x + 1 > best { best = x + 1 }
    }
    return best
  }

  /// Walks back from a place in a row: the edits, last first.
  private static func path(
    _ rows: [Int32], _ row: Int, _ diagonal: Int, _ width: Int, _ height: Int
  ) -> [Edit] {
    var edits: [Edit] = []
    var k = diagonal
    for d in stride(from: row, to: 0, by: -1) {
      let x = step(rows, d, k, width, height)
      let y = x - k
      let base = (d - 1) * d / 2
      let isDeletion = k > -d && Int(rows[base + (k + d) / 2 - 1]) + 1 == x && x <= width
      edits.append(isDeletion ? Edit(old: x - 1..<x, new: y..<y) : Edit(old: x..<x, new: y - 1..<y))
      k += isDeletion ? -1 : 1
    }
    return edits
  }

  /// Adds single edits, given last first, joining those that touch.
  private mutating func append(_ backwards: [Edit], _ oldOffset: Int, _ newOffset: Int) {
    for edit in backwards.reversed() {
      let next = edit.shifted(old: oldOffset, new: newOffset)
      if let last = edits.last, last.old.upperBound == next.old.lowerBound,
        last.new.upperBound == next.new.lowerBound
      {
        edits[edits.count - 1] = Edit(
          old: last.old.lowerBound..<next.old.upperBound, new: last.new.lowerBound..<next.new.upperBound)
      } else {
        edits.append(next)
      }
    }
  }
}
