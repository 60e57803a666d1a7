/// What a client sends: an operation, and the revision whose text it was made at.
public struct Submission: Hashable, Sendable {
  /// Who.
  public let author: UInt32
  /// Counts the author's submissions from 1, so that one sent twice is recognised.
  public let number: UInt32
  /// How many operations of the server's history were in the text.
  public let revision: Int
  /// The change.
  public let operation: TextOperation
}

/// One operation of the server's history, which brings every client from one revision to the next.
public struct Revision: Hashable, Sendable {
  /// Who.
  public let author: UInt32
  /// The author's number of it.
  public let number: UInt32
  /// The change, to the text of the revision before.
  public let operation: TextOperation
}

/// Why a submission was not taken.
public enum SubmissionError: Error, Hashable, Sendable {
  /// The revision is not one of the history.
  case unknownRevision
  /// The operation reaches beyond the text it was made at.
  case beyondEnd
  /// The author's submissions did not come in order.
  case outOfOrder
}
