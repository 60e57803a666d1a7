extension TextDocument {
  /// The events that a holder of `known` lacks, in one update. O(k) in the runs inside, and O(r) in all
  /// author runs.
  public func update(since known: VersionVector) -> Update {
    UpdateEncoder.encode(ranges(since: known), of: history, lineage: lineage)
  }

  /// What the document knew at a moment, in one update; nil if it does not know all of that. O(k) in the
  /// runs inside, and O(r) in all author runs.
  public func update(upTo moment: VersionVector) -> Update? {
    let graph = history.graph
    for (replica, count) in moment.entries where graph.knownCount(of: replica) < count { return nil }
    let counts = graph.replicas.map { moment[$0] }
    var ranges: [PlaceRange] = []
    for (index, run) in graph.authorRuns.enumerated() where run.seq < counts[Int(run.author)] {
      let end = min(graph.end(ofAuthorRun: index), run.start + (counts[Int(run.author)] - run.seq))
      if let last = ranges.last, last.end == run.start {
        ranges[ranges.count - 1].end = end
      } else {
        ranges.append(PlaceRange(start: run.start, end: end))
      }
    }
    return UpdateEncoder.encode(ranges, of: history, lineage: lineage)
  }

  /// The events that a holder of `known` lacks, cut by replica and size, to be pushed to a relay: every
  /// update holds one span, and takes at most `maximumBytes` unless a single event does not fit. A
  /// replica's updates come in order.
  public func updates(since known: VersionVector, maximumBytes: Int) -> [Update] {
    var updates: [Update] = []
    for (number, replica) in history.graph.replicas.enumerated() {
      let count = history.graph.author(number).known
      let first = known[replica]
      guard first < count else { continue }
      cut(EventSpan(replica: replica, seqs: first..<count), maximumBytes: maximumBytes, into: &updates)
    }
    return updates
  }

  /// The canonical update of one span; nil if not all of it is known. O(k log n) in the runs inside.
  public func update(of span: EventSpan) -> Update? {
    guard let author = history.graph.existingNumber(of: span.replica),
      span.seqs.upperBound <= history.graph.author(Int(author)).known
    else { return nil }
    var ranges: [PlaceRange] = []
    var seq = span.seqs.lowerBound
    while seq < span.seqs.upperBound {
      guard let place = history.graph.place(ofSeq: seq, author: Int(author)) else { return nil }
      let authorRun = history.graph.authorRun(at: place)
      let end = min(history.graph.end(ofAuthorRun: authorRun), place + (span.seqs.upperBound - seq))
      ranges.append(PlaceRange(start: place, end: end))
      seq += end - place
    }
    return UpdateEncoder.encode(ranges, of: history, lineage: lineage)
  }

  private func cut(_ span: EventSpan, maximumBytes: Int, into updates: inout [Update]) {
    guard let update = update(of: span) else { return }
    if update.bytes.count <= maximumBytes || span.seqs.count == 1 {
      updates.append(update)
      return
    }
    let middle = span.seqs.lowerBound + UInt32(span.seqs.count / 2)
    cut(
      EventSpan(replica: span.replica, seqs: span.seqs.lowerBound..<middle), maximumBytes: maximumBytes,
      into: &updates)
    cut(
      EventSpan(replica: span.replica, seqs: middle..<span.seqs.upperBound), maximumBytes: maximumBytes,
      into: &updates)
  }

  private func ranges(since known: VersionVector) -> [PlaceRange] {
    let graph = history.graph
    let counts = graph.replicas.map { known[$0] }
    var ranges: [PlaceRange] = []
    for (index, run) in graph.authorRuns.enumerated() {
      let end = graph.end(ofAuthorRun: index)
      let count = counts[Int(run.author)]
      guard run.seq + (end - run.start) > count else { continue }
      let start = run.start + (count > run.seq ? count - run.seq : 0)
      if let last = ranges.last, last.end == start {
        ranges[ranges.count - 1].end = end
      } else {
        ranges.append(PlaceRange(start: start, end: end))
      }
    }
    return ranges
  }
}
