extension TextDocument {
  /// Brings the present text up to date with the events from place `first` on, which the history holds
  /// already.
  mutating func replay(from first: UInt32, collecting: Bool) -> [TextPatch] {
    guard first < history.graph.count, let leastHead = history.graph.heads.first else { return [] }
    buffer.settle()
    var target = PatchTarget(buffer: buffer, collects: collecting)
    buffer = TextBuffer()  // so that the target's is the only one and is changed in place
    let wasIrregular = history.isIrregular
    var walker = first > 0 ? warmWalker.take() : nil
    let (isIrregular, isContradicted) = history.withView { view in
      var replay = Replay(
        of: view, from: first, leastHead: leastHead, isIrregular: wasIrregular, walker: walker.take())
      replay.run(into: &target)
      let result = (replay.isIrregular, replay.isContradicted)
      walker = replay.finish()
      return result
    }
    warmWalker.store(walker)
    history.isIrregular = isIrregular
    target.finish()
    buffer = target.buffer
    return isContradicted ? rebuild(collecting: collecting) : target.patches
  }

  /// Makes the text anew from the history. Only a snapshot that somebody forged holds a text that its history
  /// contradicts, and then the history counts.
  private mutating func rebuild(collecting: Bool) -> [TextPatch] {
    let length = buffer.scalarCount
    buffer = TextBuffer()
    history.isIrregular = false
    _ = replay(from: 0, collecting: false)
    return collecting ? [TextPatch(position: 0, deleted: length, inserted: utf8)] : []
  }
}
