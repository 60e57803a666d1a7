extension TextDocument {
  /// What a span's events follow besides their own author's event before: an element for each such parent, in the
  /// order of the events, at most about `limit` (all of one event's are given). O(log n) for each.
  package func parents(of span: EventSpan, limit: Int) -> [(seq: UInt32, parent: EventID)] {
    history.graph.parents(of: span, limit: limit)
  }
}

extension EventGraph {
  fileprivate func parents(of span: EventSpan, limit: Int) -> [(seq: UInt32, parent: EventID)] {
    guard let number = existingNumber(of: span.replica) else { return [] }
    let author = Int(number)
    let known = min(span.seqs.upperBound, self.author(author).known)
    var result: [(seq: UInt32, parent: EventID)] = []
    var seq = span.seqs.lowerBound
    while seq < known, result.count < limit, let place = place(ofSeq: seq, author: author) {
      let run = run(at: place)
      let places = runs[run].start == place ? parentPlaces(ofRun: run) : [place - 1]
      for parent in places {
        let event = event(at: parent)
        if event.replica != span.replica { result.append((seq, event)) }
      }
      // Inside a run of both kinds each event follows the one before.
      seq += min(end(ofAuthorRun: authorRun(at: place)), end(ofRun: run)) - place
    }
    return result
  }
}
