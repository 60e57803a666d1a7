/// A client of a shared text: edits show at once, at most one operation is on its way to the server, and what is
/// edited meanwhile waits in a buffer.
///
/// ```
///   server's text ──inFlight──▶ ──buffer──▶ text shown
///        │ a revision comes          every step becomes what it is after the revision, and the
///        ▼                           revision what it is after every step
///   new text ───inFlight'─▶ ──buffer'─▶ new text shown
/// ```
public struct Client: Sendable {
  /// How edits wait.
  public enum Buffering: Sendable {
    /// As one operation, as ot.js and Wave do it: cheap to transform, but the order and number of the edits inside is
    /// lost to the history.
    case composed
    /// Each on its own, so that the history keeps every edit: each must be transformed by itself.
    case separate
  }

  /// Who this is; unique among the clients.
  public let author: UInt32
  /// How edits wait.
  public let buffering: Buffering
  /// The text shown.
  public private(set) var text: ChunkedText
  /// How many revisions are in it.
  public private(set) var revision: Int
  /// Edits are sent as they are made. When it turns true, take in what was missed first and `flush` then.
  public var isConnected = true

  private var inFlight: TextOperation?
  private var buffer = EditBuffer()
  private var queue: [TextOperation] = []
  /// Edits of `queue` before this place were sent.
  private var queueStart = 0
  private var number: UInt32 = 0

  /// A client that shows a revision's text.
  public init(author: UInt32, text: ChunkedText, revision: Int = 0, buffering: Buffering = .composed) {
    self.author = author
    self.text = text
    self.revision = revision
    self.buffering = buffering
  }

  /// Nothing waits for the server.
  public var isSynchronized: Bool { inFlight == nil && !hasBuffered }

  private var hasBuffered: Bool { !buffer.isEmpty || queueStart < queue.count }

  /// Makes an edit; returns what to send, if anything.
  public mutating func edit(_ operation: TextOperation) -> Submission? {
    text.apply(operation)
    switch buffering {
    case .composed: buffer.append(operation)
    case .separate: queue.append(operation)
    }
    return flush()
  }

  /// What to send next, if nothing is on its way.
  public mutating func flush() -> Submission? {
    guard isConnected, inFlight == nil, hasBuffered else { return nil }
    let operation: TextOperation
    switch buffering {
    case .composed: operation = buffer.removeAll()
    case .separate:
      operation = queue[queueStart]
      queueStart += 1
      if queueStart == queue.count { (queue, queueStart) = ([], 0) }
    }
    inFlight = operation
    number += 1
    return Submission(author: author, number: number, revision: revision, operation: operation)
  }

  /// Takes in the next revision of the server. Returns the change to the text shown, empty for an own one, and what to
  /// send next, if anything. O(size of what waits).
  public mutating func receive(_ next: Revision) -> (change: TextOperation, submission: Submission?) {
    revision += 1
    if next.author == author {
      inFlight = nil
      return (TextOperation(), flush())
    }
    var change = next.operation
    if let mine = inFlight { inFlight = Self.bridge(&change, mine) }
    switch buffering {
    case .composed:
      if !buffer.isEmpty { buffer.replace(with: Self.bridge(&change, buffer.flatten())) }
    case .separate:
      for place in queueStart..<queue.count { queue[place] = Self.bridge(&change, queue[place]) }
    }
    text.apply(change)
    return (change, nil)
  }

  /// Carries a revision over an own operation; returns what that becomes. The server's goes first.
  private static func bridge(_ change: inout TextOperation, _ mine: TextOperation) -> TextOperation {
    let (theirs, ours) = TextOperation.transform(change, mine)
    change = theirs
    return ours
  }
}
