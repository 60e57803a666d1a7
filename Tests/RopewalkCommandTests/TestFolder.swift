import Foundation

@testable import RopewalkCommand

/// A folder for one test, removed at its end.
final class TestFolder: Sendable {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
      .appendingPathComponent("ropewalk-test-\(UInt64.random(in: 0 ... .max))").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  subscript(name: String) -> String { "\(path)/\(name)" }

  func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

  /// As an editor saves that writes in place.
  func write(_ bytes: [UInt8], to name: String) throws {
    // Not inherited by programs that other tests start meanwhile.
    let descriptor = open(self[name], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
    defer { close(descriptor) }
    guard FileBytes.write(bytes, to: descriptor) else { throw CocoaError(.fileWriteUnknown) }
  }

  /// As an editor saves that renames a finished file over the old one.
  func replace(_ name: String, by text: String) throws {
    try write(text, to: name + "~")
    guard rename(self[name + "~"], self[name]) == 0 else { throw CocoaError(.fileWriteUnknown) }
  }

  func text(_ name: String) -> String? {
    FileManager.default.contents(atPath: self[name]).map { String(decoding: $0, as: UTF8.self) }
  }

  var names: Set<String> { Set((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []) }
}
