extension TextHistory {
  /// A history of only some events, given as ascending ranges of places that hold all parents of what they
  /// hold.
  func part(_ ranges: [PlaceRange]) -> TextHistory {
    var part = TextHistory()
    var starts: [UInt32] = []
    for range in ranges {
      starts.append(part.graph.count)
      var run = graph.run(at: range.start)
      var authorRun = graph.authorRun(at: range.start)
      var at = range.start
      while at < range.end {
        let end = min(range.end, graph.end(ofRun: run), graph.end(ofAuthorRun: authorRun))
        let parents =
          at == graph.runs[run].start ? graph.parentPlaces(ofRun: run) : [at - 1]
        let places = parents.map { parent in
          let index = ranges.index(of: parent)
          return starts[index] + (parent - ranges[index].start)
        }
        let author = part.graph.number(of: graph.replicas[Int(graph.authorRuns[authorRun].author)])
        part.graph.append(
          author: author, length: end - at, places: places, logRuns: part.log.runs.count)
        part.log.append(PlaceRange(start: at, end: end), of: log)
        at = end
        if end == graph.end(ofRun: run) { run += 1 }
        if end == graph.end(ofAuthorRun: authorRun) { authorRun += 1 }
      }
    }
    return part
  }
}

extension OperationLog {
  /// Adds what the events at a range of places of another log did.
  fileprivate mutating func append(_ range: PlaceRange, of other: OperationLog) {
    var at = range.start
    var run = other.run(at: at)
    while at < range.end {
      let end = min(range.end, other.end(ofRun: run))
      let operation = other.operation(ofRun: run, from: at, to: end)
      if operation.kind == .insert {
        let first = Int(at - other.runs[run].start)
        let content = other.contentRange(ofRun: run, scalars: first..<first + Int(operation.length))
        other.content.withUnsafeBufferPointer {
          appendInsert(
            UnsafeBufferPointer(rebasing: $0[content]), length: operation.length, at: operation.position)
        }
      } else {
        appendDelete(operation)
      }
      at = end
      run += 1
    }
  }
}

extension [PlaceRange] {
  /// The range that holds a place; there is one.
  fileprivate func index(of place: UInt32) -> Int {
    var (low, high) = (0, count)
    while low + 1 < high {
      let middle = (low + high) / 2
      if self[middle].start <= place { low = middle } else { high = middle }
    }
    return low
  }
}
