extension Update {
  /// The events outside that those inside follow: their parents, and of each replica the event before its first one.
  /// Throws where the columns do not fit each other. O(n).
  package func outerParents() throws(FormatError) -> [EventID] {
    let decoded = try DecodedUpdate.decode(self, UpdateLayout(self))
    var parents = Set<EventID>()
    for span in spans where span.seqs.lowerBound > 0 {
      parents.insert(EventID(replica: span.replica, seq: span.seqs.lowerBound - 1))
    }
    for run in 0..<decoded.runs.count {
      for at in decoded.parents(ofRun: run) {
        let event = decoded.event(decoded.parents[at])
        let isInside = spans.contains { $0.replica == event.replica && $0.seqs.contains(event.seq) }
        if !isInside { parents.insert(event) }
      }
    }
    return parents.sorted()
  }

  /// The text that it inserts, in UTF-8, in the order of the events. Throws where the columns do not fit each other. O(n).
  package func insertedBytes() throws(FormatError) -> [UInt8] {
    let decoded = try DecodedUpdate.decode(self, UpdateLayout(self))
    return Array(bytes[decoded.content])
  }
}
