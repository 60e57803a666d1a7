import Foundation

/// Results on standard output; a progress line on standard error where somebody watches.
enum Terminal {
  static let isWatched = isatty(STDERR_FILENO) == 1

  static func line(_ text: String = "") { write(text + "\n", to: .standardOutput) }

  static func progress(_ text: String?) {
    if isWatched, let text { write("\r\u{1b}[2K" + text, to: .standardError) }
  }

  static func clearProgress() {
    if isWatched { write("\r\u{1b}[2K", to: .standardError) }
  }

  static func problem(_ text: String) {
    clearProgress()
    write("ropewalk-bench: " + text + "\n", to: .standardError)
  }

  private static func write(_ text: String, to handle: FileHandle) {
    try? handle.write(contentsOf: Data(text.utf8))
  }
}
