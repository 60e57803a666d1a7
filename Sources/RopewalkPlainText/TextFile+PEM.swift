/// One block of a PEM file.
package struct PEMBlock: Hashable, Sendable {
  /// As in `PRIVATE KEY`.
  package let label: String
  /// Where it begins.
  package let line: Int
  /// All of it, with LF for line ends.
  package let text: String
}

extension TextFile {
  /// Whether there is a PEM block, or what was one.
  package var hasPEM: Bool {
    lines.contains { Self.label($0, after: "-----BEGIN ") != nil || Self.looksLikeBoundary($0) }
  }

  /// The file's PEM blocks. What is between them is for people.
  package func pemBlocks() throws(TextFileError) -> [PEMBlock] {
    var blocks: [PEMBlock] = []
    var open: (label: String, line: Int, lines: [String])?
    for line in lines {
      if let label = Self.label(line, after: "-----BEGIN ") {
        if let open { throw TextFileError(path: path, line: open.line, .unfinishedPEM) }
        open = (label, line.number, [line.text])
      } else if let label = Self.label(line, after: "-----END ") {
        guard let block = open, block.label == label else {
          throw TextFileError(path: path, line: line.number, .damagedPEM)
        }
        let text = (block.lines + [line.text, ""]).joined(separator: "\n")
        blocks.append(PEMBlock(label: label, line: block.line, text: text))
        open = nil
      } else if Self.looksLikeBoundary(line) {
        throw TextFileError(path: path, line: line.number, .damagedPEM)
      } else {
        open?.lines.append(line.text)
      }
    }
    if let open { throw TextFileError(path: path, line: open.line, .unfinishedPEM) }
    return blocks
  }

  private static func label(_ line: Line, after prefix: String) -> String? {
    let (prefix, suffix) = (Array(prefix.utf8), Array("-----".utf8))
    guard line.bytes.count > prefix.count + suffix.count, line.bytes.starts(with: prefix),
      line.bytes.suffix(suffix.count).elementsEqual(suffix)
    else { return nil }
    return String(decoding: line.bytes.dropFirst(prefix.count).dropLast(suffix.count), as: UTF8.self)
  }

  /// Begins with a dash and says BEGIN or END, as no base64 does.
  private static func looksLikeBoundary(_ line: Line) -> Bool {
    guard line.bytes.first == 0x2d || line.bytes.starts(with: "\u{2010}".utf8.prefix(2)) else { return false }
    let words = line.bytes.split(whereSeparator: { !(0x41...0x5a).contains($0) })
    return words.contains { $0.elementsEqual("BEGIN".utf8) || $0.elementsEqual("END".utf8) }
  }
}
