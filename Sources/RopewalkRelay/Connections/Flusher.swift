import NIOCore

/// Flushes each socket that was written to once per tick of its loop.
///
/// A class because it gathers between ticks. `@unchecked Sendable` because each belongs to one loop and
/// only that loop's connections add to it, so everything that changes is touched on `loop` alone.
package final class Flusher: @unchecked Sendable {
  private let loop: any EventLoop
  private var dirty: [MessageSocket] = []

  package init(loop: any EventLoop) { self.loop = loop }

  func add(_ socket: MessageSocket) {
    dirty.append(socket)
    guard dirty.count == 1 else { return }
    loop.execute {
      let dirty = self.dirty
      self.dirty = []
      for socket in dirty { socket.flush() }
    }
  }
}
