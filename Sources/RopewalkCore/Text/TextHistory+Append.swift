extension TextHistory {
  /// Adds the runs of an update whose parents are known, as far as they are new. Returns what the others wait
  /// for: when none of it is known, no further run can be added.
  mutating func append(_ decoded: DecodedUpdate) -> [EventID] {
    var missing = Set<EventID>()
    var lastPlaces = [UInt32](repeating: EventGraph.none, count: decoded.runs.count)
    let authors = decoded.header.spans.map { graph.number(of: $0.replica) }
    var places: [UInt32] = []
    var contentStart = decoded.content.startIndex
    for (index, run) in decoded.runs.enumerated() {
      let seq = run.seq
      let author = authors[Int(run.author)]
      let replica = decoded.header.replicas[Int(run.author)]
      let operations = decoded.operations(ofRun: index)
      let content = decoded.contentRange(of: operations, from: contentStart)
      contentStart = content.upperBound
      let known = graph.known[Int(author)]
      if seq + run.length <= known {
        lastPlaces[index] = graph.place(ofSeq: seq + run.length - 1, author: Int(author)) ?? EventGraph.none
        continue
      }
      if seq > known {
        // Else the run before it in this update waits, and that is enough.
        if seq == decoded.header.spans[Int(run.author)].seqs.lowerBound {
          missing.insert(EventID(replica: replica, seq: seq - 1))
        }
        continue
      }
      let skipped = known - seq
      places.removeAll(keepingCapacity: true)
      if skipped > 0 || run.followsOwn, let own = graph.place(ofSeq: seq + skipped - 1, author: Int(author)) {
        places.append(own)
      }
      if skipped == 0,
        !resolve(decoded, run: index, lastPlaces: lastPlaces, into: &places, missing: &missing)
      {
        continue
      }
      graph.append(author: author, length: run.length - skipped, parents: places.sortedAndDistinct())
      append(operations, content: decoded.content[content], skipping: skipped)
      lastPlaces[index] = graph.count - 1
    }
    return Array(missing)
  }

  /// Finds the places of a run's parents. Returns false if one is not known, which is then in `missing` or
  /// waits itself for what is.
  private func resolve(
    _ decoded: DecodedUpdate, run index: Int, lastPlaces: [UInt32], into places: inout [UInt32],
    missing: inout Set<EventID>
  ) -> Bool {
    for at in decoded.parentBounds(ofRun: index) {
      switch decoded.parents[at] {
      case .run(let earlier):
        guard lastPlaces[Int(earlier)] != EventGraph.none else { return false }
        places.append(lastPlaces[Int(earlier)])
      case .event(let event):
        guard let place = graph.place(of: event) else {
          missing.insert(event)
          return false
        }
        places.append(place)
      }
    }
    return true
  }

  private mutating func append(
    _ operations: ArraySlice<Operation>, content: ArraySlice<UInt8>, skipping skipped: UInt32
  ) {
    var skipped = skipped
    var content = content
    for operation in operations {
      var rest = operation
      if skipped > 0 {
        let dropped = min(skipped, operation.length)
        skipped -= dropped
        if operation.kind == .insert { content = content.dropping(scalars: dropped) }
        if dropped == operation.length { continue }
        rest = operation.dropping(dropped)
      }
      if rest.kind == .insert {
        let tail = content.dropping(scalars: rest.length)
        content[..<tail.startIndex].withUnsafeBufferPointer {
          log.appendInsert($0, length: rest.length, at: rest.position)
        }
        content = tail
      } else {
        log.appendDelete(rest)
      }
    }
  }

  /// The first event of an update that is known with other parents or another operation.
  func clash(with decoded: DecodedUpdate) -> EventID? {
    var contentStart = decoded.content.startIndex
    for index in decoded.runs.indices {
      let run = decoded.runs[index]
      let seq = run.seq
      let operations = decoded.operations(ofRun: index)
      let content = decoded.contentRange(of: operations, from: contentStart)
      contentStart = content.upperBound
      let replica = decoded.header.replicas[Int(run.author)]
      guard let author = graph.existingNumber(of: replica) else { continue }
      let known = graph.known[Int(author)]
      guard seq < known else { continue }
      if !hasSameParents(decoded, run: index, seq: seq, author: Int(author)) {
        return EventID(replica: replica, seq: seq)
      }
      var at = seq
      var rest = decoded.content[content]
      for operation in operations where at < known {
        let count = min(operation.length, known - at)
        if let clash = differs(
          operation.prefix(count), content: rest, seq: at, author: Int(author), isInside: at > seq)
        {
          return EventID(replica: replica, seq: clash)
        }
        if operation.kind == .insert { rest = rest.dropping(scalars: operation.length) }
        at += operation.length
      }
    }
    return nil
  }

  private func hasSameParents(_ decoded: DecodedUpdate, run index: Int, seq: UInt32, author: Int) -> Bool {
    guard let place = graph.place(ofSeq: seq, author: author) else { return false }
    let graphRun = graph.run(at: place)
    var stored: [EventID] =
      graph.runs[graphRun].start == place
      ? graph.parents[graph.parentBounds(ofRun: graphRun)].map { graph.event(at: $0) }
      : [graph.event(at: place - 1)]
    var given: [EventID] = []
    if decoded.runs[index].followsOwn, seq > 0 {
      given.append(EventID(replica: graph.replicas[author], seq: seq - 1))
    }
    for at in decoded.parentBounds(ofRun: index) {
      switch decoded.parents[at] {
      case .run(let earlier): given.append(decoded.lastEvent(ofRun: Int(earlier)))
      case .event(let event): given.append(event)
      }
    }
    stored.sort()
    given.sort()
    return Version(heads: stored) == Version(heads: given)
  }

  /// Compares an operation with the known events from `seq` on; returns the first sequence number that
  /// differs.
  private func differs(
    _ operation: Operation, content: ArraySlice<UInt8>, seq: UInt32, author: Int, isInside: Bool
  ) -> UInt32? {
    var isInside = isInside
    var given = operation
    var content = content
    var seq = seq
    while true {
      guard let place = graph.place(ofSeq: seq, author: author) else { return seq }
      let authorEnd = graph.end(ofAuthorRun: graph.authorRun(at: place))
      let logRun = log.run(at: place)
      let graphRun = graph.run(at: place)
      if isInside, graph.runs[graphRun].start == place {
        // Implicit parents there must be the author's event before.
        let own = graph.place(ofSeq: seq - 1, author: author)
        guard graph.parentBounds(ofRun: graphRun).count == 1,
          graph.parents[graph.parentBounds(ofRun: graphRun).lowerBound] == own
        else { return seq }
      } else if isInside, graph.event(at: place - 1) != EventID(replica: graph.replicas[author], seq: seq - 1)
      {
        return seq
      }
      isInside = true
      let end = min(authorEnd, graph.end(ofRun: graphRun), log.end(ofRun: logRun), place + given.length)
      let stored = log.operation(ofRun: logRun, from: place, to: end)
      let count = end - place
      let part = given.prefix(count)
      if stored.prefix(count) != part { return seq }
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
}

extension DecodedUpdate {
  func operations(ofRun index: Int) -> ArraySlice<Operation> {
    let end = index + 1 < runs.count ? Int(runs[index + 1].firstOperation) : operations.count
    return operations[Int(runs[index].firstOperation)..<end]
  }

  func parentBounds(ofRun index: Int) -> Range<Int> {
    let end = index + 1 < runs.count ? Int(runs[index + 1].firstParent) : parents.count
    return Int(runs[index].firstParent)..<end
  }

  /// Where the text of some operations stands in `content`, which is well-formed and was counted.
  func contentRange(of operations: ArraySlice<Operation>, from start: Int) -> Range<Int> {
    var scalars: UInt32 = 0
    for operation in operations where operation.kind == .insert { scalars += operation.length }
    return start..<content[start...].dropping(scalars: scalars).startIndex
  }

  /// The id of a run's last event.
  func lastEvent(ofRun index: Int) -> EventID {
    let run = runs[index]
    return EventID(replica: header.replicas[Int(run.author)], seq: run.seq + run.length - 1)
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

extension [UInt32] {
  func sortedAndDistinct() -> [UInt32] {
    if count < 2 || (count == 2 && self[0] < self[1]) { return self }
    var distinct: [UInt32] = []
    for element in sorted() where distinct.last != element { distinct.append(element) }
    return distinct
  }

  /// Whether an ascending array contains a value.
  func containsSorted(_ value: UInt32) -> Bool {
    if count < 8 { return contains(value) }
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low] == value
  }
}
