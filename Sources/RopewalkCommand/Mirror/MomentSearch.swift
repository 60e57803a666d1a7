import Ropewalk

/// Finds the moment of a document's history whose text is a given one, or comes nearest to it.
///
/// For a file that is newer than its replica: the replica was put back from a backup, the file was not, and what was saved
/// from it since has come back from the relay under ids that this replica does not know as its own. A difference to an older
/// moment would write all of that a second time.
struct MomentSearch {
  /// What the document knew at that moment.
  let moment: VersionVector
  /// Whether its text is exactly the given one.
  let isExact: Bool

  /// Moments are tried in the order in which their events came here, about 64 evenly, then ever closer around the best.
  ///
  /// - Parameter first: how many events the first moment has (0 … `whole.eventCount`).
  init?(for text: String, in whole: TextDocument, from first: Int = 0) {
    let new = text.unicodeScalars.map(\.value)
    let cost = EditCost(familiarWith: [])
    var tried: [Int: Int] = [:]
    var range = min(first, whole.eventCount)...whole.eventCount
    var step = max(1, range.count / 64)
    var best = (count: range.upperBound, bits: Int.max)
    while true {
      for count in Set(stride(from: range.lowerBound, through: range.upperBound, by: step)).union([
        range.upperBound
      ])
      where tried[count] == nil {
        guard let document = TextDocument(whole, at: whole.versionVector(ofFirst: count)) else { return nil }
        let edits = TextDiff.edits(document.text.unicodeScalars.map(\.value), new)
        let bits = cost.bits(edits, of: new)
        tried[count] = bits
        // The latest of equals: it has no less of what is in the file.
        if bits < best.bits || bits == best.bits && count > best.count { best = (count, bits) }
      }
      if step == 1 { break }
      range = max(range.lowerBound, best.count - step)...min(range.upperBound, best.count + step)
      step = max(1, step / 8)
    }
    moment = whole.versionVector(ofFirst: best.count)
    isExact = best.bits == 0
  }
}
