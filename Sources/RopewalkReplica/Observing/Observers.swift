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
    let stream: AsyncStream<DocumentChange>.Continuation
    /// How long the text is that the delivered changes make.
    var scalarCount: Int

    func isAddressed(by change: NotedChange) -> Bool {
      guard room == change.room, name == change.key.name else { return false }
      return switch change.audience {
      case .all: lineage == nil || lineage == change.key.lineage
      case .pinned: lineage == change.key.lineage
      case .names: lineage == nil
      }
    }
  }

  private struct State {
    var next: UInt64 = 0
    var observers: [UInt64: Observer] = [:]
    var outboxes: [UInt64: AsyncStream<Void>.Continuation] = [:]
    var isClosed = false
  }

  private let state = Mutex(State())

  /// Adds an observer, who has seen a text of so many scalars.
  func add(
    _ stream: AsyncStream<DocumentChange>.Continuation, room: RoomName, name: DocumentName, lineage: Lineage?,
    scalarCount: Int
  ) {
    let observer = Observer(
      room: room, name: name, lineage: lineage, stream: stream, scalarCount: scalarCount)
    let number = state.withLock { state -> UInt64? in
      guard !state.isClosed else { return nil }
      state.next += 1
      state.observers[state.next] = observer
      return state.next
    }
    guard let number else { return stream.finish() }
    stream.onTermination = { [weak self] _ in
      self?.state.withLock { _ = $0.observers.removeValue(forKey: number) }
    }
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

  /// Whether anybody watches documents of this name.
  func watch(_ name: ReplicaState.Name) -> Bool {
    state.withLock { state in
      state.observers.values.contains { $0.room == name.room && $0.name == name.name }
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

  func publish(_ change: NotedChange) {
    let deliveries = state.withLock { state in
      var deliveries: [(AsyncStream<DocumentChange>.Continuation, DocumentChange)] = []
      for (number, observer) in state.observers where observer.isAddressed(by: change) {
        let patches = change.patches(toScalars: observer.scalarCount)
        let growth = patches.reduce(0) { $0 + TextPatch.scalars($1.inserted[...]) - $1.deleted }
        assert(observer.scalarCount + growth == change.scalarCount, "the patches do not give the text")
        state.observers[number]?.scalarCount = change.scalarCount
        if patches.isEmpty { continue }
        let delivery = DocumentChange(
          origin: change.origin, room: change.room, key: change.key, patches: patches)
        deliveries.append((observer.stream, delivery))
      }
      return deliveries
    }
    for (stream, change) in deliveries { stream.yield(change) }
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
