import Foundation

/// Tells when something may have happened to a file: by inotify on Linux, else by looking several times a second.
final class FileWatcher: Sendable {
  /// One element per change or several; never more than one waits.
  let changes: AsyncStream<Void>
  private let stop: @Sendable () -> Void

  /// Watches the folder for anything that happens to entries of these names.
  ///
  /// - Parameter polls: looks several times a second even where the system could tell.
  init(folder: String, names: Set<String>, polls: Bool = false) {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    changes = stream
    #if os(Linux)
      if !polls, let stop = Self.notify(folder, names, continuation) {
        self.stop = stop
        return
      }
    #endif
    stop = Self.poll(names.map { "\(folder)/\($0)" }, continuation)
  }

  deinit { stop() }

  private static func poll(
    _ paths: [String], _ continuation: AsyncStream<Void>.Continuation
  ) -> @Sendable () -> Void {
    let task = Task.detached {
      var last: [Double] = []
      while !Task.isCancelled {
        let now = paths.flatMap { path -> [Double] in
          var status = stat()
          guard stat(path, &status) == 0 else { return [-1] }
          return [Double(status.st_ino), Double(status.st_size), FileBytes.modified(status)]
        }
        if now != last { continuation.yield() }
        last = now
        try? await Task.sleep(for: .milliseconds(150))
      }
      continuation.finish()
    }
    return { task.cancel() }
  }

  #if os(Linux)
    private static func notify(
      _ folder: String, _ names: Set<String>, _ continuation: AsyncStream<Void>.Continuation
    ) -> (@Sendable () -> Void)? {
      let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
      guard descriptor >= 0 else { return nil }
      let mask = UInt32(
        IN_CLOSE_WRITE | IN_CLOSE_NOWRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB)
      guard inotify_add_watch(descriptor, folder, mask) >= 0 else {
        close(descriptor)
        return nil
      }
      let source = DispatchSource.makeReadSource(
        fileDescriptor: descriptor, queue: DispatchQueue(label: "ropewalk.file-watcher"))
      source.setEventHandler {
        if Self.touched(descriptor, names) { continuation.yield() }
      }
      source.setCancelHandler {
        close(descriptor)
        continuation.finish()
      }
      source.resume()
      // Dispatch sources may be used from any thread; the type just does not say so.
      nonisolated(unsafe) let cancellable = source
      return { cancellable.cancel() }
    }

    /// Takes all waiting events; whether one of them names a watched entry, or some were lost.
    private static func touched(_ descriptor: Int32, _ names: Set<String>) -> Bool {
      var isTouched = false
      var buffer = [UInt8](repeating: 0, count: 1 << 14)
      while true {
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return isTouched }
        var place = 0
        let header = MemoryLayout<inotify_event>.size
        while place + header <= count {
          let event = buffer.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: place, as: inotify_event.self)
          }
          let end = min(count, place + header + Int(event.len))
          let name = buffer[place + header..<end].prefix { $0 != 0 }
          // An overflow of the queue has no name.
          if name.isEmpty || names.contains(String(decoding: name, as: UTF8.self)) { isTouched = true }
          place = end
        }
      }
    }
  #endif
}
