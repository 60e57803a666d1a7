extension TextDocument {
  /// The present moment.
  public var version: Version { Version(heads: history.graph.heads.map { history.graph.event(at: $0) }) }

  /// How many events of each replica the document has merged.
  public var versionVector: VersionVector {
    VersionVector(
      history.graph.replicas.enumerated().map { ($1, history.graph.author($0).known) })
  }

  /// How many events of one replica the document has merged. O(1).
  package func eventCount(of replica: ReplicaID) -> UInt32 { history.graph.knownCount(of: replica) }

  /// What the document knew when it had merged its first `count` events (0 … `eventCount`), in the order in which they
  /// came. O(r) in author runs.
  package func versionVector(ofFirst count: Int) -> VersionVector {
    var vector = VersionVector()
    for (index, run) in history.graph.authorRuns.enumerated() where Int(run.start) < count {
      let end = min(Int(history.graph.end(ofAuthorRun: index)), count)
      vector[history.graph.replicas[Int(run.author)]] = run.seq + UInt32(end) - run.start
    }
    return vector
  }

  /// The text as it was at a moment; nil if the moment names an event that is not known. Replays what led
  /// to that moment: O(k log k) in its events' runs.
  public func text(at version: Version) -> String? {
    version == self.version ? text : past(at: version)?.text
  }

  /// The document as somebody had it at a moment, without what waits; nil if the moment names an event that is not known.
  /// Replays what led to that moment: O(k log k) in its events' runs.
  package func past(at version: Version) -> TextDocument? {
    var heads: [EventGraph.Parent] = []
    for head in version.heads {
      guard let place = history.graph.place(of: head) else { return nil }
      heads.append(history.graph.parent(at: place))
    }
    heads.sort { $0.place < $1.place }
    let ranges = history.withView { view in
      heads.withUnsafeBufferPointer { heads in
        var difference = VersionDifference()
        difference.find(from: nil, to: heads, in: view)
        let count = difference.onlySecond.count
        return (0..<count).map { difference.onlySecond[count - 1 - $0] }
      }
    }
    var past = TextDocument(lineage: lineage)
    past.history = history.part(ranges)
    _ = past.replay(from: 0, collecting: false)
    return past
  }

  /// The same document with the events of `replica` from `seq` on given to another id: the way out when an
  /// id was used twice. Only events that nobody else can have may be re-authored; later events of other
  /// replicas that follow them are rewritten to follow the new ones.
  ///
  /// - Parameter newID: an id never used before.
  public func reauthoring(_ replica: ReplicaID, from seq: UInt32, as newID: ReplicaID) -> TextDocument {
    var renamed = TextDocument(lineage: lineage)
    renamed.history = history.reauthoring(replica, from: seq, as: newID)
    _ = renamed.replay(from: 0, collecting: false)
    renamed.pending.refused = pending.refused
    renamed.wait(for: pending.all)
    return renamed
  }
}

extension TextHistory {
  func reauthoring(_ replica: ReplicaID, from seq: UInt32, as newID: ReplicaID) -> TextHistory {
    var result = self
    result.graph = EventGraph()
    var at: UInt32 = 0
    var run = 0
    while at < graph.count {
      let authorRun = graph.authorRun(at: at)
      let old = graph.authorRuns[authorRun]
      var end = min(graph.end(ofRun: run), graph.end(ofAuthorRun: authorRun))
      let first = old.seq + (at - old.start)
      var author = graph.replicas[Int(old.author)]
      if author == replica, first < seq, first + (end - at) > seq {
        end = at + (seq - first)
      } else if author == replica, first >= seq {
        author = newID
      }
      var parents =
        at == graph.runs[run].start ? graph.parentPlaces(ofRun: run) : [at - 1]
      // Under its new id nothing says any more that it follows this one.
      if author == newID, first == seq, seq > 0,
        let own = graph.place(ofSeq: seq - 1, author: Int(old.author)),
        !parents.contains(own)
      {
        parents.append(own)
        parents.sort()
      }
      let number = result.graph.number(of: author)
      result.graph.append(author: number, length: end - at, places: parents, logRuns: log.run(at: at) + 1)
      at = end
      if end == graph.end(ofRun: run) { run += 1 }
    }
    return result
  }
}
