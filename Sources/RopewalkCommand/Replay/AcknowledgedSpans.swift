import Ropewalk
import Synchronization

/// The events that the relay has acknowledged to anybody: they must never be missing again.
final class AcknowledgedSpans: Sendable {
  private let spans = Mutex<[EventSpan]>([])

  func insert(_ span: EventSpan) { spans.withLock { $0.append(span) } }

  var count: Int { spans.withLock { $0.count } }

  /// How many of them a document lacks.
  func missing(from document: TextDocument) -> Int {
    let known = document.versionVector
    return spans.withLock { spans in spans.count { known[$0.replica] < $0.seqs.upperBound } }
  }
}
