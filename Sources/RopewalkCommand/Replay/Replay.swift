import Foundation
import Ropewalk
import RopewalkTraces

/// Plays a trace through real replicas and a real relay.
final class Replay {
  private let trace: Trace
  private let plan: ReplayPlan
  private let folder: String
  /// The relay, in a process of its own.
  let relay: RelayProcess
  private let progress: ReplayProgress
  private let place = (room: "replay", document: "trace")
  private let acknowledged = AcknowledgedSpans()
  private var authors: [ReplayAuthor?]
  /// Per transaction, the events that were written for it.
  private var written: [[EventSpan]]
  private var offlineUntil: [Int: Int] = [:]
  private var report = ReplayReport()

  /// - Parameter folder: an empty folder for the replicas and the relay's data.
  init(_ trace: Trace, plan: ReplayPlan, folder: String, executable: String, progress: ReplayProgress) {
    self.trace = trace
    self.plan = plan
    self.folder = folder
    self.progress = progress
    relay = RelayProcess(dataDirectory: "\(folder)/relay", executable: executable)
    authors = Array(repeating: nil, count: trace.agentCount)
    written = Array(repeating: [], count: trace.transactions.count)
  }

  /// Plays, lets everybody catch up, and compares.
  func run() async throws -> ReplayReport {
    let order = try TracePlan(trace)
    let clock = ContinuousClock()
    let begin = clock.now
    try await relay.start()
    do {
      try await openAuthors(order)
      let ready = clock.now
      try await play(order)
      let played = clock.now
      try await catchUp()
      let caughtUp = clock.now
      try await compare()
      report.times = ReplayReport.Times(
        opening: ready - begin, playing: played - ready, catchingUp: caughtUp - played,
        comparing: clock.now - caughtUp)
    } catch {
      await relay.stop()
      throw error
    }
    for author in authors { try await author?.close() }
    await relay.stop()
    return report
  }

  private func openAuthors(_ order: TracePlan) async throws {
    let start = TextDocument(seed: trace.startText)
    let url = await relay.url
    for (number, transactions) in order.transactionsOfAgent.enumerated() where !transactions.isEmpty {
      progress.show("opening replicas", number, trace.agentCount)
      let author = ReplayAuthor(
        number: number, path: "\(folder)/author-\(number).ropewalk", relay: url, room: place.room,
        document: place.document, start: start,
        durability: plan.survivesPowerCut ? .full : .process, acknowledged: acknowledged)
      try author.open(seed: trace.startText)
      try await author.goOnline()
      authors[number] = author
      report.authors += 1
    }
  }

  private func play(_ order: TracePlan) async throws {
    let steps = plan.steps(of: trace)
    let relayKills = ReplayPlan.moments(plan.relayKills, of: steps.count)
    let clientKills = ReplayPlan.moments(plan.clientKills, of: steps.count)
    let stretches = ReplayPlan.moments(plan.offlineStretches, of: steps.count)
    let stretchLength = max(1, steps.count / max(1, 2 * plan.offlineStretches))
    for (index, step) in steps.enumerated() {
      progress.show("playing", index, steps.count)
      let transaction = trace.transactions[step.transaction]
      guard let author = authors[transaction.agent] else { continue }
      if relayKills.contains(index) {
        await relay.kill()
        try await relay.start()
        report.relayKills += 1
      }
      if clientKills.contains(index) {
        try await author.reopen(seed: trace.startText)
        report.clientKills += 1
      }
      if stretches.contains(index) {
        await author.goOffline()
        offlineUntil[transaction.agent] = index + stretchLength
        report.offlineStretches += 1
      }
      try await endStretches(at: index)
      if step.isFirst { try await look(author, at: order.arrivals[step.transaction]) }
      written[step.transaction] += try author.write(transaction.patches[step.patches], of: step.transaction)
      report.edits += 1
    }
    report.transactions = trace.transactions.count
    report.events = trace.eventCount
  }

  /// Connects those whose time without a network is over.
  private func endStretches(at index: Int) async throws {
    for (number, end) in offlineUntil where end <= index {
      offlineUntil[number] = nil
      try await authors[number]?.goOnline()
    }
  }

  /// Lets an author see what it had seen. If that is not there yet, those it comes from, and the author itself, must be
  /// connected.
  private func look(_ author: ReplayAuthor, at transactions: [Int]) async throws {
    let spans = Self.joined(transactions.flatMap { written[$0] })
    if try !author.holds(spans) {
      for number in Set(transactions.map { trace.transactions[$0].agent } + [author.number]) {
        offlineUntil[number] = nil
        try await authors[number]?.goOnline()
      }
    }
    try await author.look(at: spans)
  }

  /// Joins spans that follow each other.
  private static func joined(_ spans: [EventSpan]) -> [EventSpan] {
    var joined: [EventSpan] = []
    for span in spans {
      if let last = joined.last, last.replica == span.replica, last.seqs.upperBound == span.seqs.lowerBound {
        joined[joined.count - 1] = EventSpan(
          replica: last.replica, seqs: last.seqs.lowerBound..<span.seqs.upperBound)
      } else {
        joined.append(span)
      }
    }
    return joined
  }

  /// Lets everybody send, then everybody receive.
  private func catchUp() async throws {
    let all = authors.compactMap { $0 }
    for (index, author) in all.enumerated() {
      progress.show("sending", index, all.count)
      try await author.catchUp()
    }
    var counts: [ReplicaID: UInt32] = [:]
    for span in written.joined() {
      counts[span.replica] = max(counts[span.replica] ?? 0, span.seqs.upperBound)
    }
    let everything = counts.map { EventSpan(replica: $0.key, seqs: 0..<$0.value) }
    for (index, author) in all.enumerated() {
      progress.show("receiving", index, all.count)
      try await author.receive(everything)
    }
  }

  private func compare() async throws {
    let expected = trace.endText.unicodeScalars
    for (index, author) in authors.enumerated() {
      guard let author else { continue }
      progress.show("comparing", index, authors.count)
      if try author.text()?.unicodeScalars.elementsEqual(expected) == true {
        report.equalReplicas += 1
      } else {
        report.differing.append("author \(index)")
      }
    }
    // Somebody who was never there has only what the relay holds.
    let replica = try Replica(path: "\(folder)/newcomer.ropewalk")
    let client = try Client(replica: replica, relay: await relay.url)
    try await client.join(place.room)
    try await client.sync(attempts: 50)
    await client.close()
    let document = try replica.document(place.document, in: place.room).read()
    report.newcomerIsEqual = document.text.unicodeScalars.elementsEqual(expected)
    report.acknowledged = acknowledged.count
    report.missing = acknowledged.missing(from: document)
    try replica.close()
  }
}
