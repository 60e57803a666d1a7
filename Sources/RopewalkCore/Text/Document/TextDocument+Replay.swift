extension TextDocument {
  /// Brings the present text up to date with the events from place `first` on, which the history holds already.
  mutating func replay(from first: UInt32, collecting: Bool) -> [TextPatch] {
    guard first < history.graph.count, let leastHead = history.graph.heads.first else { return [] }
    var target = PatchTarget(buffer: buffer, collects: collecting)
    buffer = TextBuffer()  // so that the target's is the only one and is changed in place
    let isIrregular = history.isIrregular
    history.isIrregular = history.withView { view in
      var replay = Replay(of: view, from: first, leastHead: leastHead, isIrregular: isIrregular)
      replay.run(into: &target)
      return replay.isIrregular
    }
    buffer = target.buffer
    return target.patches
  }
}
