/// Everything that is compared with OT.
struct OTComparison {
  /// One kind of comparison, ready to be shown.
  struct Section {
    let table: Table
    let checks: [GrowthCheck]
    let isCorrect: Bool
    /// As JSON, one result a line.
    let lines: () throws -> [String]
  }

  private(set) var live: [LiveResult] = []
  private(set) var offline: [OfflineComparison] = []
  private(set) var catchUp: [CatchUpResult] = []
  private(set) var server: [ServerMemory] = []
  private(set) var sections: [Section] = []

  static func measure(
    quick: Bool, runs: Int, finished: (Section) throws -> Void = { _ in }
  ) throws -> OTComparison {
    var all = OTComparison()
    for latency in [20, 200] {
      for users in quick ? [2, 10] : [2, 10, 50] {
        try all.addLive(users: users, latencyMs: latency, keystrokes: quick ? 2_000 : 10_000)
      }
    }
    try all.close(all.live, LiveResult.table(all.live), all.live.allSatisfy(\.ok), finished)

    for style in EditingStyle.allCases {
      for system in OfflineComparison.System.allCases {
        for edits in sizes(system, quick: quick) {
          let count = edits < (system == .separate ? 2_000 : 200_000) ? runs : 1
          all.offline.append(try OfflineComparison.measure(system, style, edits: edits, runs: count))
        }
      }
    }
    try all.close(
      all.offline, OfflineComparison.table(all.offline), all.offline.allSatisfy(\.ok),
      checks: OfflineComparison.checks(all.offline), finished)

    for missed in quick ? [1_000] : [1_000, 10_000] {
      for own in [0, 1_000] {
        all.catchUp.append(try CatchUpResult.transform(missed: missed, own: own, runs: runs))
        for inOne in [false, true] {
          all.catchUp.append(
            try CatchUpResult.ropewalk(missed: missed, own: own, inOneUpdate: inOne, runs: min(3, runs)))
        }
      }
    }
    try all.close(
      all.catchUp, CatchUpResult.table(all.catchUp), all.catchUp.allSatisfy(\.ok), finished)

    all.server = try ServerMemory.measure(operations: quick ? 20_000 : 200_000)
    try all.close(all.server, ServerMemory.table(all.server), all.server.allSatisfy(\.ok), finished)
    return all
  }

  /// Branches of kept edits cost n² and end where a second run would try anybody's patience.
  private static func sizes(_ system: OfflineComparison.System, quick: Bool) -> [Int] {
    let all = quick ? [100, 1_000, 10_000] : [100, 300, 1_000, 3_000, 10_000, 100_000, 1_000_000]
    return system == .separate ? all.filter { $0 <= (quick ? 1_000 : 3_000) } : all
  }

  private mutating func addLive(users: Int, latencyMs: Int, keystrokes: Int) throws {
    var random = SplitMix(seed: 7)
    let text = random.words(LiveResult.baseLength)
    let ticks = max(1, latencyMs / LiveResult.tickMs)
    live.append(
      try LiveResult.measure(
        "OT", LiveOT(text, users: users, latency: ticks), users: users, latencyMs: latencyMs,
        keystrokes: keystrokes))
    live.append(
      try LiveResult.measure(
        "Ropewalk", LiveRopewalk(text, users: users, latency: ticks), users: users, latencyMs: latencyMs,
        keystrokes: keystrokes))
  }

  private mutating func close(
    _ results: [some Encodable], _ table: Table, _ isCorrect: Bool, checks: [GrowthCheck] = [],
    _ finished: (Section) throws -> Void
  ) throws {
    let section = Section(table: table, checks: checks, isCorrect: isCorrect) {
      try results.map { try jsonLine($0) } + checks.map { try jsonLine($0) }
    }
    sections.append(section)
    try finished(section)
  }
}
