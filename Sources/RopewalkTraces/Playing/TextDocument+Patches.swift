import RopewalkCore

extension TextDocument {
  /// Makes recorded edits, one after the other. Needs `replica`.
  ///
  /// Throws when one reaches beyond the end of the text; those before it are made then.
  /// - Parameter place: names the patch of this index in an error.
  public mutating func perform(
    _ patches: some Sequence<TracePatch>, at place: (Int) -> String
  ) throws(TraceError) {
    var index = 0
    for patch in patches {
      let end = patch.position + patch.deleted
      guard end <= scalarCount else {
        throw TraceError(.outOfBounds(end: end, length: scalarCount), at: place(index))
      }
      if patch.deleted > 0 { delete(patch.position..<end) }
      if !patch.inserted.isEmpty { insert(patch.inserted, at: patch.position) }
      index += 1
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
