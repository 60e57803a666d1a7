/// Differences by whole lines, for texts that differ too much to be compared scalar by scalar.
enum LineDiff {
  /// Where lines differ, as ranges of scalars. Lines end after U+000A.
  static func edits(_ old: [UInt32], _ new: [UInt32]) -> [Edit] {
    var numbers: [ArraySlice<UInt32>: UInt32] = [:]
    let oldLines = Lines(old, &numbers)
    let newLines = Lines(new, &numbers)
    return Myers(oldLines.numbers, newLines.numbers, bound: .init(edits: 1024, steps: 1 << 24)).edits.map {
      Edit(
        old: oldLines.starts[$0.old.lowerBound]..<oldLines.starts[$0.old.upperBound],
        new: newLines.starts[$0.new.lowerBound]..<newLines.starts[$0.new.upperBound])
    }
  }

  /// A text as numbers of lines, equal lines having equal numbers.
  private struct Lines {
    var numbers: [UInt32] = []
    /// Where each line starts, and the end of the text.
    var starts = [0]

    init(_ text: [UInt32], _ known: inout [ArraySlice<UInt32>: UInt32]) {
      while starts[numbers.count] < text.count {
        let start = starts[numbers.count]
        let end = text[start...].firstIndex(of: 0x0a).map { $0 + 1 } ?? text.count
        let fresh = UInt32(known.count)
        numbers.append(known[text[start..<end], default: fresh])
        if numbers[numbers.count - 1] == fresh { known[text[start..<end]] = fresh }
        starts.append(end)
      }
    }
  }
}
