import Foundation
import Testing

@testable import RopewalkPlainText

/// A text file means the same however it was saved, or is refused with its line.
@Suite struct TextFileTests {
  private func file(_ content: [UInt8]) throws -> TextFile { try TextFile(path: "f", content: content) }

  private func problem(_ content: [UInt8]) -> TextFileError? {
    do throws(TextFileError) {
      _ = try TextFile(path: "f", content: content)
      return nil
    } catch { return error }
  }

  @Test func howAFileWasSavedMakesNoDifference() throws {
    let plain = try file(Array("one\n\n  two words\n# three\nfour\n".utf8))
    #expect(plain.lines.map(\.number) == [1, 3, 4, 5])
    #expect(plain.lines.map(\.text) == ["one", "two words", "# three", "four"])
    #expect(plain.linesWithoutComments.map(\.number) == [1, 3, 5])
    for other in [
      "one\r\n\r\n  two words\r\n# three\r\nfour\r\n", "\u{feff}one\n\n\ttwo words\n# three\nfour",
      "one \t\n \t \n two words\r\n# three\nfour\r",
      "\u{feff}one\r\n\n two words  \r\n# three\r\nfour\r\n\r\n",
    ] {
      #expect(try file(Array(other.utf8)).lines == plain.lines, "\(other.debugDescription)")
    }
  }

  @Test(
    arguments: [
      ([0xff, 0xfe, 0x61, 0], 1, TextFileError.Problem.utf16), ([0xfe, 0xff, 0, 0x61], 1, .utf16),
      ([0x61, 0x0a, 0x62, 0, 0x80, 0], 2, .utf16), ([0x61, 0x0a, 0x80], 2, .notUTF8),
      ([0x61, 0x0d, 0x62], 1, .carriageReturn), ([0x61, 0x0d, 0x0d, 0x0a], 1, .carriageReturn),
      ([0x0a, 0x61, 0, 0x62], 2, .controlCharacter(0)), ([0x61, 0x0b], 1, .controlCharacter(0x0b)),
      ([0x61, 0x7f], 1, .controlCharacter(0x7f)), ([0x61, 0xc2, 0x85, 0x62], 1, .controlCharacter(0x85)),
      ([0x61, 0xe2, 0x80, 0xa8, 0x62], 1, .controlCharacter(0x2028)),
      ([0x61, 0x0a, 0xef, 0xbb, 0xbf, 0x62], 2, .strayByteOrderMark),
      ([0x61, 0xc2, 0xa0], 1, .otherWhiteSpace(0xa0)),
      ([0xe2, 0x80, 0x8b, 0x61], 1, .otherWhiteSpace(0x200b)),
    ] as [([UInt8], Int, TextFileError.Problem)])
  func whatCouldBeTakenInTwoWaysIsRefusedWithItsLine(
    _ content: [UInt8], _ line: Int, _ expected: TextFileError.Problem
  ) {
    #expect(problem(content) == TextFileError(path: "f", line: line, expected))
  }

  /// Any mixture of line ends, marks and blanks gives the lines of the plain form, or is refused with its line.
  @Test func randomFilesMeanWhatTheirPlainFormMeans() throws {
    let seed = testSeed()
    var random = SplitMix(seed)
    let pieces = ["a", "key = value", "# note", "é", "e\u{301}", "\"x\"", "", " ", "b\tc", "👩\u{200d}💻"]
    for _ in 0..<1000 {
      let lines = (0..<Int.random(in: 0...6, using: &random)).map { _ in
        pieces.randomElement(using: &random) ?? ""
      }
      let plain = try file(Array(lines.map { $0 + "\n" }.joined().utf8))
      var content: [UInt8] = Bool.random(using: &random) ? [0xef, 0xbb, 0xbf] : []
      var hasLoneReturn = false
      for (index, line) in lines.enumerated() {
        content += [[], [0x20], [0x09, 0x20]].randomElement(using: &random) ?? []
        content += Array(line.utf8)
        content += [[], [0x20], [0x09, 0x20, 0x20]].randomElement(using: &random) ?? []
        let isLast = index == lines.count - 1
        switch Int.random(in: 0..<10, using: &random) {
        case 0 where isLast: break
        case 1 where !isLast && !lines[index + 1].isEmpty:
          content.append(0x0d)
          hasLoneReturn = true
        case 2...5: content += [0x0d, 0x0a]
        default: content.append(0x0a)
        }
      }
      if hasLoneReturn {
        #expect(problem(content)?.problem == .carriageReturn, "seed \(seed): \(content)")
        #expect(problem(content)?.line != nil)
      } else {
        #expect(try file(content).lines == plain.lines, "seed \(seed): \(content)")
      }
    }
  }

