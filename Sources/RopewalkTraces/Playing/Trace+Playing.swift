import RopewalkCore

/// A trace that was played live: one document per agent.
public struct TracePlayback: Sendable {
  /// Per agent, its document after its last transaction; nil if it has none.
  public let documents: [TextDocument?]
  /// Everything merged.
  public let merged: TextDocument
}

extension Trace {
  /// The replica id under which an agent writes in its `session`th session: ids of different agents are ordered
  /// as the agents are, so that ties come out as recorded.
  public static func replica(ofAgent agent: Int, session: UInt32 = 0) -> ReplicaID {
    ReplicaID(rawValue: UInt64(agent + 1) << 32 | UInt64(session))
  }

  /// Plays every transaction by the replica that made it, live, and merges what its parents had by
  /// exchanging updates.
  ///
  /// Throws when a patch is out of bounds or when an agent is concurrent with itself. Whether the text is
  /// `endText` is for the caller to ask.
  public func play() throws(TraceError) -> TracePlayback {
    let plan = try TracePlan(self)
    let start = TextDocument(seed: startText)
    var documents = [TextDocument?](repeating: nil, count: agentCount)
    var ends: [UInt32] = []  // per transaction, its agent's event count after it
    ends.reserveCapacity(transactions.count)
    var counts = [UInt32](repeating: 0, count: agentCount)

    for (index, transaction) in transactions.enumerated() {
      let agent = transaction.agent
      var document = documents[agent].take() ?? Self.opened(start, by: agent)
      for span in spans(of: plan.arrivals[index], ends: ends, plan: plan) {
        // An arrival is an earlier transaction of another agent, whose document therefore exists.
        guard let update = documents[span.author]?.update(of: span.events) else { continue }
        try document.takeIn(update, at: Self.place(index))
      }
      try document.perform(transaction.patches) { Self.place(index, $0) }
      counts[agent] += UInt32(transaction.patches.reduce(0) { $0 + $1.eventCount })
      ends.append(counts[agent])
      documents[agent] = document
    }

    var merged = transactions.last.flatMap { documents[$0.agent] } ?? start
    for head in plan.heads.reversed() {
      guard let document = documents[transactions[head].agent] else { continue }
      try merged.takeIn(document.update(since: merged.versionVector), at: Self.place(head))
    }
    return TracePlayback(documents: documents, merged: merged)
  }

  private static func opened(_ start: TextDocument, by agent: Int) -> TextDocument {
    var document = start
    document.replica = replica(ofAgent: agent)
    return document
  }

  /// The events of some transactions, neighbours of one agent joined, in an order in which they can be applied.
  private func spans(
    of indexes: [Int], ends: [UInt32], plan: TracePlan
  ) -> [(author: Int, events: EventSpan)] {
    var spans: [(author: Int, events: EventSpan)] = []
    for index in indexes {
      let author = transactions[index].agent
      let place = plan.places[index]
      let start = place == 0 ? 0 : ends[plan.transactionsOfAgent[author][place - 1]]
      guard start < ends[index] else { continue }
      if let last = spans.last, last.author == author, last.events.seqs.upperBound == start {
        let joined = last.events.seqs.lowerBound..<ends[index]
        spans[spans.count - 1].events = EventSpan(replica: last.events.replica, seqs: joined)
      } else {
        let events = EventSpan(replica: Self.replica(ofAgent: author), seqs: start..<ends[index])
        spans.append((author, events))
      }
    }
    return spans
  }
}
