import RopewalkTraces

/// Everything that a report shows.
struct Findings {
  var replay: [ReplayResult] = []
  var edit: [EditResult] = []
  var open: [OpenResult] = []
  var size: [SizeResult] = []
  var memory: [MemoryResult] = []
  var peers: [PeerResult] = []
  /// Why there are no peers.
  var peersMissing: String?
  var offline: [OfflineResult] = []
  var growth: [RepetitionResult] = []
  var keystroke: [KeystrokeResult] = []
  var ot: OTComparison?

  /// Measures everything. The peers run right after the engine, on the same traces.
  static func measure(
    _ files: [String], runs: Int, quick: Bool, peersFolder: String?
  ) throws -> Findings {
    var all = Findings()
    for file in files {
      let prepared = try PreparedTrace(path: file)
      all.replay.append(try ReplayResult.measure(prepared, runs: runs))
      all.open.append(try OpenResult.measure(prepared, runs: runs))
      all.size.append(try SizeResult.measure(prepared))
      all.memory.append(try MemoryResult.measure(prepared, runs: min(3, runs)))
    }
    if let peersFolder {
      do { all.peers = try PeerResult.measure(files, runs: runs, folder: peersFolder) } catch {
        all.peersMissing = "\(error)"
      }
    } else {
      all.peersMissing = "they were left out"
    }
    for file in files {
      let trace = try Trace(path: file)
      let name = PreparedTrace.name(of: file)
      if trace.isLinear {
        all.edit.append(try EditResult.measure(trace, name: name, runs: min(5, runs)))
      } else if trace.eventCount < 100_000 {
        for times in quick ? [1, 5] : [1, 5, 25] {
          all.growth.append(
            try RepetitionResult.measure(trace, name: name, times: times, runs: min(5, runs)))
        }
      }
    }
    for style in EditingStyle.allCases {
      for edits in quick ? [1_000, 10_000] : [1_000, 10_000, 100_000, 1_000_000] {
        all.offline.append(
          try OfflineResult.measure(style, edits: edits, runs: edits < 500_000 ? min(5, runs) : 2))
      }
    }
    for crossing in [false, true] {
      all.keystroke.append(try KeystrokeResult.measure(crossing: crossing, runs: min(3, runs)))
    }
    all.ot = try OTComparison.measure(quick: quick, runs: min(3, runs))
    return all
  }

  var isCorrect: Bool {
    replay.allSatisfy(\.ok) && edit.allSatisfy(\.ok) && open.allSatisfy(\.ok) && size.allSatisfy(\.ok)
      && offline.allSatisfy(\.ok) && growth.allSatisfy(\.ok) && keystroke.allSatisfy(\.ok)
      && peers.allSatisfy(\.ok) && (ot?.sections.allSatisfy(\.isCorrect) ?? true)
  }
}
