import Foundation
import Testing

@testable import RopewalkPlainText

/// What is shown of text from outside does nothing but being seen.
@Suite struct VisibleTextTests {
  @Test(arguments: [
    ("plain", "plain"), ("caf\u{e9} \u{a0}日本🪢", "caf\u{e9} \u{a0}日本🪢"), ("\u{1b}[2J", #"\u{1b}[2J"#),
    ("a\tb\r\nc", #"a\u{9}b\u{d}\u{a}c"#),
    ("\u{9b}2J", #"\u{9b}2J"#), ("a\u{202e}b\u{2066}\u{200f}", #"a\u{202e}b\u{2066}\u{200f}"#),
    ("\u{2028}\u{2029}\u{85}", #"\u{2028}\u{2029}\u{85}"#),
    ("\u{feff}\u{200b}\u{ad}", #"\u{feff}\u{200b}\u{ad}"#),
    ("\u{e0041}\u{fe0f}", #"\u{e0041}\u{fe0f}"#), ("\u{fff9}\u{e000}", #"\u{fff9}\u{e000}"#),
    ("\u{7f}", #"\u{7f}"#),
  ])
  func whatIsNotSeenIsShownByItsCodePoint(_ text: String, _ shown: String) {
    #expect(VisibleText.line(text).utf8.elementsEqual(shown.utf8), "\(VisibleText.line(text))")
  }

  @Test func everyScalarIsSeenOrEscaped() throws {
    for value in 0...0x10_ffff as ClosedRange<UInt32> {
      guard let scalar = Unicode.Scalar(value), value < 0x3_0000 || value >= 0xe_0000 else { continue }
      // A terminal's business, whatever Unicode calls it.
      if value < 0x20 || (0x7f..<0xa0).contains(value) { #expect(VisibleText.isHidden(scalar)) }
    }
    let text = String(String.UnicodeScalarView((0..<0x3000 as Range<UInt32>).compactMap(Unicode.Scalar.init)))
    #expect(!VisibleText.line(text).unicodeScalars.contains(where: VisibleText.isHidden))
    #expect(VisibleText.lines(text).utf8.count { $0 == 0x0a } == 1)
  }

  @Test func aLineOfJSONMeansWhatItDid() throws {
    let text = "a\"\\\u{1b}\u{9b}\u{202e}\u{2028}\u{e0041}é\u{feff}"
    let line = String(decoding: try JSONEncoder().encode([text: text]), as: UTF8.self)
    let shown = VisibleText.json(line)
    #expect(!shown.unicodeScalars.contains(where: VisibleText.isHidden) && shown.contains("\\u202e"))
    #expect(try JSONDecoder().decode([String: String].self, from: Data(shown.utf8)) == [text: text])
  }
}
