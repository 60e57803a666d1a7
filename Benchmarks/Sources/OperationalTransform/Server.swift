/// The server of a shared text, which decides the order of all operations and transforms each into it.
///
/// It keeps the present text and every operation since the beginning. A client may be as far behind as it likes;
/// its operation is transformed over all that came meanwhile.
public struct Server: Sendable {
  /// The present text.
  public private(set) var text: ChunkedText
  /// All operations in order; applied to the first text they give the present one.
  public private(set) var history: [Revision] = []
  /// Length of the text per revision, in scalars, to check an operation against the text it was made at.
  private var lengths: [Int]
  private var lastNumbers: [UInt32: UInt32] = [:]

  /// Begins with a text.
  public init(_ initial: String = "") {
    text = ChunkedText(initial)
    lengths = [text.count]
  }

  /// How many operations there were.
  public var revision: Int { history.count }

  /// Takes in an operation; returns it as it goes into the history and to every client, the author included, for whom it
  /// is the acknowledgement. Nil for one that was taken in before.
  ///
  /// Where two insert at one place, the text of the one that came first stands first. O(operations since the
  /// submission's revision).
  public mutating func receive(_ submission: Submission) throws(SubmissionError) -> Revision? {
    let last = lastNumbers[submission.author] ?? 0
    guard submission.number > last else { return nil }
    guard submission.number == last + 1 else { throw .outOfOrder }
    guard (0...history.count).contains(submission.revision) else { throw .unknownRevision }
    guard submission.operation.requiredLength <= lengths[submission.revision] else { throw .beyondEnd }
    var operation = submission.operation
    for earlier in history[submission.revision...] {
      operation = operation.transformed(over: earlier.operation, goesFirst: false)
    }
    text.apply(operation)
    let revision = Revision(author: submission.author, number: submission.number, operation: operation)
    history.append(revision)
    lengths.append(text.count)
    lastNumbers[submission.author] = submission.number
    return revision
  }
}
