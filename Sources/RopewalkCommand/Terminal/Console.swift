import ArgumentParser
import Foundation
import RopewalkPlainText
import Synchronization

/// Standard output and standard error, unbuffered.
///
/// Whatever is in a line, it stays one line and does nothing to a terminal: `VisibleText`.
struct Console: Sendable {
  static let standard = Console(output: .standardOutput, problems: .standardError)

  /// Where results and problems go.
  let output: FileHandle
  let problems: FileHandle

  /// Whether people watch standard error, so that a progress line makes sense.
  let isWatched = isatty(STDERR_FILENO) == 1

  /// The first failure of standard output.
  private static let outputFault = Atomic<Int32>(0)

  /// A line of result.
  func line(_ text: String) { raw(Array((VisibleText.line(text) + "\n").utf8)) }

  /// A document's text as it is: the one thing that is not made safe for a terminal.
  func raw(_ text: [UInt8]) {
    let fault = Self.write(text, to: output.fileDescriptor)
    if fault != 0 {
      _ = Self.outputFault.compareExchange(expected: 0, desired: fault, ordering: .relaxed)
    }
  }

  /// A line about a problem.
  func problem(_ text: String) {
    clearProgress()
    _ = Self.write(Array((VisibleText.line(text) + "\n").utf8), to: problems.fileDescriptor)
  }

  /// Replaces the progress line. Nothing where nobody watches.
  func progress(_ text: String) {
    if isWatched {
      _ = Self.write(Array(("\r\u{1b}[2K" + VisibleText.line(text)).utf8), to: problems.fileDescriptor)
    }
  }

  /// Removes the progress line.
  func clearProgress() {
    if isWatched { _ = Self.write(Array("\r\u{1b}[2K".utf8), to: problems.fileDescriptor) }
  }

  /// Throws if some of the output was lost: a command that has not said all that it should has failed. Whoever
  /// closed a pipe has seen enough, as with other programs.
  func checkOutput() throws {
    let fault = Self.outputFault.load(ordering: .relaxed)
    if fault == EPIPE { throw ExitCode.brokenPipe }
    if fault != 0 {
      throw Failure(.file, "standard output cannot be written (\(String(cString: strerror(fault))))")
    }
  }

  /// Returns the system's number for what went wrong, or 0.
  private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let count = Foundation.write(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
        if count < 0 {
          if errno == EINTR { continue }
          guard errno == EAGAIN else { return errno }
          // A terminal that another program has made non-blocking.
          var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          _ = poll(&wait, 1, 1000)
          continue
        }
        done += count
      }
      return 0
    }
  }
}

extension ExitCode {
  /// As a shell gives it for a program that SIGPIPE ends.
  fileprivate static let brokenPipe = ExitCode(128 + SIGPIPE)
}
