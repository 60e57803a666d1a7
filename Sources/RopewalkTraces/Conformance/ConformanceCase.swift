/// One history and the text it must merge to.
public struct ConformanceCase: Hashable, Sendable {
  /// Consecutive events of one agent.
  public struct Transaction: Hashable, Sendable {
    /// The numbers of its events in the case.
    public let span: Range<Int>
    /// Numbers of the events that the first event follows; empty: the empty document.
    public let parents: [Int]
    /// Who. Concurrent inserts at one place are ordered by this name (by Unicode scalars, smaller first).
    public let agent: String
    /// The id of the first event is (agent, `seqStart`), and so on upwards.
    public let seqStart: Int
    /// What was done; one event per scalar.
    public let patches: [TracePatch]

    /// Describes a transaction.
    public init(span: Range<Int>, parents: [Int], agent: String, seqStart: Int, patches: [TracePatch]) {
      self.span = span
      self.parents = parents
      self.agent = agent
      self.seqStart = seqStart
      self.patches = patches
    }
  }

  /// In topological order; their spans follow each other from 0.
  public let transactions: [Transaction]
  /// The text after merging everything.
  public let endText: String

  /// Makes a case of parts. Throws when they break the format's rules; places are relative to the case.
  public init(transactions: [Transaction], endText: String) throws(TraceError) {
    var end = 0
    for (index, transaction) in transactions.enumerated() {
      let place = "txns[\(index)]"
      guard transaction.span.lowerBound == end else {
        throw TraceError(.badValue("must begin at \(end), where the one before ends"), at: place + ".span")
      }
      end = transaction.span.upperBound
      guard transaction.parents.allSatisfy({ (0..<transaction.span.lowerBound).contains($0) }) else {
        throw TraceError(.badValue("must be numbers of earlier events"), at: place + ".parents")
      }
      guard (0..<1 << 31).contains(transaction.seqStart) else {
        throw TraceError(.badValue("must lie in 0 ..< 2^31"), at: place + ".seqStart")
      }
      guard transaction.patches.reduce(0, { $0 + $1.eventCount }) == transaction.span.count else {
        throw TraceError(.badValue("must have as many events as the span"), at: place + ".ops")
      }
    }
    guard end < 1 << 31 else { throw TraceError(.badValue("must have fewer than 2^31 events"), at: "txns") }
    self.transactions = transactions
    self.endText = endText
    try checkIDs()
  }

  /// Two events with one id would be an id clash in any engine.
  private func checkIDs() throws(TraceError) {
    var seqs: [String: [Range<Int>]] = [:]
    for transaction in transactions where !transaction.span.isEmpty {
      let range = transaction.seqStart..<transaction.seqStart + transaction.span.count
      seqs[transaction.agent, default: []].append(range)
    }
    for ranges in seqs.values {
      let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
      for (range, next) in zip(sorted, sorted.dropFirst()) where next.lowerBound < range.upperBound {
        throw TraceError(.badValue("two events share an id"), at: "txns")
      }
    }
  }
}
