import RopewalkCore

/// One keystroke of a peer, received and applied to a document of a megabyte.
struct KeystrokeResult: Encodable {
  /// `current`: the peer had seen everything. `crossing`: an own keystroke was on its way at the time, each time.
  let situation: String
  let textBytes: Int
  let keystrokes: Int
  let ok: Bool
  /// Update bytes to patch, per keystroke.
  let applyUs: Double
  let applyUsMedian: Double
  let updateBytes: Double

  static let length = 1 << 20
  static let keystrokes = 2_000

  static func measure(crossing: Bool, runs: Int) throws -> KeystrokeResult {
    var random = SplitMix(seed: 3)
    let base = TextDocument(seed: random.words(length))
    let (mineID, theirsID) = (ReplicaID(rawValue: 1), ReplicaID(rawValue: 2))
    var samples = Samples()
    var isCorrect = true
    var bytes = 0
    for run in 1...runs {
      Terminal.progress("keystroke \(crossing ? "crossing" : "current"), \(run) of \(runs)")
      var (mine, theirs) = (base, base)
      mine.replica = mineID
      theirs.replica = theirsID
      // Not at the ends, and not where the own caret is.
      var caret = length / 3
      var total = 0.0
      bytes = 0
      for seq in 0..<UInt32(keystrokes) {
        let span = seq..<seq + 1
        theirs.insert("x", at: caret)
        caret += 1
        guard let update = theirs.update(of: EventSpan(replica: theirsID, seqs: span)) else { continue }
        if crossing { mine.insert("y", at: mine.scalarCount - 9) }
        total += try processorSeconds { keep(try mine.apply(Update(bytes: update.bytes))) }
        bytes += update.bytes.count
        if crossing, let own = mine.update(of: EventSpan(replica: mineID, seqs: span)) {
          _ = try theirs.apply(own)
        }
      }
      samples.add(total / Double(keystrokes))
      isCorrect = isCorrect && mine.utf8 == theirs.utf8
    }
    return KeystrokeResult(
      situation: crossing ? "crossing" : "current", textBytes: length, keystrokes: keystrokes, ok: isCorrect,
      applyUs: samples.minimum * 1e6, applyUsMedian: samples.median * 1e6,
      updateBytes: Double(bytes) / Double(keystrokes))
  }

  static func table(_ results: [KeystrokeResult]) -> Table {
    var table = Table("the peer's keystroke", "text bytes", "ok", "µs", "median", "update bytes")
    for one in results {
      table.add(
        one.situation, grouped(one.textBytes), one.ok ? "yes" : "NO", number(one.applyUs),
        number(one.applyUsMedian), number(one.updateBytes))
    }
    return table
  }
}
