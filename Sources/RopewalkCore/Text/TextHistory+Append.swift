extension TextHistory {
  /// Whether nothing of an update would wait.
  func isReady(for decoded: borrowing DecodedUpdate) -> Bool {
    for span in decoded.header.spans where span.seqs.lowerBound > graph.knownCount(of: span.replica) {
      return false
    }
    for at in 0..<decoded.parents.count where decoded.parents[at].replica != DecodedUpdate.Parent.isRun {
      if graph.place(of: decoded.event(decoded.parents[at])) == nil { return false }
    }
    return true
  }

  /// Adds the runs of an update whose parents are known, as far as they are new. Returns what the
  /// others wait for: when none of it is known, no further run can be added.
  mutating func append(_ decoded: borrowing DecodedUpdate, of update: Update) -> [EventID] {
    var missing = Set<EventID>()
    let runCount = decoded.runs.count
    // Of each run of the update, its last event, once that is known.
    var lastEvents = FlatBuffer<EventGraph.Parent>(capacity: runCount)
    let authors = decoded.header.spans.map { graph.number(of: $0.replica) }
    var parents = FlatBuffer<EventGraph.Parent>(capacity: 8)
    var cover = CoverSearch()
    update.bytes.withUnsafeBufferPointer { bytes in
      for index in 0..<runCount {
        let run = decoded.runs[index]
        let author = authors[Int(run.author)]
        let known = graph.author(Int(author)).known
        var lastEvent = EventGraph.Parent(place: EventGraph.none, run: 0)
        if run.seq + run.length <= known {
          if let place = graph.place(ofSeq: run.seq + run.length - 1, author: Int(author)) {
            lastEvent = graph.parent(at: place)
          }
        } else if run.seq > known {
          // Else the run before it in this update waits, and that is enough.
          if run.seq == decoded.header.spans[Int(run.author)].seqs.lowerBound {
            missing.insert(EventID(replica: decoded.header.replicas[Int(run.author)], seq: run.seq - 1))
          }
        } else {
          let skipped = known - run.seq
          parents.removeAll()
          if known > 0 { parents.append(graph.last(ofAuthor: author)) }
          if skipped > 0
            || resolve(decoded, run: index, lastEvents: lastEvents, into: &parents, missing: &missing)
          {
            if known > 0 { graph.leaveOutCoveredOwn(&parents, &cover) }
            parents.sortAndDeduplicate(from: 0)
            graph.append(
              author: author, length: run.length - skipped, parents: parents.all,
              logRuns: log.runs.count)
            append(decoded, run: index, bytes: bytes, skipping: skipped)
            lastEvent = EventGraph.Parent(place: graph.count - 1, run: UInt32(graph.runs.count - 1))
          }
        }
        lastEvents.append(lastEvent)
      }
    }
    return Array(missing)
  }

  /// Adds the runs of an update of one author from run `next` on, until one waits; moves `next` on. Returns
  /// what that one waits for; nothing if all are added. Throws `idClash` where a known event differs. O(log
  /// n) per run added.
  mutating func append(
    _ decoded: borrowing DecodedUpdate, of update: Update, fromRun next: inout Int
  ) throws(ApplyError) -> [EventID] {
    let replica = decoded.header.replicas[0]
    let author = graph.number(of: replica)
    var parents = FlatBuffer<EventGraph.Parent>(capacity: 8)
    var cover = CoverSearch()
    while next < decoded.runs.count {
      let run = decoded.runs[next]
      let known = graph.author(Int(author)).known
      if run.seq < known, let clash = clash(with: decoded, of: update, run: next) { throw .idClash(clash) }
      if run.seq > known { return [EventID(replica: replica, seq: run.seq - 1)] }
      if run.seq + run.length > known {
        let skipped = known - run.seq
        parents.removeAll()
        if let missing = resolve(decoded, run: next, author: author, skipping: skipped, into: &parents) {
          return [missing]
        }
        if known > 0 { graph.leaveOutCoveredOwn(&parents, &cover) }
        parents.sortAndDeduplicate(from: 0)
        graph.append(
          author: author, length: run.length - skipped, parents: parents.all, logRuns: log.runs.count)
        update.bytes.withUnsafeBufferPointer { append(decoded, run: next, bytes: $0, skipping: skipped) }
      }
      next += 1
    }
    return []
  }

  /// Finds the places of the parents of a run, all whose author's earlier events are known; returns one
  /// that is not.
  private func resolve(
    _ decoded: borrowing DecodedUpdate, run index: Int, author: UInt32, skipping skipped: UInt32,
    into parents: inout FlatBuffer<EventGraph.Parent>
  ) -> EventID? {
    if decoded.runs[index].seq + skipped > 0 { parents.append(graph.last(ofAuthor: author)) }
    if skipped > 0 { return nil }
    for at in decoded.parents(ofRun: index) {
      let event = decoded.event(decoded.parents[at])
      guard let place = graph.place(of: event) else { return event }
      parents.append(graph.parent(at: place))
    }
    return nil
  }

  /// Finds the places of a run's parents. Returns false if one is not known, which is then in `missing` or
  /// waits itself for what is.
  @inline(__always)
  private func resolve(
    _ decoded: borrowing DecodedUpdate, run index: Int, lastEvents: borrowing FlatBuffer<EventGraph.Parent>,
    into parents: inout FlatBuffer<EventGraph.Parent>, missing: inout Set<EventID>
  ) -> Bool {
    for at in decoded.parents(ofRun: index) {
      let parent = decoded.parents[at]
      if parent.replica == DecodedUpdate.Parent.isRun, parent.back == 0 {
        let event = lastEvents[Int(parent.value)]
        guard event.place != EventGraph.none else { return false }
        parents.append(event)
      } else {
        guard let place = graph.place(of: decoded.event(parent)) else {
          missing.insert(decoded.event(parent))
          return false
        }
        parents.append(graph.parent(at: place))
      }
    }
    return true
  }

  private mutating func append(
    _ decoded: borrowing DecodedUpdate, run index: Int, bytes: UnsafeBufferPointer<UInt8>,
    skipping skipped: UInt32
  ) {
    var skipped = skipped
    var byte = Int(decoded.runs[index].firstByte)
    let end =
      index + 1 < decoded.runs.count ? Int(decoded.runs[index + 1].firstByte) : decoded.content.upperBound
    let isAscii = end - byte == Int(decoded.runs[index].inserted)
    for at in decoded.operations(ofRun: index) {
      var operation = decoded.operations[at]
      if skipped > 0 {
        let dropped = min(skipped, operation.length)
        skipped -= dropped
        if operation.kind == .insert {
          let rest = UnsafeBufferPointer(rebasing: bytes[byte..<end])
          byte += isAscii ? Int(dropped) : TextMetrics.byteOffset(ofScalar: Int(dropped), in: rest)
        }
        if dropped == operation.length { continue }
        operation = operation.dropping(dropped)
      }
      if operation.kind == .insert {
        let rest = UnsafeBufferPointer(rebasing: bytes[byte..<end])
        let size =
          isAscii
          ? Int(operation.length) : TextMetrics.byteOffset(ofScalar: Int(operation.length), in: rest)
        log.appendInsert(
          UnsafeBufferPointer(rebasing: rest[..<size]), length: operation.length, at: operation.position)
        byte += size
      } else {
        log.appendDelete(operation)
      }
    }
  }
}

extension FlatBuffer<EventGraph.Parent> {
  /// Makes the elements from `first` on ascending and distinct.
  @inline(__always)
  mutating func sortAndDeduplicate(from first: Int) {
    if count < first + 2 || (count == first + 2 && self[first].place < self[first + 1].place) { return }
    let kept = UnsafeMutableBufferPointer(start: pointer(first), count: count - first).tidy()
    removeLast(count - first - kept)
  }
}

extension UnsafeMutableBufferPointer<EventGraph.Parent> {
  /// Makes the elements ascending and distinct, and returns how many remain.
  func tidy() -> Int {
    var all = self
    all.sort { $0.place < $1.place }
    var kept = 1
    for index in 1..<count where self[index].place != self[kept - 1].place {
      self[kept] = self[index]
      kept += 1
    }
    return kept
  }
}
