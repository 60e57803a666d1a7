import RopewalkCore

/// Two replicas that edited one text without each other, and meet.
struct OfflineResult: Encodable {
  let style: EditingStyle
  /// Events of each branch.
  let edits: Int
  /// Both come to the same text, which holds everything that both typed.
  let ok: Bool
  /// One replica applies the other's update: bytes to merged document.
  let mergeMs: Double
  let mergeMsMedian: Double
  let nsPerEdit: Double
  let updateBytes: Int
  /// Typing a branch, without merging.
  let typingMs: Double

  /// Scalars of the text before both branches.
  static let baseLength = 20_000

  static func measure(_ style: EditingStyle, edits: Int, runs: Int) throws -> OfflineResult {
    var random = SplitMix(seed: 7)
    let base = TextDocument(seed: random.words(baseLength))
    var (typing, merging) = (Samples(), Samples())
    var replicas: [TextDocument] = []
    for author in 0..<2 as Range<UInt64> {
      let branch = Branch(style, count: edits, onLength: baseLength, seed: 11 + author)
      var document = base
      document.replica = ReplicaID(rawValue: author + 1)
      typing.add(processorSeconds { document.perform(branch) })
      replicas.append(document)
    }
    let updates = replicas.map { $0.update(since: base.versionVector) }
    let snapshots = replicas.map { $0.snapshot() }
    var isCorrect = true
    for run in 1...runs {
      Terminal.progress("offline, \(style.rawValue), \(grouped(edits)) edits: merging, \(run) of \(runs)")
      // Opened anew, so that the merge works on memory of its own and copies nothing.
      var merged = try snapshots.map { try TextDocument(snapshot: $0) }
      for side in 0..<2 {
        let bytes = updates[1 - side].bytes
        merging.add(try processorSeconds { _ = try merged[side].apply(Update(bytes: bytes)) })
      }
      isCorrect =
        isCorrect && merged[0].utf8 == merged[1].utf8 && merged[0].eventCount == baseLength + 2 * edits
    }
    return OfflineResult(
      style: style, edits: edits, ok: isCorrect, mergeMs: merging.minimum * 1e3,
      mergeMsMedian: merging.median * 1e3, nsPerEdit: merging.minimum * 1e9 / Double(edits),
      updateBytes: updates[0].bytes.count, typingMs: typing.minimum * 1e3)
  }

  static func table(_ results: [OfflineResult]) -> Table {
    var table = Table(
      "style", "edits each", "ok", "merge ms", "median", "ns/edit", "update bytes", "typing ms")
    for one in results {
      table.add(
        one.style.rawValue, grouped(one.edits), one.ok ? "yes" : "NO", number(one.mergeMs),
        number(one.mergeMsMedian), number(one.nsPerEdit), grouped(one.updateBytes), number(one.typingMs))
    }
    return table
  }
}

/// How a measurement grows with its size.
struct GrowthCheck: Encodable {
  /// What was varied.
  let growth: String
  /// The slope on logarithmic scales: 1 is linear, 2 quadratic.
  let exponent: Double
  /// Below 1.25, as n log n is over these sizes.
  let isNearLinear: Bool

  init?(_ growth: String, _ points: [(x: Double, y: Double)]) {
    guard let exponent = growthExponent(points) else { return nil }
    self.growth = growth
    self.exponent = exponent
    isNearLinear = exponent < 1.25
  }

  var sentence: String {
    "\(growth): grows as n^\(number(exponent))\(isNearLinear ? "" : ", which is NOT near-linear")"
  }
}

extension GrowthCheck {
  /// One per style; the smallest sizes are left out, where fixed costs flatten the line.
  static func checks(_ results: [OfflineResult]) -> [GrowthCheck] {
    EditingStyle.allCases.compactMap { style in
      let points = results.filter { $0.style == style && $0.edits >= 10_000 }
      return GrowthCheck("offline, \(style.rawValue)", points.map { (Double($0.edits), $0.mergeMs) })
    }
  }
}
