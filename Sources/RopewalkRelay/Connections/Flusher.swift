import NIOCore

/// Flushes each connection that was written to once per tick of its loop.
///
/// A class because it gathers between ticks; used on one loop.
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
