import NIOConcurrencyHelpers
import NIOCore
import Synchronization

/// Whether the relay should be given work: it is not stopping, and its log can be written.
final class Readiness: Sendable {
  private struct Probes {
    var asked: UInt64?
    var result = true
    var waiting: [EventLoopPromise<Bool>] = []
  }

  private let draining = Atomic(false)
  private let probes = NIOLockedValueBox(Probes())
  private let log: any RelayLog
  private let now: @Sendable () -> UInt64

  /// The log is asked at most so often, in milliseconds, however many ask here.
  static let interval: UInt64 = 1000
  /// A log that does not answer for so long is not ready.
  private static let patience = TimeAmount.seconds(3)

  init(log: any RelayLog, now: @escaping @Sendable () -> UInt64) {
    self.log = log
    self.now = now
  }

  /// The relay is stopping.
  var isDraining: Bool { draining.load(ordering: .relaxed) }

  func drain() { draining.store(true, ordering: .relaxed) }

  /// Why the relay is not ready; nil if it is.
  func check(on loop: any EventLoop) -> EventLoopFuture<String?> {
    if isDraining { return loop.makeSucceededFuture("draining") }
    let promise = loop.makePromise(of: Bool.self)
    let now = now()
    enum Next { case wait, answer(Bool), ask }
    let next: Next = probes.withLockedValue { probes in
      if !probes.waiting.isEmpty {
        probes.waiting.append(promise)
        return .wait
      }
      if let asked = probes.asked, now < asked + Self.interval { return .answer(probes.result) }
      probes.asked = now
      probes.waiting = [promise]
      return .ask
    }
    switch next {
    case .wait: break
    case .answer(let result): promise.succeed(result)
    case .ask: log.probe { self.answered((try? $0.get()) != nil) }
    }
    let answer = loop.makePromise(of: String?.self)
    let timer = loop.scheduleTask(in: Self.patience) { answer.succeed("log not answering") }
    promise.futureResult.whenComplete { result in
      timer.cancel()
      answer.succeed((try? result.get()) == true ? nil : "log not writable")
    }
    return answer.futureResult
  }

  private func answered(_ result: Bool) {
    let waiting = probes.withLockedValue { probes in
      probes.result = result
      defer { probes.waiting = [] }
      return probes.waiting
    }
    for promise in waiting { promise.succeed(result) }
  }
}
