import RopewalkCore

extension Peer {
  /// Compares all that can be seen of the document with the reference.
  func check(in reference: ReferenceHistory) throws {
    let expected = reference.scalars(in: known)
    let text = String(expected)
    try Mismatch.check("text", document.utf8, Array(text.utf8))
    try Mismatch.check("text by patches", shadow, expected)
    try Mismatch.check("scalars", document.scalarCount, expected.count)
    try Mismatch.check("UTF-8 length", document.utf8Count, text.utf8.count)
    try Mismatch.check("UTF-16 length", document.utf16Count, text.utf16.count)
    try Mismatch.check("events", document.eventCount, known.count { $0 })
    try Mismatch.check("heads", document.version.heads, reference.heads(of: known))
    try Mismatch.check("version vector", document.versionVector, vector(in: reference))
    try checkWaiting(in: reference)
    try checkReading(text)
  }

  /// Reads parts of the text, with a local edit perhaps just made.
  private func checkReading(_ text: String) throws {
    let scalars = text.unicodeScalars
    let middle = scalars.index(scalars.startIndex, offsetBy: shadow.count / 2)
    let end = scalars.index(middle, offsetBy: (shadow.count + 2) / 4, limitedBy: scalars.endIndex) ?? middle
    let range = shadow.count / 2..<shadow.count / 2 + scalars.distance(from: middle, to: end)
    try Mismatch.check("part", Array(document.text(in: range).utf8), Array(text[middle..<end].utf8))
    let (utf8, utf16) = (text.utf8, text.utf16)
    for (scalar, index) in [(range.lowerBound, middle), (range.upperBound, end)] {
      let offset8 = utf8.distance(from: utf8.startIndex, to: index)
      let offset16 = utf16.distance(from: utf16.startIndex, to: index)
      try Mismatch.check("UTF-8 offset of \(scalar)", document.utf8Offset(ofScalar: scalar), offset8)
      try Mismatch.check("UTF-16 offset of \(scalar)", document.utf16Offset(ofScalar: scalar), offset16)
      try Mismatch.check("scalar at UTF-8 \(offset8)", document.scalarIndex(ofUTF8: offset8), scalar)
      try Mismatch.check("scalar at UTF-16 \(offset16)", document.scalarIndex(ofUTF16: offset16), scalar)
    }
  }

  private func vector(in reference: ReferenceHistory) -> VersionVector {
    var vector = VersionVector()
    for (number, isKnown) in known.enumerated() where isKnown {
      let id = reference.events[number].id
      vector[id.replica] = max(vector[id.replica], id.seq + 1)
    }
    return vector
  }

  private func checkWaiting(in reference: ReferenceHistory) throws {
    try Mismatch.check("something waits", document.pendingEventCount > 0, waitingCount > 0)
    try Mismatch.check("something is missed", !document.missingEvents.isEmpty, waitingCount > 0)
    guard document.pendingEventCount >= waitingCount else {
      throw Mismatch(
        "\(document.pendingEventCount) events wait, \(waitingCount) were given and cannot be known")
    }
    for event in document.missingEvents {
      guard let number = reference.numbers[event], !known[number] else {
        throw Mismatch("\(event) is said to be missing")
      }
    }
  }

  /// Compares conversions between scalar, UTF-8 and UTF-16 offsets with what Swift's strings say, everywhere.
  func checkConversions() throws {
    let text = String(shadow)
    var index = text.unicodeScalars.startIndex
    for scalar in 0...shadow.count {
      let utf8 = text.utf8.distance(from: text.startIndex, to: index)
      let utf16 = text.utf16.distance(from: text.startIndex, to: index)
      try Mismatch.check("UTF-8 offset of \(scalar)", document.utf8Offset(ofScalar: scalar), utf8)
      try Mismatch.check("UTF-16 offset of \(scalar)", document.utf16Offset(ofScalar: scalar), utf16)
      guard scalar < shadow.count else { break }
      let (width8, width16) = (UTF8.width(shadow[scalar]), UTF16.width(shadow[scalar]))
      for inside in 0..<width8 {
        try Mismatch.check("scalar at UTF-8 \(utf8)", document.scalarIndex(ofUTF8: utf8 + inside), scalar)
      }
      for inside in 0..<width16 {
        try Mismatch.check("scalar at UTF-16 \(utf16)", document.scalarIndex(ofUTF16: utf16 + inside), scalar)
      }
      text.unicodeScalars.formIndex(after: &index)
    }
  }

  /// Compares the text at a moment with the reference.
  func checkText(at version: Version, in reference: ReferenceHistory) throws {
    let expected = String(reference.scalars(in: reference.version(version.heads)))
    guard let text = document.text(at: version) else { throw Mismatch("no text at \(version.heads)") }
    try Mismatch.check("text at \(version.heads)", Array(text.utf8), Array(expected.utf8))
  }
}

extension UTF8 {
  fileprivate static func width(_ scalar: Unicode.Scalar) -> Int { UTF8.encode(scalar)?.count ?? 0 }
}
