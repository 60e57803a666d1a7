import OperationalTransform
import RopewalkCore

/// Two people edit offline, n edits each, and meet through the server: the second one's way back.
struct OfflineComparison: Encodable {
  enum System: String, CaseIterable, Encodable {
    /// Each edit an operation of its own, so that the history keeps them.
    case separate = "OT, edits kept"
    /// Each branch one composed operation: the history knows n edits as one.
    case composed = "OT, composed"
    case ropewalk = "Ropewalk"
  }

  let comparison = "offline"
  let system: System
  let style: EditingStyle
  let edits: Int
  let ok: Bool
  /// One branch, typed; composing included.
  let typingMs: Double
  /// From both being online again until both have the same text: server and both clients.
  let mergeMs: Double
  let mergeMsMedian: Double
  /// The server's part of it.
  let serverMs: Double

  private struct Run {
    var typing = 0.0
    var clients = 0.0
    var server = 0.0
    var isCorrect = false
  }

  static let baseLength = 20_000

  static func measure(
    _ system: System, _ style: EditingStyle, edits: Int, runs: Int
  ) throws -> OfflineComparison {
    var random = SplitMix(seed: 7)
    let base = random.words(baseLength)
    let branches = (0..<2 as Range<UInt64>).map {
      Branch(style, count: edits, onLength: baseLength, seed: 11 + $0)
    }
    var (typing, merging, serving) = (Samples(), Samples(), Samples())
    var isCorrect = true
    for run in 1...runs {
      Terminal.progress("\(system.rawValue), \(style.rawValue), \(grouped(edits)) edits: \(run) of \(runs)")
      let result =
        system == .ropewalk
        ? try ropewalk(base, branches)
        : try transform(base, branches, system == .composed ? .composed : .separate)
      typing.add(result.typing)
      merging.add(result.clients + result.server)
      serving.add(result.server)
      isCorrect = isCorrect && result.isCorrect
    }
    return OfflineComparison(
      system: system, style: style, edits: edits, ok: isCorrect, typingMs: typing.minimum * 1e3,
      mergeMs: merging.minimum * 1e3, mergeMsMedian: merging.median * 1e3, serverMs: serving.minimum * 1e3)
  }

  private static func transform(
    _ base: String, _ branches: [Branch], _ buffering: Client.Buffering
  ) throws -> Run {
    var run = Run()
    var server = Server(base)
    var clients: [Client] = []
    for (author, branch) in branches.enumerated() {
      var client = Client(author: UInt32(author), text: server.text, buffering: buffering)
      client.isConnected = false
      run.typing = processorSeconds {
        for step in branch.steps {
          let operation =
            step.inserted.map { TextOperation(inserting: $0, at: step.position) }
            ?? TextOperation(deleting: step.position..<step.position + 1)
          _ = client.edit(operation)
        }
      }
      clients.append(client)
    }
    let typed = clients.map(\.text.count)
    for author in clients.indices {
      run.clients += processorSeconds {
        for revision in server.history { _ = clients[author].receive(revision) }
        clients[author].isConnected = true
      }
      var next: Submission?
      run.clients += processorSeconds { next = clients[author].flush() }
      while let submission = next {
        let arrived = processorSeconds()
        let revision = try server.receive(submission)
        let served = processorSeconds()
        next = revision.flatMap { clients[author].receive($0).submission }
        run.server += served - arrived
        run.clients += processorSeconds() - served
      }
    }
    run.clients += processorSeconds {
      for revision in server.history[clients[0].revision...] { _ = clients[0].receive(revision) }
    }
    // A deletion that both made counts once, so the length tells nothing more than this bound.
    run.isCorrect =
      clients.allSatisfy { $0.text.utf8 == server.text.utf8 && $0.isSynchronized }
      && server.text.count >= typed[0] + typed[1] - base.unicodeScalars.count
    return run
  }

  private static func ropewalk(_ base: String, _ branches: [Branch]) throws -> Run {
    var run = Run()
    let start = TextDocument(seed: base)
    var relay = try RelayStandIn(sessions: 2, lineage: start.lineage)
    var documents: [TextDocument] = []
    for (author, branch) in branches.enumerated() {
      var document = start
      document.replica = ReplicaID(rawValue: UInt64(author) + 1)
      run.typing = processorSeconds { document.perform(branch) }
      documents.append(document)
    }
    var messages: [[UInt8]] = []
    run.clients += processorSeconds {
      for document in documents {
        messages.append(relay.pushMessage(document.update(since: start.versionVector), number: 1))
      }
    }
    var broadcasts: [[UInt8]] = []
    run.server += try processorSeconds {
      for (author, message) in messages.enumerated() {
        try relay.receive(message, from: UInt64(author))
        broadcasts += relay.publish()
      }
    }
    run.clients += try processorSeconds {
      for broadcast in broadcasts {
        for author in documents.indices {
          for entry in try RelayStandIn.entries(in: broadcast)
          where entry.header.span.replica.rawValue != UInt64(author) + 1 {
            _ = try documents[author].apply(Update(bytes: entry.payload))
          }
        }
      }
    }
    run.isCorrect = documents[0].utf8 == documents[1].utf8
    return run
  }

  static func table(_ results: [OfflineComparison]) -> Table {
    var table = Table(
      "two offline branches", "style", "edits each", "ok", "typing ms", "merge ms", "median", "server ms")
    for one in results {
      table.add(
        one.system.rawValue, one.style.rawValue, grouped(one.edits), one.ok ? "yes" : "NO",
        number(one.typingMs), number(one.mergeMs), number(one.mergeMsMedian), number(one.serverMs))
    }
    return table
  }

  static func checks(_ results: [OfflineComparison]) -> [GrowthCheck] {
    System.allCases.flatMap { system in
      EditingStyle.allCases.compactMap { style in
        GrowthCheck(
          "\(system.rawValue), \(style.rawValue)",
          results.filter { $0.system == system && $0.style == style && $0.edits >= 1000 }
            .map { (Double($0.edits), $0.mergeMs) })
      }
    }
  }
}
