import Foundation
import Logging

/// Logs one JSON object per line to standard error.
struct JSONLogHandler: LogHandler {
  let label: String
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]

  private struct Line: Encodable {
    let time: String
    let level: String
    let logger: String
    let message: String
    let metadata: [String: String]?
  }

  init(label: String) { self.label = label }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let text = Self.line(event, label: label, metadata: metadata, at: Date())
    try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
  }

  static func line(_ event: LogEvent, label: String, metadata: Logger.Metadata, at moment: Date) -> String {
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    let line = Line(
      time: moment.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)),
      level: event.level.rawValue,
      logger: label, message: "\(event.message)", metadata: all.isEmpty ? nil : all.mapValues { "\($0)" })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(line)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}
