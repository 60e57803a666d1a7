/// Who must have seen what before each transaction of a trace can be played.
///
/// A trace names the parents of a transaction. A replica that plays it holds, of every agent, all transactions
/// up to some number; what it lacks is found by walking back from the parents to what it already holds. The
/// transactions of one agent follow each other, so each replica's knowledge is one number per agent.
public struct TracePlan: Sendable {
  /// Per agent, the indexes of its transactions, ascending.
  public let transactionsOfAgent: [[Int]]
  /// Per transaction, its place in its agent's list.
  public let places: [Int]
  /// Per transaction, the transactions that its agent must take in before it, ascending: ancestors which the
  /// agent has neither made nor taken in earlier.
  public let arrivals: [[Int]]
  /// Transactions that no other one names as a parent, ascending.
  public let heads: [Int]

  /// Walks the whole graph: O(transactions + parents + arrivals).
  ///
  /// Throws when an agent is concurrent with itself, since one replica cannot be in two states.
  public init(_ trace: Trace) throws(TraceError) {
    let transactions = trace.transactions
    var byAgent = [[Int]](repeating: [], count: trace.agentCount)
    var places: [Int] = []
    places.reserveCapacity(transactions.count)
    for (index, transaction) in transactions.enumerated() {
      places.append(byAgent[transaction.agent].count)
      byAgent[transaction.agent].append(index)
    }
    var knowledge = [[Int: Int]](repeating: [:], count: trace.agentCount)
    var seen = [Int](repeating: -1, count: transactions.count)
    var isHead = [Bool](repeating: true, count: transactions.count)
    var arrivals: [[Int]] = []
    arrivals.reserveCapacity(transactions.count)
    for (index, transaction) in transactions.enumerated() {
      let agent = transaction.agent
      let previous = places[index] > 0 ? byAgent[agent][places[index] - 1] : nil
      var lacking: [Int] = []
      var reachesPrevious = previous == nil
      var open = transaction.parents
      while let next = open.popLast() {
        isHead[next] = false
        if next == previous { reachesPrevious = true }
        let author = transactions[next].agent
        guard places[next] >= knowledge[agent][author, default: 0], seen[next] != index else { continue }
        seen[next] = index
        lacking.append(next)
        open.append(contentsOf: transactions[next].parents)
      }
      // What is known lies at or before the agent's previous transaction, so a path from the parents to that
      // transaction has nothing known on it and the walk above cannot have missed it.
      guard reachesPrevious else {
        throw TraceError(.concurrentWithItself(agent: agent), at: Trace.place(index))
      }
      lacking.sort()
      for other in lacking { knowledge[agent][transactions[other].agent] = places[other] + 1 }
      knowledge[agent][agent] = places[index] + 1
      arrivals.append(lacking)
    }
    self.transactionsOfAgent = byAgent
    self.places = places
    self.arrivals = arrivals
    self.heads = isHead.indices.filter { isHead[$0] }
  }
}
