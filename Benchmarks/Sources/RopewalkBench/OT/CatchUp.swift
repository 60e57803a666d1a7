import OperationalTransform
import RopewalkCore

/// A client comes back that was away for `missed` edits of another, with `own` edits of its own.
struct CatchUpResult: Encodable {
  let comparison = "catch-up"
  let system: String
  let missed: Int
  let own: Int
  let ok: Bool
  /// Processor time of the client, until its text is current and its edits are sent.
  let clientMs: Double
  let clientMsMedian: Double
  /// Processor time of the server to take in what the client brings.
  let serverMs: Double
  let bytesDown: Int

  static let baseLength = 20_000

  private static func scene(missed: Int, own: Int) -> (base: String, others: Branch, mine: Branch) {
    var random = SplitMix(seed: 21)
    return (
      random.words(baseLength), Branch(.runs, count: missed, onLength: baseLength, seed: 22),
      Branch(.runs, count: own, onLength: baseLength, seed: 23)
    )
  }

  static func transform(missed: Int, own: Int, runs: Int) throws -> CatchUpResult {
    let (base, others, mine) = scene(missed: missed, own: own)
    var server = Server(base)
    var away = Client(author: 1, text: server.text)
    away.isConnected = false
    for step in mine.steps { _ = away.edit(step.operation) }
    var other = Client(author: 2, text: server.text)
    var log: [[UInt8]] = []
    for step in others.steps {
      if let submission = other.edit(step.operation), let revision = try server.receive(submission) {
        _ = other.receive(revision)
        log.append(revision.encoded)
      }
    }
    var (client, serving) = (Samples(), Samples())
    var isCorrect = true
    for run in 1...runs {
      Terminal.progress("catch-up, OT, \(missed) missed, \(own) own: \(run) of \(runs)")
      var (back, current) = (away, server)
      var submission: Submission?
      client.add(
        processorSeconds {
          for bytes in log {
            guard let revision = Revision(encoded: bytes) else { continue }
            _ = back.receive(revision)
          }
          back.isConnected = true
          submission = back.flush()
        })
      serving.add(
        try processorSeconds {
          if let submission { keep(try current.receive(submission)) }
        })
      isCorrect = isCorrect && back.text.utf8 == current.text.utf8
    }
    return CatchUpResult(
      system: "OT", missed: missed, own: own, ok: isCorrect, clientMs: client.minimum * 1e3,
      clientMsMedian: client.median * 1e3, serverMs: serving.minimum * 1e3,
      bytesDown: log.reduce(0) { $0 + $1.count })
  }

  /// - Parameter inOneUpdate: the missed events come as one update, as from a checkpoint or a folded log, instead of
  ///   keystroke by keystroke.
  static func ropewalk(missed: Int, own: Int, inOneUpdate: Bool, runs: Int) throws -> CatchUpResult {
    let (base, others, mine) = scene(missed: missed, own: own)
    let start = TextDocument(seed: base)
    let (mineID, otherID) = (ReplicaID(rawValue: 1), ReplicaID(rawValue: 2))
    var (away, other) = (start, start)
    away.replica = mineID
    away.perform(mine)
    let saved = away.snapshot()
    other.replica = otherID
    other.perform(others)
    let log: [[UInt8]] =
      inOneUpdate
      ? [other.update(since: start.versionVector).bytes]
      : (0..<UInt32(missed)).compactMap {
        other.update(of: EventSpan(replica: otherID, seqs: $0..<$0 + 1))?.bytes
      }
    var (client, serving) = (Samples(), Samples())
    var isCorrect = true
    for run in 1...runs {
      Terminal.progress("catch-up, Ropewalk, \(missed) missed, \(own) own: \(run) of \(runs)")
      var back = try TextDocument(snapshot: saved)
      var relay = try RelayStandIn(sessions: 2, lineage: start.lineage)
      var message: [UInt8]?
      client.add(
        try processorSeconds {
          for bytes in log { _ = try back.apply(Update(bytes: bytes)) }
          if own > 0, let update = back.update(of: EventSpan(replica: mineID, seqs: 0..<UInt32(own))) {
            message = relay.pushMessage(update, number: 1)
          }
        })
      serving.add(
        try processorSeconds {
          if let message { try relay.receive(message, from: 0) }
          keep(relay.publish())
        })
      var whole = other
      _ = try whole.apply(away.update(since: start.versionVector))
      isCorrect = isCorrect && back.utf8 == whole.utf8
    }
    return CatchUpResult(
      system: inOneUpdate ? "Ropewalk, one update" : "Ropewalk, per keystroke", missed: missed, own: own,
      ok: isCorrect, clientMs: client.minimum * 1e3, clientMsMedian: client.median * 1e3,
      serverMs: serving.minimum * 1e3, bytesDown: log.reduce(0) { $0 + $1.count })
  }

  static func table(_ results: [CatchUpResult]) -> Table {
    var table = Table(
      "catching up", "missed", "own edits", "ok", "client ms", "median", "server ms", "bytes down")
    for one in results {
      table.add(
        one.system, grouped(one.missed), grouped(one.own), one.ok ? "yes" : "NO", number(one.clientMs),
        number(one.clientMsMedian), number(one.serverMs), grouped(one.bytesDown))
    }
    return table
  }
}

extension Branch.Step {
  /// The same step for the OT baseline.
  var operation: TextOperation {
    inserted.map { TextOperation(inserting: $0, at: position) }
      ?? TextOperation(deleting: position..<position + 1)
  }
}
