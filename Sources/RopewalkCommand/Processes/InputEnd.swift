import Foundation

/// The end of standard input, by which a child learns that its parent is gone: the parent holds the other
/// end of a pipe, and the system closes that however the parent ends.
enum InputEnd {
  /// Sends SIGTERM to this process when its standard input ends. What comes before that is thrown away.
  static func terminates() {
    Thread.detachNewThread {
      var buffer = [UInt8](repeating: 0, count: 256)
      while true {
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        if count == 0 || (count < 0 && errno != EINTR) { break }
      }
      kill(getpid(), SIGTERM)
    }
  }
}
