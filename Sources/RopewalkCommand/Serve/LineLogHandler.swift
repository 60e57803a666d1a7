import Foundation
import Logging
import RopewalkPlainText

/// Logs to standard error, one line each: text, or a JSON object. What comes from outside cannot end a line or do anything to a
/// terminal.
struct LineLogHandler: LogHandler {
  let label: String
  let format: ServeSettings.LogFormat
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]

  private struct Line: Encodable {
    let time: String
    let level: String
    let logger: String
    let message: String
    let metadata: [String: String]?
  }

  init(label: String, format: ServeSettings.LogFormat) { (self.label, self.format) = (label, format) }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    try? FileHandle.standardError.write(contentsOf: Data((line(event, at: Date()) + "\n").utf8))
  }

  func line(_ event: LogEvent, at moment: Date) -> String {
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    let time = moment.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    switch format {
    case .text:
      let more = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
      return VisibleText.line("\(time) \(event.level.rawValue) \(label):\(more) \(event.message)")
    case .json:
      let line = Line(
        time: time, level: event.level.rawValue, logger: label, message: "\(event.message)",
        metadata: all.isEmpty ? nil : all.mapValues { "\($0)" })
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return (try? encoder.encode(line)).map { VisibleText.json(String(decoding: $0, as: UTF8.self)) } ?? "{}"
    }
  }
}
