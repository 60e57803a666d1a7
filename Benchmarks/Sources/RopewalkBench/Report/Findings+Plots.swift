/// The report's pictures.
extension Findings {
  private static let colors = [
    "Ropewalk": "#0a7d4f", "diamond-types": "#8250df", "yrs": "#bf8700", "loro": "#cf222e",
    "OT, edits kept": "#cf222e", "OT, composed": "#bf8700",
  ]

  private static func color(_ name: String) -> String { colors[name] ?? "#57606a" }

  private func bars(
    _ title: String, _ yTitle: String, own: [Double], peer: (PeerResult) -> Double?
  ) -> BarPlot {
    let groups = replay.map(\.trace)
    var series = [BarPlot.Series(name: "Ropewalk", color: Self.color("Ropewalk"), values: own)]
    for engine in ["diamond-types", "yrs", "loro"] where peers.contains(where: { $0.engine == engine }) {
      let values = groups.map { group in
        peers.first { $0.engine == engine && $0.trace == group }.flatMap(peer)
      }
      guard values.contains(where: { $0 != nil }) else { continue }
      let name = engine == "diamond-types" ? "diamond-types (in proportion)" : engine
      series.append(BarPlot.Series(name: name, color: Self.color(engine), values: values))
    }
    return BarPlot(title: title, yTitle: yTitle, groups: groups, series: series)
  }

  var replayPlot: BarPlot {
    bars(
      "A whole history, bytes to text", "ms, less is better (logarithmic)", own: replay.map(\.totalMs),
      peer: \.replayMs)
  }

  var memoryPlot: BarPlot {
    bars(
      "Peak memory of a replay", "MiB above an idle process (logarithmic)", own: memory.map(\.peakMib),
      peer: \.peakMib)
  }

  var sizePlot: BarPlot {
    bars(
      "A whole history at rest", "KB, zstd level \(Stored.level) (logarithmic)",
      own: size.map { Double($0.storedBytes) / 1000 }, peer: { $0.storedBytes.map { Double($0) / 1000 } })
  }

  /// Two offline branches, in the systems compared.
  func offlinePlot(_ style: EditingStyle) -> LinePlot {
    let results = ot?.offline.filter { $0.style == style } ?? []
    let lines = OfflineComparison.System.allCases.map { system in
      LinePlot.Line(
        name: system.rawValue, color: Self.color(system.rawValue), isDashed: system == .composed,
        points: results.filter { $0.system == system }.map { (Double($0.edits), $0.mergeMs) })
    }
    let place =
      switch style {
      case .runs: "typed in runs"
      case .random: "at random places"
      case .same: "at one place"
      case .backwards: "backwards at one place"
      }
    return LinePlot(
      title: "Two people offline, n edits each, \(place): until both have one text",
      xTitle: "n, edits of each",
      yTitle: "ms of server and both clients", lines: lines)
  }

  /// File names and drawings.
  var plots: [(name: String, svg: String)] {
    [
      ("replay.svg", replayPlot.svg), ("memory.svg", memoryPlot.svg), ("size.svg", sizePlot.svg),
    ] + EditingStyle.allCases.map { ("offline-\($0.rawValue).svg", offlinePlot($0).svg) }
  }
}
