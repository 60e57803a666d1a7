import Testing

@testable import RopewalkPlainText

/// Different names look different, and what is shown can be written.
@Suite struct VisibleNameTests {
  @Test(arguments: [
    ("notes.md", "notes.md"), ("caf\u{e9}", "caf\u{e9}"), ("cafe\u{301}", #""cafe\u{301}""#),
    ("\u{212b}", #""\u{212b}""#), ("日本 語", "日本 語"), ("команда", "команда"),
    ("a\u{200b}b", #""a\u{200b}b""#), ("\u{202e}b", #""\u{202e}b""#), ("a\u{a0}b", #""a\u{a0}b""#),
    (" a", #"" a""#), ("a ", #""a ""#), ("a  b", #""a  b""#), ("\"a\"", #""\"a\"""#), ("a\\b", "a\\b"),
    ("a\u{7}", #""a\u{7}""#), ("\u{301}a\u{e9}", #""\u{301}aé""#), ("\u{20dd}", #""\u{20dd}""#),
  ])
  func aNameShowsWhatItIs(_ name: String, _ shown: String) {
    #expect(VisibleName.text(name).utf8.elementsEqual(shown.utf8), "\(VisibleName.text(name))")
    #expect(VisibleName.name(reading: shown).map { $0.utf8.elementsEqual(name.utf8) } == true)
  }

  @Test(arguments: [
    #"""#, #""a"#, #""a"b"#, #""a\""#, #""\u{}""#, #""\u{d800}""#, #""\u{1234567}""#, #""\x""#,
  ])
  func quotesThatDoNotHoldTogetherAreNoName(_ text: String) {
    #expect(VisibleName.name(reading: text) == nil)
  }

  @Test func namesOfOneListThatLookAlikeAreTold() {
    // Latin and Cyrillic, a ligature, a long dash.
    let groups = [
      ["cop", "сор"], ["office", "o\u{fb03}ce"], ["a-b", "a\u{2014}b"], ["caf\u{e9}", "cafe\u{301}"],
    ]
    for group in groups {
      let names = VisibleNames(group + ["other"])
      let shown = group.map(names.text)
      #expect(shown[0].utf8.elementsEqual(group[0].utf8) || group[0].utf8.contains { $0 >= 0x80 })
      #expect(shown[1].utf8.allSatisfy { $0 < 0x80 }, "\(shown)")
      #expect(
        zip(group, shown).allSatisfy { name, shown in
          VisibleName.name(reading: shown).map { $0.utf8.elementsEqual(name.utf8) } == true
        })
      #expect(names.text("other") == "other")
    }
    #expect(VisibleNames(["сор"]).text("сор") == "сор")
  }

  @Test func randomNamesAreShownSoThatTheyCanBeWritten() {
    let seed = testSeed()
    var random = SplitMix(seed)
    let scalars = Array("ab \"\\{}u*=\u{301}\u{e9}\u{200d}\u{feff}日а".unicodeScalars)
    for _ in 0..<1000 {
      var name = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        name.append(scalars.randomElement(using: &random) ?? "a")
      }
      let text = String(name)
      let read = VisibleName.name(reading: VisibleName.text(text))
      #expect(read.map { $0.utf8.elementsEqual(text.utf8) } == true, "seed \(seed): \(Array(text.utf8))")
    }
  }
}
