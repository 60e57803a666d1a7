import RopewalkSync
import Synchronization

/// Everybody who listens to a client.
final class ClientHub: Sendable {
  private struct Listeners<Value: Sendable> {
    var next: UInt64 = 0
    var streams: [UInt64: AsyncStream<Value>.Continuation] = [:]
  }

  private struct State {
    var state = ConnectionState.offline(nil)
    var presence: [RoomName: [Presence]] = [:]
    var roles: [RoomName: Role] = [:]
    var states = Listeners<ConnectionState>()
    var events = Listeners<ClientEvent>()
    var presences: [RoomName: Listeners<[Presence]>] = [:]
    var isClosed = false
  }

  private let state = Mutex(State())

  var connectionState: ConnectionState { state.withLock { $0.state } }

  func setConnectionState(_ new: ConnectionState) {
    state.withLock { state in
      guard state.state != new else { return }
      state.state = new
      for stream in state.states.streams.values { stream.yield(new) }
      for stream in state.events.streams.values { stream.yield(.state(new)) }
    }
  }

  func role(in room: RoomName) -> Role? { state.withLock { $0.roles[room] } }

  func setRole(_ role: Role?, in room: RoomName) { state.withLock { $0.roles[room] = role } }

  func publish(_ event: ClientEvent) {
    state.withLock { state in
      for stream in state.events.streams.values { stream.yield(event) }
    }
  }

  func setPresence(_ members: [Presence], in room: RoomName) {
    state.withLock { state in
      guard state.presence[room, default: []] != members else { return }
      state.presence[room] = members
      for stream in (state.presences[room]?.streams ?? [:]).values { stream.yield(members) }
    }
  }

  // MARK: Streams

  func states() -> AsyncStream<ConnectionState> {
    let (stream, continuation) = AsyncStream.makeStream(of: ConnectionState.self)
    let number = state.withLock { state -> UInt64? in
      continuation.yield(state.state)
      return state.isClosed ? nil : Self.add(continuation, to: &state.states)
    }
    guard let number else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { _ = $0.states.streams.removeValue(forKey: number) }
    }
    return stream
  }

  func events() -> AsyncStream<ClientEvent> {
    let (stream, continuation) = AsyncStream.makeStream(of: ClientEvent.self)
    let number = state.withLock { $0.isClosed ? nil : Self.add(continuation, to: &$0.events) }
    guard let number else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { _ = $0.events.streams.removeValue(forKey: number) }
    }
    return stream
  }

  func presence(in room: RoomName) -> AsyncStream<[Presence]> {
    // Lossy as presence is: who is slow sees the newest.
    let (stream, continuation) = AsyncStream.makeStream(
      of: [Presence].self, bufferingPolicy: .bufferingNewest(1))
    let number = state.withLock { state -> UInt64? in
      continuation.yield(state.presence[room] ?? [])
      return state.isClosed
        ? nil : Self.add(continuation, to: &state.presences[room, default: Listeners<[Presence]>()])
    }
    guard let number else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { _ = $0.presences[room]?.streams.removeValue(forKey: number) }
    }
    return stream
  }

  func finish() {
    let finished = state.withLock { state in
      defer {
        state.isClosed = true
        state.states.streams = [:]
        state.events.streams = [:]
        state.presences = [:]
      }
      return (
        Array(state.states.streams.values), Array(state.events.streams.values),
        state.presences.values.flatMap { Array($0.streams.values) }
      )
    }
    for stream in finished.0 { stream.finish() }
    for stream in finished.1 { stream.finish() }
    for stream in finished.2 { stream.finish() }
  }

  private static func add<Value>(
    _ continuation: AsyncStream<Value>.Continuation, to listeners: inout Listeners<Value>
  ) -> UInt64 {
    listeners.next += 1
    listeners.streams[listeners.next] = continuation
    return listeners.next
  }
}
