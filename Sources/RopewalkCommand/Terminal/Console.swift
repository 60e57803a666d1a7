import Foundation

/// Standard output and standard error, unbuffered.
struct Console: Sendable {
  static let standard = Console(output: .standardOutput, problems: .standardError)

  /// Where results and problems go.
  let output: FileHandle
  let problems: FileHandle

  /// Whether people watch standard error, so that a progress line makes sense.
  let isWatched = isatty(STDERR_FILENO) == 1

  /// A line of result.
  func line(_ text: String) { write(text + "\n", to: output) }

  /// Text as it is.
  func raw(_ text: [UInt8]) { try? output.write(contentsOf: Data(text)) }

  /// A line about a problem.
  func problem(_ text: String) {
    clearProgress()
    write(text + "\n", to: problems)
  }

  /// Replaces the progress line. Nothing where nobody watches.
  func progress(_ text: String) {
    if isWatched { write("\r\u{1b}[2K" + text, to: problems) }
  }

  /// Removes the progress line.
  func clearProgress() {
    if isWatched { write("\r\u{1b}[2K", to: problems) }
  }

  private func write(_ text: String, to handle: FileHandle) { try? handle.write(contentsOf: Data(text.utf8)) }
}
