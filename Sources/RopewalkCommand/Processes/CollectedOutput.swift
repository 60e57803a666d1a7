import Foundation
import Synchronization

/// What comes out of a pipe, as text, with a way to wait for it.
final class CollectedOutput: Sendable {
  private struct Waiter {
    let isSatisfied: (String) -> Bool
    let continuation: CheckedContinuation<Void, Never>
  }

  private struct State {
    var bytes: [UInt8] = []
    var hasEnded = false
    var waiters: [Waiter] = []
    var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  private let state = Mutex(State())

  /// Everything so far.
  var text: String { state.withLock { $0.text } }

  /// Reads a descriptor to its end, on a thread of its own, and closes it.
  func collect(_ descriptor: Int32) {
    Thread.detachNewThread {
      var buffer = [UInt8](repeating: 0, count: 1 << 14)
      while true {
        let count = read(descriptor, &buffer, buffer.count)
        if count > 0 { self.take(buffer[..<count]) }
        if count == 0 || (count < 0 && errno != EINTR) { break }
      }
      close(descriptor)
      self.end()
    }
  }

  func end() {
    wake { $0.hasEnded = true }
  }

  private func take(_ bytes: ArraySlice<UInt8>) {
    wake { $0.bytes += bytes }
  }

  private func wake(_ change: @Sendable (inout State) -> Void) {
    let satisfied = state.withLock { state in
      change(&state)
      let text = state.text
      let hasEnded = state.hasEnded
      let satisfied = state.waiters.filter { hasEnded || $0.isSatisfied(text) }.map(\.continuation)
      state.waiters.removeAll { hasEnded || $0.isSatisfied(text) }
      return satisfied
    }
    for continuation in satisfied { continuation.resume() }
  }

  /// Waits until the text is as wanted, or the output ends.
  func wait(until isSatisfied: @escaping @Sendable (String) -> Bool) async {
    await withCheckedContinuation { continuation in
      let isReady = state.withLock { state in
        if state.hasEnded || isSatisfied(state.text) { return true }
        state.waiters.append(Waiter(isSatisfied: isSatisfied, continuation: continuation))
        return false
      }
      if isReady { continuation.resume() }
    }
  }

  func untilEnd() async { await wait { _ in false } }

  /// Waits for a whole line that begins so; nil if the output ends without.
  func line(beginning prefix: String) async -> String? {
    await wait { Self.line(beginning: prefix, in: $0) != nil }
    return Self.line(beginning: prefix, in: text)
  }

  private static func line(beginning prefix: String, in text: String) -> String? {
    text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().first { $0.hasPrefix(prefix) }
      .map(String.init)
  }
}
