import Testing

/// Many clients and one relay, with lost, delayed and doubled connections, slow readers, crashes that lose
/// what was not committed, failing commits, and logs that are deleted or put back from an older copy.
@Suite struct SimulationTests {
  @Test func everythingWrittenIsInTheLogOnceAndEverybodyHasIt() {
    run(
      World.Plan(), count: 25,
      mustSee: ["relay crash", "connection lost", "fed from the log", "fed a segment", "sent away"])
  }

  @Test func aDeletedOrRestoredLogIsRefilledAndNothingDoubles() {
    var plan = World.Plan()
    plan.losesLogs = true
    run(plan, count: 25, mustSee: ["log deleted", "log restored", "restart", "covered"])
  }

  @Test func copiedFilesThatGoOnUnderOneIdAreToldApart() {
    var plan = World.Plan()
    plan.copiesStores = true
    run(plan, count: 25, mustSee: ["copy", "re-authored"])
  }

  @Test func whatCheckpointsHoldIsForgottenAndNobodyLosesAnything() {
    var plan = World.Plan()
    plan.forgets = true
    run(
      plan, count: 25,
      mustSee: [
        "checkpoint announced", "checkpoint used", "forgot", "checkpoint sent", "read what was forgotten",
        "restart",
      ])
  }

  @Test func aForgetfulLogThatIsDeletedOrRestoredIsRefilled() {
    var plan = World.Plan()
    (plan.forgets, plan.losesLogs) = (true, true)
    run(plan, count: 25, mustSee: ["checkpoint announced", "checkpoint used", "log restored", "restart"])
  }

  @Test func copiedFilesAreToldApartByAForgetfulLog() {
    var plan = World.Plan()
    (plan.forgets, plan.copiesStores) = (true, true)
    run(plan, count: 25, mustSee: ["checkpoint announced", "checkpoint used", "copy", "re-authored"])
  }

  /// Two who lie alike, and honest ones that come and go, but are never away for as long as the grace.
  @Test func noTwoWhoLieTakeAnythingFromHonestMembersThatComeOftenEnough() {
    run(
      hostile, count: 25,
      mustSee: [
        "lie", "checkpoint heldBack", "checkpoint announced", "checkpoint used", "forgot", "connection lost",
        "relay crash",
      ])
  }

  /// The same world shows what the waiting and the grace are for.
  @Test func withoutWaitingAndGraceTheyTakeSomething() {
    var plan = hostile
    (plan.patience, plan.grace) = (0, 0)
    let seeds = seeds(25, "simulation")
    guard seeds.count > 1 else { return }
    #expect(
      seeds.contains { seed in
        let world = World(plan, seed: seed)
        world.run()
        return !world.faults.isEmpty
      })
  }

  private var hostile: World.Plan {
    var plan = World.Plan(clients: 5, rooms: 1)
    (plan.forgets, plan.liars) = (true, 2)
    (plan.patience, plan.grace) = (2000, 20_000)
    return plan
  }

  @Test func whoPushesUnderOthersIDsSilencesNobodyAndIsTakenForNobody() {
    var plan = World.Plan()
    plan.isHostile = true
    run(plan, count: 25, mustSee: ["forged", "owned by another", "re-authored"])
    (plan.losesLogs, plan.copiesStores) = (true, true)
    run(plan, count: 25, mustSee: ["forged", "owned by another", "log restored", "copy"])
  }

  @Test func manyClientsInOneRoomConverge() {
    run(World.Plan(clients: 25, rooms: 1, faultTime: 8000), count: 3, mustSee: ["relay crash"])
  }

  private func run(_ plan: World.Plan, count: Int, mustSee expected: [String]) {
    var seen: [String: Int] = [:]
    let seeds = seeds(count, "simulation")
    for seed in seeds {
      let world = World(plan, seed: seed)
      world.run()
      if !world.faults.isEmpty { Issue.record("seed \(seed): \(world.faults)") }
      seen.merge(world.counts) { $0 + $1 }
      if !world.faults.isEmpty { break }
    }
    if seeds.count > 1 {
      print(
        "simulation: \(seen.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))"
      )
      for what in expected { #expect((seen[what] ?? 0) > 0, "never happened: \(what)") }
    }
  }
}
