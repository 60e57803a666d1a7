/// The report's text.
extension Findings {
  func markdown(_ machine: Machine) -> String {
    var parts = [
      """
      # What shared text costs

      Made by `ropewalk-bench report` on one machine in one run: \(machine.markdown) Times are processor time of \
      one thread; where two are given, the minimum and the median of several runs. The text of everything that was \
      timed was checked\(isCorrect ? " and right" : ", and SOME OF IT WAS WRONG (see `ok`)").
      """
    ]
    parts.append(section("Whole histories", Self.replayWords, "replay.svg", ReplayResult.table(replay)))
    parts.append(peersPart)
    parts.append(section("Typing, one edit at a time", Self.editWords, nil, EditResult.table(edit)))
    parts.append(section("A peer's keystroke", Self.keystrokeWords, nil, KeystrokeResult.table(keystroke)))
    parts.append(section("Opening a saved document", Self.openWords, nil, OpenResult.table(open)))
    parts.append(section("Size", Self.sizeWords, "size.svg", SizeResult.table(size)))
    parts.append(section("Memory", Self.memoryWords, "memory.svg", MemoryResult.table(memory)))
    parts.append(
      section(
        "Long branches", "Two replicas with n edits each; one applies the other's update.", nil,
        OfflineResult.table(offline), GrowthCheck.checks(offline)))
    if !growth.isEmpty {
      parts.append(
        section(
          "Length of the history", "One session played several times end to end.", nil,
          RepetitionResult.table(growth), RepetitionResult.checks(growth)))
    }
    parts.append(otPart)
    parts.append(Self.limits)
    return parts.joined(separator: "\n\n") + "\n"
  }

  private func section(
    _ title: String, _ words: String, _ picture: String?, _ table: Table, _ checks: [GrowthCheck] = []
  ) -> String {
    var lines = ["## \(title)", words]
    if let picture { lines.append("![\(title)](\(picture))") }
    lines.append(table.markdown)
    if !checks.isEmpty { lines.append(checks.map { "- " + $0.sentence }.joined(separator: "\n")) }
    return lines.joined(separator: "\n\n")
  }

  private var peersPart: String {
    if let peersMissing { return "## Beside other engines\n\nNot measured: \(peersMissing)." }
    var versions: [String] = []
    for one in peers where !versions.contains("\(one.engine): \(one.version)") {
      versions.append("\(one.engine): \(one.version)")
    }
    return section(
      "Beside other engines", Self.peerWords + " " + versions.joined(separator: "; ") + ".", nil,
      PeerResult.table(peers))
  }

  private var otPart: String {
    guard let ot else { return "" }
    var lines = ["## Beside operational transformation", Self.otWords]
    for style in EditingStyle.allCases { lines.append("![offline](offline-\(style.rawValue).svg)") }
    for section in ot.sections {
      lines.append(section.table.markdown)
      if !section.checks.isEmpty {
        lines.append(section.checks.map { "- " + $0.sentence }.joined(separator: "\n"))
      }
    }
    return lines.joined(separator: "\n\n")
  }
}
