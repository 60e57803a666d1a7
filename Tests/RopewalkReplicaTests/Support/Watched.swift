import RopewalkReplica

/// The text that someone shows who makes every patch to what was there at first. To be drained when the
/// replica is closed.
struct Watched {
  private let text: String
  private let changes: AsyncStream<DocumentChange>

  init(_ observation: (text: String, changes: AsyncStream<DocumentChange>)) {
    (text, changes) = observation
  }

  /// Nil if a patch lies outside the text.
  func drained() async -> String? {
    var scalars = Array(text.unicodeScalars)
    for await change in changes {
      for patch in change.patches {
        guard patch.position >= 0, patch.deleted >= 0, patch.position + patch.deleted <= scalars.count else {
          return nil
        }
        scalars.replaceSubrange(
          patch.position..<patch.position + patch.deleted, with: patch.insertedText.unicodeScalars)
      }
    }
    var result = String.UnicodeScalarView()
    result.append(contentsOf: scalars)
    return String(result)
  }
}
