import RopewalkCore

/// Real resident memory of processes that hold a document, above one that holds only what they began with.
struct ReplayMemory: Codable {
  /// The most while replaying the update's bytes and reading the text.
  let peakMib: Double
  /// What the document takes afterwards, its update's bytes and its text as an array let go.
  let restMib: Double
  /// What the document takes that was opened from its snapshot.
  let openedMib: Double

  /// What a child process answers.
  struct Answer: Codable {
    let peak: Int
    let rest: Int
    let length: Int
  }

  /// The middle of several processes of each kind.
  static func measure(_ prepared: PreparedTrace, runs: Int) throws -> ReplayMemory {
    try Child.withFile(prepared.update.bytes) { update in
      try Child.withFile(prepared.snapshot) { snapshot in
        func middle(_ mode: String, _ path: String) throws -> Answer {
          let answers = try (0..<runs).map { _ in try Child.run([mode, path], as: Answer.self) }
          guard answers.allSatisfy({ $0.length == (mode == "load" ? 0 : prepared.expected.count) }) else {
            throw BenchError("\(prepared.name): a child process came to another text")
          }
          return answers.sorted { $0.peak < $1.peak }[runs / 2]
        }
        let idle = try middle("load", update)
        let replayed = try middle("replay", update)
        let opened = try middle("open", snapshot)
        return ReplayMemory(
          peakMib: mebibytes(replayed.peak - idle.peak), restMib: mebibytes(replayed.rest - idle.rest),
          openedMib: mebibytes(opened.rest - idle.rest))
      }
    }
  }

  /// The child's side.
  static func answer(mode: String, path: String) throws -> Answer {
    switch mode {
    case "load":
      var bytes = try RawFile.read(path)
      keep(bytes)
      let peak = ResidentMemory.peak
      bytes = []
      return Answer(peak: peak, rest: ResidentMemory.now, length: bytes.count)
    case "replay":
      var (document, length) = try replay(path)
      let peak = ResidentMemory.peak
      let rest = ResidentMemory.now
      document.replica = nil  // so that it lives until here
      return Answer(peak: peak, rest: rest, length: length)
    case "open":
      var document = try TextDocument(snapshot: RawFile.read(path))
      let length = document.utf8.count
      let peak = ResidentMemory.peak
      let rest = ResidentMemory.now
      document.replica = nil
      return Answer(peak: peak, rest: rest, length: length)
    default: throw BenchError("no such child")
    }
  }

  @inline(never) private static func replay(_ path: String) throws -> (TextDocument, Int) {
    let update = try Update(bytes: RawFile.read(path))
    var document = TextDocument(lineage: update.lineage)
    _ = try document.apply(update)
    return (document, document.utf8.count)
  }
}
