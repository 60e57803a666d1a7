extension TextHistory {
  /// Adds the runs of an update whose parents are known, as far as they are new. Returns what the
  /// others wait for: when none of it is known, no further run can be added.
  mutating func append(_ decoded: borrowing DecodedUpdate, of update: Update) -> [EventID] {
    var missing = Set<EventID>()
    let runCount = decoded.runs.count
    var lastPlaces = FlatBuffer<UInt32>(capacity: runCount)
    let authors = decoded.header.spans.map { graph.number(of: $0.replica) }
    var parents: [UInt32] = []
    reserve(decoded)
    update.bytes.withUnsafeBufferPointer { bytes in
      for index in 0..<runCount {
        let run = decoded.runs[index]
        let author = authors[Int(run.author)]
        let known = graph.known[Int(author)]
        var lastPlace = EventGraph.none
        if run.seq + run.length <= known {
          lastPlace = graph.place(ofSeq: run.seq + run.length - 1, author: Int(author)) ?? EventGraph.none
        } else if run.seq > known {
          // Else the run before it in this update waits, and that is enough.
          if run.seq == decoded.header.spans[Int(run.author)].seqs.lowerBound {
            missing.insert(EventID(replica: decoded.header.replicas[Int(run.author)], seq: run.seq - 1))
          }
        } else {
          let skipped = known - run.seq
          parents.removeAll(keepingCapacity: true)
          if skipped > 0 || run.followsOwn { parents.append(graph.lastPlaces[Int(author)]) }
          if skipped > 0
            || resolve(decoded, run: index, lastPlaces: lastPlaces, into: &parents, missing: &missing)
          {
            if parents.count > 1 { parents.sortAndDeduplicate() }
            graph.append(author: author, length: run.length - skipped, parents: parents)
            append(decoded, run: index, bytes: bytes, skipping: skipped)
            lastPlace = graph.count - 1
          }
        }
        lastPlaces.append(lastPlace)
      }
    }
    return Array(missing)
  }

  private mutating func reserve(_ decoded: borrowing DecodedUpdate) {
    guard graph.count == 0 else { return }
    graph.reserve(runs: decoded.runs.count, parents: decoded.parents.count + decoded.runs.count)
    log.reserve(runs: decoded.operations.count, content: decoded.content.count)
  }

  /// Finds the places of a run's parents. Returns false if one is not known, which is then in `missing` or
  /// waits itself for what is.
  private func resolve(
    _ decoded: borrowing DecodedUpdate, run index: Int, lastPlaces: borrowing FlatBuffer<UInt32>,
    into places: inout [UInt32], missing: inout Set<EventID>
  ) -> Bool {
    for at in decoded.parents(ofRun: index) {
      let parent = decoded.parents[at]
      if parent.replica == DecodedUpdate.Parent.isRun {
        guard lastPlaces[Int(parent.value)] != EventGraph.none else { return false }
        places.append(lastPlaces[Int(parent.value)])
      } else {
        guard let place = graph.place(of: decoded.event(parent)) else {
          missing.insert(decoded.event(parent))
          return false
        }
        places.append(place)
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
    var scalars: UInt32 = 0
    for at in decoded.operations(ofRun: index) where decoded.operations[at].kind == .insert {
      scalars += decoded.operations[at].length
    }
    let isAscii = end - byte == Int(scalars)
    func take(_ count: UInt32) -> UnsafeBufferPointer<UInt8> {
      let rest = UnsafeBufferPointer(rebasing: bytes[byte..<end])
      let size = isAscii ? Int(count) : TextMetrics.byteOffset(ofScalar: Int(count), in: rest)
      byte += size
      return UnsafeBufferPointer(rebasing: rest[..<size])
    }
    for at in decoded.operations(ofRun: index) {
      var operation = decoded.operations[at]
      if skipped > 0 {
        let dropped = min(skipped, operation.length)
        skipped -= dropped
        if operation.kind == .insert { _ = take(dropped) }
        if dropped == operation.length { continue }
        operation = operation.dropping(dropped)
      }
      if operation.kind == .insert {
        log.appendInsert(take(operation.length), length: operation.length, at: operation.position)
      } else {
        log.appendDelete(operation)
      }
    }
  }
}

extension [UInt32] {
  /// Makes the elements ascending and distinct.
  mutating func sortAndDeduplicate() {
    if count == 2, self[0] < self[1] { return }
    sort()
    var kept = 1
    for index in 1..<count where self[index] != self[kept - 1] {
      self[kept] = self[index]
      kept += 1
    }
    removeLast(count - kept)
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
