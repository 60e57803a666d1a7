import Synchronization

/// Stands between the slices that a client takes in, until a test opens it.
final class SliceGate: Sendable {
  private struct State {
    var isOpen = false
    var held: [CheckedContinuation<Void, Never>] = []
    var watchers: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  func pause() async {
    await withCheckedContinuation { continuation in
      let woken = state.withLock { state -> [CheckedContinuation<Void, Never>] in
        if state.isOpen { return [continuation] }
        state.held.append(continuation)
        defer { state.watchers = [] }
        return state.watchers
      }
      for continuation in woken { continuation.resume() }
    }
  }

  /// Waits until somebody stands before the gate.
  func isReached() async {
    await withCheckedContinuation { continuation in
      let isHere = state.withLock { state in
        if !state.held.isEmpty { return true }
        state.watchers.append(continuation)
        return false
      }
      if isHere { continuation.resume() }
    }
  }

  func open() {
    let held = state.withLock { state in
      state.isOpen = true
      defer { state.held = [] }
      return state.held
    }
    for continuation in held { continuation.resume() }
  }
}