  /// No bytes make the reader stop or take what it should not.
  @Test func randomBytesAreReadOrRefused() {
    let seed = testSeed()
    var random = SplitMix(seed)
    let some: [UInt8] = [0, 9, 10, 13, 32, 35, 97, 0x80, 0xc2, 0xa0, 0xe2, 0xef, 0xbb, 0xbf, 0xfe, 0xff]
    for _ in 0..<5000 {
      let content = (0..<Int.random(in: 0...12, using: &random)).map { _ in
        some.randomElement(using: &random) ?? 0
      }
      guard let file = try? file(content) else {
        #expect(problem(content)?.line != nil, "seed \(seed): \(content)")
        continue
      }
      for line in file.lines {
        #expect(
          !line.bytes.isEmpty && !line.bytes.contains { [0, 10, 13].contains($0) }, "seed \(seed): \(content)"
        )
      }
    }
  }

  @Test func aTokenOrSecretIsOneLine() throws {
    for content in ["x y", "x y\r\n", "\u{feff}\n x y \n\n"] {
      #expect(try file(Array(content.utf8)).onlyLine.text == "x y")
    }
    for (content, expected) in [
      ("", TextFileError(path: "f", .empty)), ("\r\n", TextFileError(path: "f", .empty)),
      ("a\n\nb\n", TextFileError(path: "f", line: 3, .severalLines)),
    ] {
      #expect(throws: expected) { try file(Array(content.utf8)).onlyLine }
    }
  }

  @Test func filesAreReadWithinTheirLimit() throws {
    let path = NSTemporaryDirectory() + "ropewalk-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(try TextFile.ifThere(path: path) == nil)
    #expect(throws: TextFileError(path: path, .unreadable("No such file or directory"))) {
      try TextFile(path: path)
    }
    try Data(repeating: 0x61, count: 200_000).write(to: URL(fileURLWithPath: path))
    #expect(try TextFile(path: path, limit: 200_000).lines.first?.bytes.count == 200_000)
    #expect(throws: TextFileError(path: path, .tooLarge(limit: 199_999))) {
      try TextFile(path: path, limit: 199_999)
    }
    #expect(throws: TextFileError(path: NSTemporaryDirectory(), .isFolder)) {
      try TextFile(path: NSTemporaryDirectory())
    }
  }

  @Test func pemBlocksAreWholeOrRefused() throws {
    let text =
      "note\n-----BEGIN A B-----\nAAAA\n\nBBBB\n-----END A B-----\n\n-----BEGIN C-----\n-----END C-----\n"
    let expected = [
      PEMBlock(label: "A B", line: 2, text: "-----BEGIN A B-----\nAAAA\nBBBB\n-----END A B-----\n"),
      PEMBlock(label: "C", line: 8, text: "-----BEGIN C-----\n-----END C-----\n"),
    ]
    for form in [text, text.replacing("\n", with: "\r\n"), "\u{feff}" + text.replacing("\n", with: " \n")] {
      #expect(try file(Array(form.utf8)).pemBlocks() == expected)
    }
    for (content, line, problem) in [
      ("-----BEGIN A-----\nAAAA\n", 1, TextFileError.Problem.unfinishedPEM),
      ("-----BEGIN A-----\nAAAA\n-----END B-----\n", 3, .damagedPEM),
      ("----BEGIN A-----\nAAAA\n", 1, .damagedPEM), ("-----BEGIN A----\nAAAA\n", 1, .damagedPEM),
      ("—–BEGIN A—–\n", 1, .damagedPEM), ("x\n-----END A-----\n", 2, .damagedPEM),
      ("-----BEGIN A-----\n-----BEGIN A-----\n", 1, .unfinishedPEM),
    ] {
      let file = try file(Array(content.utf8))
      #expect(file.hasPEM || !content.contains("BEGIN"))
      #expect(throws: TextFileError(path: "f", line: line, problem)) { try file.pemBlocks() }
    }
  }
}
