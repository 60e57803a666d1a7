import NIOConcurrencyHelpers
import NIOCore
import Synchronization

/// Counts sockets and decides whether one more is taken. Shared by all loops.
final class Admission: Sendable {
  enum Verdict: Hashable, Sendable {
    case admit
    /// One too many: told so over HTTP, and closed.
    case refuse
    /// Far too many: closed at once.
    case drop
  }

  /// The most sockets that are served.
  let limit: Int
  private let sockets = Atomic(0)
  private let strangers = Atomic(0)
  private let mostStrangers: Int
  private let gates = NIOLockedValueBox<[AcceptGate.Handle]>([])

  /// So many beyond the limit are told why they are not served.
  private static let courtesy = 64

  /// As many sockets as are wanted, or as the system's limit of open files leaves beside the log and those
  /// who are told that they are too many: a relay that has no file left could not even do that.
  static func limit(_ wanted: Int, files: UInt64?) -> Int {
    files.map { max(1, min(wanted, Int(clamping: $0) - 128)) } ?? wanted
  }

  /// - Parameter mostStrangers: while so many sockets have not shown a token that holds, no further ones
  /// are accepted; they
  ///   wait in the system's queue.
  init(limit: Int, mostStrangers: Int) {
    self.limit = limit
    self.mostStrangers = mostStrangers
  }

  /// How many sockets are open.
  var open: Int { sockets.load(ordering: .relaxed) }

  /// A socket was accepted.
  func enter() -> Verdict {
    strangers.add(1, ordering: .relaxed)
    let count = sockets.add(1, ordering: .relaxed).newValue
    if count <= limit { return .admit }
    return count <= limit + Self.courtesy ? .refuse : .drop
  }

  /// A socket was closed.
  func leave(wasStranger: Bool) {
    sockets.subtract(1, ordering: .relaxed)
    if wasStranger { greeted() }
  }

  /// A connection has shown a token that holds.
  func greeted() {
    strangers.subtract(1, ordering: .sequentiallyConsistent)
    guard hasRoom else { return }
    let held = gates.withLockedValue { gates in
      defer { gates = [] }
      return gates
    }
    for gate in held { gate.resume() }
  }

  /// Whether another socket may be accepted now.
  var hasRoom: Bool { strangers.load(ordering: .sequentiallyConsistent) < mostStrangers }

  /// Resumes the gate when there is room.
  func wake(_ gate: AcceptGate.Handle) {
    gates.withLockedValue { $0.append(gate) }
    // It may have become free in between.
    guard hasRoom else { return }
    let held = gates.withLockedValue { gates in
      defer { gates = [] }
      return gates
    }
    for gate in held { gate.resume() }
  }
}

/// Stands in a listening channel and accepts nobody while too many strangers are being looked at.
final class AcceptGate: ChannelOutboundHandler {
  typealias OutboundIn = Never

  /// Resumes a gate from another loop.
  struct Handle: Sendable {
    fileprivate let gate: NIOLoopBound<AcceptGate>

    func resume() {
      let gate = gate
      gate.eventLoop.execute { gate.value.resume() }
    }
  }

  private let admission: Admission
  private var context: ChannelHandlerContext?
  private var isHeld = false

  init(_ admission: Admission) { self.admission = admission }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func read(context: ChannelHandlerContext) {
    guard !isHeld else { return }
    if admission.hasRoom { return context.read() }
    isHeld = true
    admission.wake(Handle(gate: NIOLoopBound(self, eventLoop: context.eventLoop)))
  }

  private func resume() {
    guard isHeld, let context else { return }
    isHeld = false
    read(context: context)
  }
}
