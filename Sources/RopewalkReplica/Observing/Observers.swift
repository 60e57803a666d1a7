import RopewalkCore
import RopewalkSync
import Synchronization

/// Everybody who watches a replica, in this process.
final class Observers: Sendable {
  struct Observer {
    let room: RoomName
    let name: DocumentName
    /// Nil for whatever the name means.
    let lineage: Lineage?
    let includesOwn: Bool
    let stream: AsyncStream<DocumentChange>.Continuation
  }

  private struct State {
    var next: UInt64 = 0
    var observers: [UInt64: Observer] = [:]
    var outboxes: [UInt64: AsyncStream<Void>.Continuation] = [:]
    var isClosed = false
  }

  private let state = Mutex(State())

  func observe(
    room: RoomName, name: DocumentName, lineage: Lineage?, includesOwn: Bool
  ) -> AsyncStream<DocumentChange> {
    let (stream, continuation) = AsyncStream.makeStream(of: DocumentChange.self)
    let observer = Observer(
      room: room, name: name, lineage: lineage, includesOwn: includesOwn, stream: continuation)
    let number = state.withLock { state -> UInt64? in
      guard !state.isClosed else { return nil }
      state.next += 1
      state.observers[state.next] = observer
      return state.next
    }
    guard let number else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { _ = $0.observers.removeValue(forKey: number) }
    }
    return stream
  }

  /// Fires, conflated, when an outbox may have grown.
  func outboxSignals() -> AsyncStream<Void> {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let number = state.withLock { state -> UInt64? in
      guard !state.isClosed else { return nil }
      state.next += 1
      state.outboxes[state.next] = continuation
      return state.next
    }
    guard let number else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { _ = $0.outboxes.removeValue(forKey: number) }
    }
    return stream
  }

  /// Whether anybody watches documents of this name, or, if `wantsOwn`, watches them for the replica's own
  /// edits.
  func watch(_ name: ReplicaState.Name, wantingOwn: Bool = false) -> Bool {
    state.withLock { state in
      state.observers.values.contains {
        $0.room == name.room && $0.name == name.name && ($0.includesOwn || !wantingOwn)
      }
    }
  }

  /// The names that are watched for whatever document they mean.
  var watchedNames: Set<ReplicaState.Name> {
    state.withLock { state in
      Set(
        state.observers.values.filter { $0.lineage == nil }.map {
          ReplicaState.Name(room: $0.room, name: $0.name)
        })
    }
  }

  func publish(_ change: DocumentChange, isCurrent: Bool) {
    let streams = state.withLock { state in
      state.observers.values.filter { observer in
        guard observer.room == change.room, observer.name == change.key.name else { return false }
        guard change.origin != .edit || observer.includesOwn else { return false }
        return observer.lineage.map { $0 == change.key.lineage } ?? isCurrent
      }.map { $0.stream }
    }
    for stream in streams { stream.yield(change) }
  }

  func signalOutbox() {
    let streams = state.withLock { Array($0.outboxes.values) }
    for stream in streams { stream.yield() }
  }

  func finish() {
    let (observers, outboxes) = state.withLock { state in
      state.isClosed = true
      defer {
        state.observers = [:]
        state.outboxes = [:]
      }
      return (state.observers.values.map { $0.stream }, Array(state.outboxes.values))
    }
    for stream in observers { stream.finish() }
    for stream in outboxes { stream.finish() }
  }
}
