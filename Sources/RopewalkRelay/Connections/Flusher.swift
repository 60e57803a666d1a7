import NIOCore

/// Flushes each connection that was written to once per tick of its loop.
///
/// A class because it gathers between ticks. `@unchecked Sendable` because each belongs to one loop and
/// only that loop's connections add to it, so everything that changes is touched on `loop` alone.
final class Flusher: @unchecked Sendable {
  private let loop: any EventLoop
  private var dirty: [Connection] = []

  init(loop: any EventLoop) { self.loop = loop }

  func add(_ connection: Connection) {
    dirty.append(connection)
    guard dirty.count == 1 else { return }
    loop.execute {
      let dirty = self.dirty
      self.dirty = []
      for connection in dirty { connection.flush() }
    }
  }
}
