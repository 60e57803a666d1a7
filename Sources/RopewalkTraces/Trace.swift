/// A recorded editing session, of one author or of several at once.
///
/// Positions and counts are Unicode scalars. The formats are those of the public collection
/// `josephg/editing-traces`, sequential and concurrent.
public struct Trace: Sendable {
  /// What one author did between two looks at what others did.
  public struct Transaction: Hashable, Sendable {
    /// Whose it is: 0 ..< `agentCount`.
    public let agent: Int
    /// The transactions whose merged state the first patch applies to, by index, each smaller than this
    /// transaction's own. Empty: the start.
    public let parents: [Int]
    /// What was done, each patch to the text the one before it left.
    public let patches: [TracePatch]

    /// Describes a transaction.
    public init(agent: Int, parents: [Int], patches: [TracePatch]) {
      self.agent = agent
      self.parents = parents
      self.patches = patches
    }
  }

  /// Whether transactions follow each other, or name their parents.
  public enum Kind: Sendable {
    /// One author, one line of history.
    case sequential
    /// A graph of transactions by several agents.
    case concurrent
  }

  /// Which of the two formats it came from.
  public let kind: Kind
  /// The text before the first transaction; empty for a concurrent trace.
  public let startText: String
  /// The text after all of them, merged.
  public let endText: String
  /// Agents are numbered from 0; concurrent inserts at one place are ordered by this number.
  public let agentCount: Int
  /// In topological order.
  public let transactions: [Transaction]

  /// Inserted and deleted scalars, the start text not counted. O(size of the trace).
  public var eventCount: Int {
    transactions.reduce(0) { $0 + $1.patches.reduce(0) { $0 + $1.eventCount } }
  }

  /// The most agents a trace may have.
  public static let maximumAgentCount = 1 << 16

  /// Makes a trace of parts. Throws when a transaction names an agent or a parent that cannot be.
  public init(
    kind: Kind, startText: String = "", endText: String, agentCount: Int, transactions: [Transaction]
  ) throws(TraceError) {
    guard (1...Self.maximumAgentCount).contains(agentCount) else {
      throw TraceError(.badValue("must lie in 1 ... \(Self.maximumAgentCount)"), at: "numAgents")
    }
    for (index, transaction) in transactions.enumerated() {
      guard (0..<agentCount).contains(transaction.agent) else {
        throw TraceError(.badValue("must lie in 0 ..< numAgents"), at: "txns[\(index)].agent")
      }
      guard transaction.parents.allSatisfy({ (0..<index).contains($0) }) else {
        throw TraceError(.badValue("must be indexes of earlier transactions"), at: "txns[\(index)].parents")
      }
    }
    self.kind = kind
    self.startText = startText
    self.endText = endText
    self.agentCount = agentCount
    self.transactions = transactions
  }

  /// Where a patch is, for an error.
  static func place(_ transaction: Int, _ patch: Int? = nil) -> String {
    patch.map { "txns[\(transaction)].patches[\($0)]" } ?? "txns[\(transaction)]"
  }
}
