/// What came of a replay.
struct ReplayReport {
  /// How long its parts took.
  struct Times {
    var opening = Duration.zero
    var playing = Duration.zero
    var catchingUp = Duration.zero
    var comparing = Duration.zero
  }

  var authors = 0
  var transactions = 0
  var edits = 0
  var events = 0
  var relayKills = 0
  var clientKills = 0
  var offlineStretches = 0
  var equalReplicas = 0
  var differing: [String] = []
  var newcomerIsEqual = false
  var acknowledged = 0
  var missing = 0
  var times = Times()

  /// Whether every replica holds the recorded text and the relay everything it acknowledged.
  var isGood: Bool { differing.isEmpty && newcomerIsEqual && missing == 0 }

  /// What is printed.
  var lines: [String] {
    var lines = [
      "\(Wording.count(authors, "author")), \(Wording.count(transactions, "transaction")), "
        + "\(Wording.count(edits, "edit")), \(Wording.count(events, "event"))",
      "played in \(Wording.duration(times.playing)) (opening \(Wording.duration(times.opening)), "
        + "catching up \(Wording.duration(times.catchingUp)), comparing \(Wording.duration(times.comparing)))",
    ]
    let disturbances = [
      (offlineStretches, "offline stretch", "offline stretches"), (relayKills, "relay kill", "relay kills"),
      (clientKills, "client reopened", "clients reopened"),
    ].filter { $0.0 > 0 }.map { Wording.count($0.0, $0.1, $0.2) }
    if !disturbances.isEmpty { lines.append("with " + disturbances.joined(separator: ", ")) }
    lines.append("\(equalReplicas) of \(authors) replicas hold the recorded text")
    lines.append(
      newcomerIsEqual ? "the relay gives it to a newcomer" : "the relay does not give it to a newcomer")
    lines.append("\(Wording.count(acknowledged, "acknowledged update")), \(Wording.number(missing)) missing")
    if !differing.isEmpty { lines.append("differing: " + differing.prefix(10).joined(separator: ", ")) }
    return lines
  }
}
