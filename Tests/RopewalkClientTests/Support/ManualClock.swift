import Synchronization

/// A clock that stands until a test moves it on.
final class ManualClock: Sendable {
  private struct Sleeper {
    let due: UInt64
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var now: UInt64 = 1000
    var next = 0
    var sleepers: [Int: Sleeper] = [:]
    var cancelled: Set<Int> = []
    var watchers: [(least: UInt64, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Mutex(State())

  var now: UInt64 { state.withLock { $0.now } }

  /// Sleeps until the clock was moved so far; throws when cancelled.
  func sleep(_ milliseconds: UInt64) async throws {
    let number = state.withLock { state in
      state.next += 1
      return state.next
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let isCancelled = state.withLock { state -> Bool in
          if state.cancelled.remove(number) != nil { return true }
          let (due, overflow) = state.now.addingReportingOverflow(milliseconds)
          state.sleepers[number] = Sleeper(due: overflow ? .max : due, continuation: continuation)
          for watcher in state.watchers where watcher.least == milliseconds { watcher.continuation.resume() }
          state.watchers.removeAll { $0.least == milliseconds }
          return false
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) }
      }
    } onCancel: {
      let sleeper = state.withLock { state in
        let sleeper = state.sleepers.removeValue(forKey: number)
        if sleeper == nil { state.cancelled.insert(number) }
        return sleeper
      }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }

  /// Waits until somebody sleeps just so long from now.
  func someoneSleeps(_ milliseconds: UInt64) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.sleepers.values.contains(where: { $0.due == state.now &+ milliseconds }) { return true }
        state.watchers.append((milliseconds, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  /// Moves the clock on and wakes whose time has come.
  func advance(by milliseconds: UInt64) {
    let woken = state.withLock { state in
      state.now += milliseconds
      let woken = state.sleepers.filter { $0.value.due <= state.now }
      for number in woken.keys { state.sleepers[number] = nil }
      return woken.values.map { $0.continuation }
    }
    for continuation in woken { continuation.resume() }
  }
}
