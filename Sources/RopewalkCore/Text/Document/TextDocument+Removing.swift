extension TextDocument {
  /// What stays known where some events go: everything but those and what follows them, directly or not. An
  /// event follows its parents, and its author's event before. O(r log n) in the graph's runs.
  package func versionVector(without removed: [EventSpan]) -> VersionVector {
    let graph = history.graph
    var kept = graph.replicas.indices.map { graph.author($0).known }
    for span in removed {
      guard let author = graph.existingNumber(of: span.replica) else { continue }
      kept[Int(author)] = min(kept[Int(author)], span.seqs.lowerBound)
    }
    // Places ascend from parents to children, so one pass finds all that follows.
    var (run, authorRun) = (0, 0)
    var at: UInt32 = 0
    while at < graph.count {
      let written = graph.authorRuns[authorRun]
      let author = Int(written.author)
      let seq = written.seq + (at - written.start)
      let isLost =
        at == graph.runs[run].start
        ? graph.parentPlaces(ofRun: run).contains { !graph.isKept($0, kept) }
        : at > 0 && !graph.isKept(at - 1, kept)
      if isLost { kept[author] = min(kept[author], seq) }
      let (runEnd, authorEnd) = (graph.end(ofRun: run), graph.end(ofAuthorRun: authorRun))
      at = min(runEnd, authorEnd)
      if at == runEnd { run += 1 }
      if at == authorEnd { authorRun += 1 }
    }
    var vector = VersionVector()
    for (number, replica) in graph.replicas.enumerated() { vector[replica] = kept[number] }
    return vector
  }

  /// The document as it would be if it had never known more than this, with its history; what waits for other
  /// events still waits. Nil if it does not know all of that, or what it names is not complete: an event is in
  /// it whose parent is not. Replays what is left.
  package func reduced(to moment: VersionVector) -> TextDocument? {
    guard let update = update(upTo: moment) else { return nil }
    var reduced = TextDocument(lineage: lineage)
    do throws(ApplyError) { _ = try reduced.apply(update) } catch { return nil }
    guard reduced.versionVector == moment else { return nil }
    reduced.pending.refused = pending.refused
    reduced.wait(for: pending.all)
    reduced.replica = replica
    return reduced
  }
}

extension EventGraph {
  /// Whether an event is among the first so many of each author's.
  fileprivate func isKept(_ place: UInt32, _ kept: [UInt32]) -> Bool {
    let run = authorRuns[authorRun(at: place)]
    return run.seq + (place - run.start) < kept[Int(run.author)]
  }
}
