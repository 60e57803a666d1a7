extension TextHistory {
  /// The first event of an update that is known with other parents or another operation.
  func clash(with decoded: borrowing DecodedUpdate, of update: Update) -> EventID? {
    let spans = decoded.header.spans
    guard spans.contains(where: { $0.seqs.lowerBound < graph.knownCount(of: $0.replica) }) else { return nil }
    for index in 0..<decoded.runs.count {
      if let clash = clash(with: decoded, of: update, run: index) { return clash }
    }
    return nil
  }

  /// The first event of one run of an update that is known with other parents or another operation.
  func clash(with decoded: borrowing DecodedUpdate, of update: Update, run index: Int) -> EventID? {
    let run = decoded.runs[index]
    let replica = decoded.header.replicas[Int(run.author)]
    guard let author = graph.existingNumber(of: replica) else { return nil }
    let known = graph.author(Int(author)).known
    guard run.seq < known else { return nil }
    if !hasSameParents(decoded, run: index, author: Int(author)) {
      return EventID(replica: replica, seq: run.seq)
    }
    var at = run.seq
    var rest = update.bytes[Int(run.firstByte)..<decoded.content.upperBound]
    for place in decoded.operations(ofRun: index) where at < known {
      let operation = decoded.operations[place]
      let part = operation.prefix(min(operation.length, known - at))
      let difference = firstDifference(
        from: part, content: rest, seq: at, author: Int(author), isInside: at > run.seq)
      if let difference { return EventID(replica: replica, seq: difference) }
      if operation.kind == .insert { rest = rest.dropping(scalars: operation.length) }
      at += operation.length
    }
    return nil
  }

  private func hasSameParents(_ decoded: borrowing DecodedUpdate, run index: Int, author: Int) -> Bool {
    let run = decoded.runs[index]
    guard let place = graph.place(ofSeq: run.seq, author: author) else { return false }
    let graphRun = graph.run(at: place)
    let stored =
      graph.runs[graphRun].start == place
      ? graph.parentPlaces(ofRun: graphRun).map { graph.event(at: $0) }
      : [graph.event(at: place - 1)]
    // The author's event before is a parent in any case, listed in the graph or not.
    let own = run.seq > 0 ? EventID(replica: graph.replicas[author], seq: run.seq - 1) : nil
    var given: [EventID] = []
    for at in decoded.parents(ofRun: index) { given.append(decoded.event(decoded.parents[at])) }
    return Version(heads: stored.filter { $0 != own }) == Version(heads: given)
  }

  /// Compares an operation with the known events from `seq` on; returns the first sequence number that
  /// differs.
  ///
  /// - Parameter isInside: the first event follows just the author's event before.
  private func firstDifference(
    from operation: Operation, content: ArraySlice<UInt8>, seq: UInt32, author: Int, isInside: Bool
  ) -> UInt32? {
    var given = operation
    var content = content
    var seq = seq
    var isInside = isInside
    while true {
      guard let place = graph.place(ofSeq: seq, author: author) else { return seq }
      if isInside, !followsOwnOnly(place, seq: seq, author: author) { return seq }
      isInside = true
      let logRun = log.run(at: place)
      let authorEnd = graph.end(ofAuthorRun: graph.authorRun(at: place))
      let graphEnd = graph.end(ofRun: graph.run(at: place))
      let end = min(authorEnd, graphEnd, log.end(ofRun: logRun), place + given.length)
      let count = end - place
      let part = given.prefix(count)
      if log.operation(ofRun: logRun, from: place, to: end).prefix(count) != part { return seq }
      if part.kind == .insert {
        let first = Int(place - log.runs[logRun].start)
        let range = log.contentRange(ofRun: logRun, scalars: first..<first + Int(count))
        let tail = content.dropping(scalars: count)
        if !content[..<tail.startIndex].elementsEqual(log.content[range]) { return seq }
        content = tail
      }
      seq += count
      if count == given.length { return nil }
      given = given.dropping(count)
    }
  }

  /// Whether the only parent of the event at a place is its author's event before.
  private func followsOwnOnly(_ place: UInt32, seq: UInt32, author: Int) -> Bool {
    let own = graph.place(ofSeq: seq - 1, author: author)
    let run = graph.run(at: place)
    guard graph.runs[run].start == place else { return own == place - 1 }
    let bounds = graph.parentBounds(ofRun: run)
    return bounds.count == 1 && graph.parents[bounds.lowerBound].place == own
  }
}

extension ArraySlice<UInt8> {
  /// Without its first `scalars` scalars of well-formed UTF-8.
  func dropping(scalars: UInt32) -> ArraySlice<UInt8> {
    var at = startIndex
    for _ in 0..<scalars { at += TextMetrics.width(self[at]) }
    return self[at...]
  }
}
