import Foundation
import RopewalkCore
import RopewalkTraces

/// A recorded session, and its history as the engine writes it.
struct PreparedTrace {
  /// The file's name without its endings.
  let name: String
  let trace: Trace
  /// The recorded text, in UTF-8.
  let expected: [UInt8]
  /// The whole history, as one update.
  let update: Update
  /// The whole document.
  let snapshot: [UInt8]

  /// Reads a file and plays it live, one replica per agent.
  init(path: String) throws {
    let name = Self.name(of: path)
    Terminal.progress("\(name): reading")
    try self.init(Trace(path: path), name: name)
  }

  init(_ trace: Trace, name: String) throws {
    self.name = name
    self.trace = trace
    expected = Array(trace.endText.utf8)
    Terminal.progress("\(name): playing \(grouped(trace.eventCount)) events")
    let document = try trace.play().merged
    update = document.update(since: VersionVector())
    snapshot = document.snapshot()
  }

  /// The update without the text that was inserted, which stands at its end, before the checksum.
  var eventColumns: [UInt8] {
    var inserted = trace.startText.utf8.count
    for transaction in trace.transactions {
      for patch in transaction.patches { inserted += patch.inserted.utf8.count }
    }
    return Array(update.bytes.dropLast(inserted + 4))
  }

  static func name(of path: String) -> String {
    String((path.split(separator: "/").last ?? "").prefix { $0 != "." })
  }
}

extension Trace {
  /// Whether each transaction follows the one before it, so that one replica can make all edits.
  var isLinear: Bool {
    transactions.enumerated().allSatisfy { index, transaction in
      transaction.parents == (index == 0 ? [] : [index - 1])
    }
  }

  /// The same session played `factor` times, each after the one before. Whatever is played later is typed before the
  /// text of earlier times, so that the recorded positions stay right.
  func repeated(_ factor: Int) throws -> Trace {
    guard factor > 1 else { return self }
    var all = transactions
    all.reserveCapacity(transactions.count * factor)
    for round in 1..<factor {
      let offset = round * transactions.count
      for transaction in transactions {
        let parents = transaction.parents.isEmpty ? [offset - 1] : transaction.parents.map { $0 + offset }
        all.append(Transaction(agent: transaction.agent, parents: parents, patches: transaction.patches))
      }
    }
    return try Trace(
      kind: kind, startText: startText, endText: String(repeating: endText, count: factor),
      agentCount: agentCount, transactions: all)
  }
}
