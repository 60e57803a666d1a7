import RopewalkCore

extension TextDocument {
  /// Makes recorded edits, one after the other. Throws when one reaches beyond the end of the text.
  mutating func perform(
    _ patches: [TracePatch], at place: (Int) -> String
  ) throws(TraceError) {
    for (index, patch) in patches.enumerated() {
      let end = patch.position + patch.deleted
      guard end <= scalarCount else {
        throw TraceError(.outOfBounds(end: end, length: scalarCount), at: place(index))
      }
      if patch.deleted > 0 { delete(patch.position..<end) }
      if !patch.inserted.isEmpty { insert(patch.inserted, at: patch.position) }
    }
  }

  /// Takes in what another document has, as an update on the wire would bring it.
  mutating func takeIn(_ update: Update, at place: @autoclosure () -> String) throws(TraceError) {
    do {
      _ = try apply(update)
    } catch {
      throw TraceError(.engine("\(error)"), at: place())
    }
  }
}
