import Foundation

/// What `Peers/run` says of one engine and trace.
struct PeerResult: Codable {
  let engine: String
  let version: String
  let trace: String
  let events: Int
  let ok: Bool
  let source: String
  let replayMs: Double?
  let replayMsMedian: Double?
  let loadMs: Double?
  let loadMsMedian: Double?
  let peakMib: Double?
  let updateBytes: Int?
  let savedBytes: Int?
  let storedBytes: Int?
  let smallestStoredBytes: Int?

  /// Runs the peers' script on traces.
  static func measure(_ files: [String], runs: Int, folder: String) throws -> [PeerResult] {
    let script = URL(fileURLWithPath: folder).appendingPathComponent("run")
    guard FileManager.default.isExecutableFile(atPath: script.path) else {
      throw BenchError("\(folder): there is no script `run`; name the folder of the peers with --peers")
    }
    Terminal.progress("peers")
    let output = try Child.output(of: script, ["--json", "--runs", String(runs)] + files)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try output.split(separator: UInt8(ascii: "\n")).map {
      try decoder.decode(PeerResult.self, from: $0)
    }
  }

  static func table(_ results: [PeerResult]) -> Table {
    var table = Table(
      "engine", "trace", "ok", "updates", "replay ms", "median", "load ms", "peak MiB", "saved", "zstd 3",
      "zstd 19")
    for one in results {
      table.add(
        one.engine, one.trace, one.ok ? "yes" : "NO", one.source, number(one.replayMs),
        number(one.replayMsMedian), number(one.loadMs), number(one.peakMib), grouped(one.savedBytes),
        grouped(one.storedBytes), grouped(one.smallestStoredBytes))
    }
    return table
  }
}
