extension TextDocument {
  /// Merges an update, and whatever waited for it. Returns the changes to the present text, to be made in
  /// order.
  ///
  /// Events that are known already are passed over. Events that follow unknown ones wait inside the
  /// document until those come (`pendingEventCount`, `missingEvents`); that is no error.
  ///
  /// O(k log n) for k new runs that follow all that is known, or that cross others while the document stays in
  /// memory and is not copied; else what is concurrent with them is walked again. Throws `ApplyError`, and then
  /// nothing has changed.
  public mutating func apply(_ update: Update) throws(ApplyError) -> [TextPatch] {
    try merge(update, collecting: true)
  }

  /// Merges several updates with one walk for all of them: the patches are those of the whole.
  ///
  /// Those that cannot be merged are named, ascending, with the reason; all others are merged, in whatever
  /// order takes least: as far as they need not follow others of them, one author's go together.
  public mutating func apply(_ updates: [Update]) -> (
    patches: [TextPatch], failures: [(index: Int, error: ApplyError)]
  ) {
    let first = history.graph.count
    var failures: [(index: Int, error: ApplyError)] = []
    var order = BranchOrder(of: updates)
    while let next = order.next() {
      do throws(ApplyError) {
        if try take(updates[next.index], onlyIfReady: next.mayWait) {
          order.taken(next.index)
        } else {
          order.passOver()
        }
      } catch {
        failures.append((next.index, error))
        order.taken(next.index)
      }
    }
    wakePending(since: first)
    failures.sort { $0.index < $1.index }
    return (replay(from: first, collecting: true), failures)
  }

  mutating func merge(_ update: Update, collecting: Bool) throws(ApplyError) -> [TextPatch] {
    let first = history.graph.count
    _ = try take(update, onlyIfReady: false)
    wakePending(since: first)
    guard first == 0 else { return replay(from: first, collecting: collecting) }
    _ = replay(from: 0, collecting: false)
    return collecting && scalarCount > 0 ? [TextPatch(position: 0, deleted: 0, inserted: utf8)] : []
  }

  /// Adds what can be added to the history; if something must wait, the whole update waits too.
  ///
  /// - Parameter onlyIfReady: if something must wait, nothing is done, and false is returned.
  private mutating func take(_ update: Update, onlyIfReady: Bool) throws(ApplyError) -> Bool {
    guard update.lineage == lineage else {
      throw .lineageMismatch(expected: lineage, found: update.lineage)
    }
    let layout = try layout(of: update)
    if history.graph.count == 0, layout.isFromStart, let whole = try build(update, layout) {
      history = whole
      return true
    }
    let decoded = try decode(update, layout)
    if onlyIfReady, !history.isReady(for: decoded) { return false }
    if let clash = history.clash(with: decoded, of: update) { throw .idClash(clash) }
    let missing = history.append(decoded, of: update)
    if !missing.isEmpty { pending.insert(update, waitingFor: missing) }
    return true
  }

  private func layout(of update: Update) throws(ApplyError) -> UpdateLayout {
    let layout: UpdateLayout
    do throws(FormatError) { layout = try UpdateLayout(update) } catch { throw .malformed(error) }
    var events = UInt64(history.graph.count)
    for span in layout.header.spans { events += UInt64(span.seqs.count) }
    guard events < Self.mergeEventLimit,
      history.log.content.count + layout.content.count < Self.mergeContentLimit
    else { throw .tooLarge }
    return layout
  }

  private func build(_ update: Update, _ layout: UpdateLayout) throws(ApplyError) -> TextHistory? {
    do throws(FormatError) { return try HistoryBuilder.build(update, layout) } catch {
      throw .malformed(error)
    }
  }

  private func decode(_ update: Update, _ layout: UpdateLayout) throws(ApplyError) -> DecodedUpdate {
    do throws(FormatError) { return try DecodedUpdate.decode(update, layout) } catch {
      throw .malformed(error)
    }
  }

  /// Tries updates again whose missing event has come. One that turns out to contradict what is known can
  /// never be merged: it is refused.
  private mutating func wakePending(since first: UInt32) {
    guard !pending.isEmpty else { return }
    var woken: [UInt64] = []
    var at = first
    while at < history.graph.count {
      let run = history.graph.authorRun(at: at)
      let replica = history.graph.replicas[Int(history.graph.authorRuns[run].author)]
      while let (ticket, update) = pending.wake(of: replica, known: history.graph.knownCount(of: replica)) {
        do throws(ApplyError) {
          let missing = try resume(ticket, update, woken: &woken)
          if missing.isEmpty { pending.remove(ticket) } else { pending.wait(ticket, for: missing) }
        } catch {
          pending.remove(ticket)
          pending.refused.append(RefusedUpdate(update: update, error: error))
        }
      }
      at = history.graph.end(ofAuthorRun: run)
    }
    pending.forgetProgress(of: woken)
  }

  /// Goes on with an update that waited; returns what it waits for now.
  private mutating func resume(
    _ ticket: UInt64, _ update: Update, woken: inout [UInt64]
  ) throws(ApplyError) -> [EventID] {
    if let progress = pending[progressOf: ticket] { return try advance(progress, of: update) }
    let decoded = try decode(update, layout(of: update))
    if update.spans.count == 1 {
      let progress = WaitingProgress(decoded)
      pending[progressOf: ticket] = progress
      woken.append(ticket)
      return try advance(progress, of: update)
    }
    if let clash = history.clash(with: decoded, of: update) { throw .idClash(clash) }
    return history.append(decoded, of: update)
  }

  private mutating func advance(
    _ progress: WaitingProgress, of update: Update
  ) throws(ApplyError) -> [EventID] {
    var runs = progress.runs
    defer { progress.runs = runs }
    return try history.append(progress.decoded, of: update, fromRun: &runs)
  }

  /// The updates that wait for others, in the order in which they came.
  public var waitingUpdates: [Update] { pending.all }

  /// How many updates wait for others. O(1).
  public var waitingUpdateCount: Int { pending.count }

  /// Takes out the updates that had waited for others and could not be merged when those had come, in
  /// order. They contradict what is known by now: an id was used twice. They are in no snapshot.
  public mutating func takeRefusedUpdates() -> [RefusedUpdate] {
    if pending.refused.isEmpty { return [] }
    defer { pending.refused = [] }
    return pending.refused
  }

  /// Takes out the updates that wait for others, in order of arrival.
  package mutating func takeWaitingUpdates() -> [Update] {
    if pending.isEmpty { return [] }
    let refused = pending.refused
    defer {
      pending = PendingUpdates()
      pending.refused = refused
    }
    return pending.all
  }

  /// Takes in updates that have waited in this document as it was before; what they wait for may be here now.
  mutating func wait(for updates: [Update]) {
    for update in updates {
      do throws(ApplyError) { _ = try merge(update, collecting: false) } catch {
        pending.refused.append(RefusedUpdate(update: update, error: error))
      }
    }
  }

  /// How many events wait for others. O(n log n) in the updates that wait. Events that wait in several updates count once per update.
  public var pendingEventCount: Int {
    var count = 0
    for update in pending.all {
      for span in update.spans {
        let known = history.graph.knownCount(of: span.replica)
        if known < span.seqs.upperBound {
          count += Int(span.seqs.upperBound - max(known, span.seqs.lowerBound))
        }
      }
    }
    return count
  }

  /// The unknown events that others wait for, ascending; those that these in turn may wait for are not known.
  public var missingEvents: [EventID] { pending.missing }
}
