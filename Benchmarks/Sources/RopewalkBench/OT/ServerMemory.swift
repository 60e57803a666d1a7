import OperationalTransform
import RopewalkCore

/// Resident memory and processor time of a server that took in single keystrokes, in a process of its own.
struct ServerMemory: Encodable {
  let comparison = "server"
  let system: String
  let operations: Int
  let ok: Bool
  /// Resident memory of the server's state, per operation.
  let bytesPerOperation: Double
  /// Processor time per operation where nothing is concurrent: decoding, taking in, encoding for all.
  let usPerOperation: Double

  /// What a child process answers.
  struct Answer: Codable {
    let bytes: Int
    let seconds: Double
    let count: Int
  }

  static func measure(operations: Int) throws -> [ServerMemory] {
    try [("OT", "serve-ot"), ("Ropewalk", "serve-relay")].map { system, mode in
      Terminal.progress("server memory, \(system)")
      let answer = try Child.run([mode, String(operations)], as: Answer.self)
      return ServerMemory(
        system: system, operations: operations, ok: answer.count == operations,
        bytesPerOperation: Double(answer.bytes) / Double(operations),
        usPerOperation: answer.seconds * 1e6 / Double(operations))
    }
  }

  /// The child's side. Messages are made one by one, so that they do not count.
  static func answer(mode: String, operations: Int) throws -> Answer {
    let branch = Branch(.runs, count: operations, onLength: 0, seed: 31)
    return mode == "serve-ot" ? try serveOT(branch) : try serveRelay(branch)
  }

  private static func serveOT(_ branch: Branch) throws -> Answer {
    var server = Server()
    var client = Client(author: 1, text: server.text)
    let before = ResidentMemory.now
    var seconds = 0.0
    for step in branch.steps {
      guard let message = client.edit(step.operation)?.encoded else { continue }
      let start = processorSeconds()
      guard let submission = Submission(encoded: message), let revision = try server.receive(submission)
      else { continue }
      keep(revision.encoded)
      seconds += processorSeconds() - start
      _ = client.receive(revision)
    }
    client = Client(author: 1, text: ChunkedText())
    let after = ResidentMemory.now
    return Answer(bytes: after - before, seconds: seconds, count: server.revision)
  }

  private static func serveRelay(_ branch: Branch) throws -> Answer {
    let replica = ReplicaID(rawValue: 0x1234_5678_9abc_def0)
    var document = TextDocument()
    document.replica = replica
    var relay = try RelayStandIn(sessions: 1, lineage: .blank)
    let before = ResidentMemory.now
    var seconds = 0.0
    for (seq, step) in branch.steps.enumerated() {
      if let text = step.inserted {
        document.insert(text, at: step.position)
      } else {
        document.delete(step.position..<step.position + 1)
      }
      let span = EventSpan(replica: replica, seqs: UInt32(seq)..<UInt32(seq) + 1)
      guard let update = document.update(of: span) else { continue }
      let message = relay.pushMessage(update, number: UInt64(seq))
      let start = processorSeconds()
      try relay.receive(message, from: 0)
      keep(relay.publish())
      seconds += processorSeconds() - start
    }
    document = TextDocument()
    let after = ResidentMemory.now
    return Answer(bytes: after - before, seconds: seconds, count: Int(relay.head))
  }

  static func table(_ results: [ServerMemory]) -> Table {
    var table = Table(
      "server, nothing concurrent", "operations", "ok", "µs/operation", "memory, bytes/operation")
    for one in results {
      table.add(
        one.system, grouped(one.operations), one.ok ? "yes" : "NO", number(one.usPerOperation),
        number(one.bytesPerOperation))
    }
    return table
  }
}
