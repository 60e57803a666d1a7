import RopewalkCore

/// What changed between two texts, as few and as round patches as can be found in bounded time.
enum TextDiff {
  /// Patches that turn `old` into `new`, to be applied in order.
  ///
  /// Up to 512 scalars' difference, what is kept is the most possible, apart from letters kept by
  /// coincidence between two replaced ones. Beyond, whole lines are compared first.
  static func patches(from old: String, to new: String) -> [TextPatch] {
    patches(from: old.unicodeScalars.map(\.value), to: new.unicodeScalars.map(\.value))
  }

  /// The same for texts as arrays of scalars.
  static func patches(from old: [UInt32], to new: [UInt32]) -> [TextPatch] {
    var offset = 0
    return edits(old, new).map { edit in
      defer { offset += edit.new.count - edit.old.count }
      var inserted = String.UnicodeScalarView()
      inserted.append(contentsOf: new[edit.new].compactMap(Unicode.Scalar.init))
      return TextPatch(
        position: edit.old.lowerBound + offset, deleted: edit.old.count,
        inserted: Array(String(inserted).utf8))
    }
  }

  /// The changes, ascending, with at least one kept scalar between any two.
  static func edits(_ old: [UInt32], _ new: [UInt32]) -> [Edit] {
    let shorter = min(old.count, new.count)
    var prefix = 0
    while prefix < shorter, old[prefix] == new[prefix] { prefix += 1 }
    var suffix = 0
    while suffix < shorter - prefix, old[old.count - 1 - suffix] == new[new.count - 1 - suffix] {
      suffix += 1
    }
    let a = Array(old[prefix..<old.count - suffix])
    let b = Array(new[prefix..<new.count - suffix])
    let raw = middle(a, b).map { $0.shifted(old: prefix, new: prefix) }
    return EditGrouping(old, new).grouped(raw)
  }

  /// The changes where neither the first nor the last scalars are equal.
  private static func middle(_ old: [UInt32], _ new: [UInt32]) -> [Edit] {
    if old.isEmpty && new.isEmpty { return [] }
    if old.isEmpty || new.isEmpty { return [Edit(old: old.indices, new: new.indices)] }
    if abs(old.count - new.count) <= Myers.Bound.standard.edits {
      let script = Myers(old, new, givesUp: true)
      if script.isMinimal { return script.edits }
    }
    return LineDiff.edits(old, new).flatMap { hunk in
      within(Array(old[hunk.old]), Array(new[hunk.new])).map {
        $0.shifted(old: hunk.old.lowerBound, new: hunk.new.lowerBound)
      }
    }
  }

  /// The changes within changed lines: scalar by scalar if much of them is kept, else all of them.
  private static func within(_ old: [UInt32], _ new: [UInt32]) -> [Edit] {
    let whole = [Edit(old: old.indices, new: new.indices)]
    if old.isEmpty || new.isEmpty || old.count + new.count > longestHunk { return whole }
    let script = Myers(old, new, bound: .init(edits: 256, steps: 1 << 22))
    let kept = old.count - script.edits.reduce(0) { $0 + $1.old.count }
    return 2 * kept >= min(old.count, new.count) ? script.edits : whole
  }

  /// Changed lines in one place longer than this, in scalars of both texts, are replaced whole.
  private static let longestHunk = 1 << 18
}
