/// Events that may be in a document under two ids: those of one replica from `event` on, and those of `fresh` from 0 on.
package struct TwinEvents: Hashable, Sendable {
  /// The first of them.
  package let event: EventID
  /// The id that they were given besides.
  package let fresh: ReplicaID

  /// Describes such events.
  package init(event: EventID, fresh: ReplicaID) {
    self.event = event
    self.fresh = fresh
  }

  /// How many of them are known under both ids.
  package func count(in vector: VersionVector) -> UInt32 {
    let (known, first) = (vector[event.replica], event.seq)
    return known > first ? min(known - first, vector[fresh]) : 0
  }
}

extension TextDocument {
  /// The document with the events of `twins.fresh` called what they were called before, if those are the next ones of
  /// that replica; nil if they cannot be. Replays it.
  package func goingBack(_ twins: TwinEvents) -> TextDocument? {
    let event = twins.event
    guard eventCount(of: event.replica) == event.seq, isAfter(twins) else { return nil }
    return reauthoring(twins.fresh, from: 0, as: event.replica)
  }

  /// Whether events that are known under two ids are the same: they do the same, and follow the same. Replays the document
  /// several times.
  package func areSame(_ all: [TwinEvents]) -> Bool {
    let vector = versionVector
    let originals = all.compactMap { twins -> EventSpan? in
      let first = twins.event.seq
      guard first < vector[twins.event.replica] else { return nil }
      return EventSpan(replica: twins.event.replica, seqs: first..<vector[twins.event.replica])
    }
    guard originals.count == all.count, var probe = reduced(to: versionVector(without: originals)) else {
      return false
    }
    for twins in all {
      guard probe.eventCount(of: twins.fresh) >= twins.count(in: vector),
        let renamed = probe.goingBack(twins)
      else { return false }
      probe = renamed
    }
    for twins in all {
      let first = twins.event.seq
      let span = EventSpan(replica: twins.event.replica, seqs: first..<first + twins.count(in: vector))
      guard !span.seqs.isEmpty, let update = update(of: span) else { return false }
      do throws(ApplyError) { _ = try probe.apply(update) } catch { return false }
    }
    return true
  }

  /// What deletes all the text that a span's events inserted and left there, as if they had ended with that; nil if
  /// nothing is left, or if other events follow some of the span and are followed by the rest. Replays the past of the
  /// span twice.
  ///
  /// - Parameter author: an id of which the document knows nothing.
  package func deletion(ofTextInsertedBy span: EventSpan, by author: ReplicaID) -> Update? {
    let last = EventID(replica: span.replica, seq: span.seqs.upperBound - 1)
    guard let update = update(of: span), var past = past(at: Version(heads: [last])),
      var before = past.reduced(to: past.versionVector(without: [span]))
    else { return nil }
    var text = InsertedText()
    do throws(ApplyError) {
      for patch in try before.apply(update) { text.apply(patch) }
    } catch { return nil }
    guard before.eventCount == past.eventCount, !text.ranges.isEmpty else { return nil }
    past.replica = author
    for range in text.ranges.reversed() { past.delete(range) }
    return past.update(of: EventSpan(replica: author, seqs: 0..<past.eventCount(of: author)))
  }

  /// Whether the first event under the other id follows the one before it under the first.
  private func isAfter(_ twins: TwinEvents) -> Bool {
    let event = twins.event
    guard event.seq > 0 else { return true }
    let previous = EventID(replica: event.replica, seq: event.seq - 1)
    return parents(of: EventSpan(replica: twins.fresh, seqs: 0..<1), limit: 1).contains {
      $0.parent == previous
    }
  }
}

/// Where in a text is what patches have inserted, as far as later ones have left it.
private struct InsertedText {
  /// In scalars; ascending, disjoint.
  private(set) var ranges: [Range<Int>] = []

  mutating func apply(_ patch: TextPatch) {
    let inserted = patch.inserted.reduce(0) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 }
    let (start, end) = (patch.position, patch.position + patch.deleted)
    let shift = inserted - patch.deleted
    var next: [Range<Int>] = []
    let new = start..<start + inserted
    var hasNew = inserted == 0
    for range in ranges {
      if range.lowerBound < start { Self.add(range.lowerBound..<min(range.upperBound, start), to: &next) }
      if range.upperBound > end {
        if !hasNew { Self.add(new, to: &next) }
        hasNew = true
        Self.add(max(range.lowerBound, end) + shift..<range.upperBound + shift, to: &next)
      }
    }
    if !hasNew { Self.add(new, to: &next) }
    ranges = next
  }

  private static func add(_ range: Range<Int>, to ranges: inout [Range<Int>]) {
    if let last = ranges.last, last.upperBound == range.lowerBound {
      ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
    } else {
      ranges.append(range)
    }
  }
}
