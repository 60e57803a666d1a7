import Foundation

/// The names of one list, so that no two of them look the same: where letters of one alphabet stand for those of another,
/// both names are shown with code points.
package struct VisibleNames: Sendable {
  private var alike: Set<[UInt8]> = []

  /// - Complexity: O(n) in the bytes of all names.
  package init(_ names: some Sequence<String>) {
    var seen: [[UInt8]: Set<[UInt8]>] = [:]
    for name in names { seen[Self.skeleton(name), default: []].insert(Array(name.utf8)) }
    for group in seen.values where group.count > 1 { alike.formUnion(group) }
  }

  /// The name as this list shows it.
  package func text(_ name: String) -> String {
    guard alike.contains(Array(name.utf8)), name.utf8.contains(where: { $0 >= 0x80 }) else {
      return VisibleName.text(name)
    }
    return VisibleName.quoted(name) { $0.value >= 0x80 || VisibleText.isHidden($0) }
  }

  /// The same for names that look the same: compatibility forms are one, and letters that are drawn alike are Latin.
  private static func skeleton(_ name: String) -> [UInt8] {
    if name.utf8.allSatisfy({ $0 < 0x80 }) { return Array(name.utf8) }
    var result = String.UnicodeScalarView()
    for scalar in name.precomposedStringWithCompatibilityMapping.unicodeScalars {
      if scalar.properties.isDefaultIgnorableCodePoint { continue }
      result.append(drawnAlike[scalar] ?? scalar)
    }
    return Array(String(result).utf8)
  }

  /// The letters of other alphabets, and the punctuation, that most fonts draw as ASCII's.
  private static let drawnAlike: [Unicode.Scalar: Unicode.Scalar] = {
    let groups = [
      // Cyrillic
      ("аеорсухіјѕһԁԛԝк", "aeopcyxijshdqwk"), ("АВЕЅІЈКМНОРСТХУԚԜ", "ABESIJKMHOPCTXYQW"),
      // Greek
      ("οναρικυχγ", "ovapikuxy"), ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"),
      // Armenian, and the dotless i
      ("օոսհı", "onuhi"),
      ("\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2212}", "------"),
      ("\u{2018}\u{2019}\u{2bc}\u{201c}\u{201d}\u{2044}\u{2215}\u{a789}\u{2236}", "'''\"\"//::"),
    ]
    var table: [Unicode.Scalar: Unicode.Scalar] = [:]
    for (others, latin) in groups {
      for (other, letter) in zip(others.unicodeScalars, latin.unicodeScalars) { table[other] = letter }
    }
    return table
  }()
}
