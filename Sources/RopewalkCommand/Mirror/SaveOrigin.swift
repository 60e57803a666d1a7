import Ropewalk

/// The moment that a save was made from, of those whose texts its editor can have had.
///
/// A file does not say what its editor had read. What the saved text shows decides:
///
/// 1. The latest moment from which the save takes nothing of others' back: nothing that they inserted since the last save is
///    deleted, nothing that they deleted is put back. There always is one: the last save itself.
/// 2. Unless another moment explains the text much better, since less of what others wrote has to be typed again: then it was
///    made from that one, and what it lacks was taken out on purpose. `EditCost` weighs the explanations; a doubt keeps the
///    text of both.
/// 3. The same text once more, after others' text was put back into the file: now that is meant (`SeenTexts.isInsisted`).
struct SaveOrigin {
  /// The document at that moment.
  let document: TextDocument
  /// What the save changes there.
  let patches: [TextPatch]
  /// Whether the file held a later text, so that others' text comes back into it.
  let isEarlier: Bool
  /// Which of the moments in `SeenTexts` it is.
  let index: Int

  /// A save explained as made from one moment.
  private struct Explanation {
    /// See `SeenTexts.moment(_:in:)`.
    let index: Int
    let document: TextDocument
    let edits: [Edit]
    let bits: Int
    /// Whether it deletes what others inserted, or inserts what they deleted.
    let takesBack: Bool
    /// Whether others only inserted since the last save: every text between has less of what they wrote.
    var onlyGrew = false

    var weight: Int { bits + (takesBack ? SaveOrigin.doubt : 0) }
  }

  /// To take something back must be so many bits the better explanation.
  private static let doubt = 8
  /// To undo is one gesture, however much it is.
  private static let undoing = 8
  /// An own text in the place of another's, in bits.
  private static let collision = 6

  /// - Parameters:
  ///   - text: what was saved.
  ///   - seen: what its editor can have had.
  ///   - whole: the document as it is now.
  /// - Returns: nil if the document does not know the moments in `seen`.
  init?(of text: String, seen: SeenTexts, in whole: TextDocument, at milliseconds: UInt64) {
    let new = text.unicodeScalars.map(\.value)
    guard var search = Search(new, seen, whole) else { return nil }
    let found: Explanation?
    if seen.isInsisted(at: milliseconds), search.saved.utf8.elementsEqual(text.utf8) {
      found = search.explanation(seen.writtenBefore.count + 1)
    } else {
      found = search.best()
    }
    guard let found else { return nil }
    document = found.document
    patches = TextDiff.patches(found.edits, inserting: new)
    isEarlier = found.index < seen.readCount
    index = found.index
  }

  /// Goes through the moments.
  private struct Search {
    let new: [UInt32]
    let seen: SeenTexts
    let whole: TextDocument
    /// The document at the last save.
    let saved: TextDocument
    let cost: EditCost
    /// What the text has of the last save, in scalars of that.
    let kept: [Range<Int>]
    private let savedEdits: [Edit]
    private let savedScalars: [UInt32]
    /// What makes one of the editor's earlier texts of the last save, if that explains the new text better.
    private var undo: Update?

    init?(_ new: [UInt32], _ seen: SeenTexts, _ whole: TextDocument) {
      guard let saved = TextDocument(whole, at: seen.saved) else { return nil }
      (self.new, self.seen, self.whole, self.saved) = (new, seen, whole, saved)
      savedScalars = saved.text.unicodeScalars.map(\.value)
      cost = EditCost(familiarWith: savedScalars)
      savedEdits = TextDiff.edits(savedScalars, new)
      var (kept, start) = ([Range<Int>](), 0)
      for edit in savedEdits {
        kept.append(start..<edit.old.lowerBound)
        start = edit.old.upperBound
      }
      self.kept = kept + [start..<savedScalars.count]
    }

    /// Finds the earlier text of the editor that explains the new one best, if it does so better than the last save.
    private mutating func lookForUndoing() {
      var (best, bits) = ([UInt32]?.none, cost.bits(savedEdits, of: new))
      for moment in seen.undoable where bits > SaveOrigin.undoing {
        guard let document = TextDocument(whole, at: moment) else { continue }
        let earlier = document.text.unicodeScalars.map(\.value)
        let undone = SaveOrigin.undoing + cost.bits(TextDiff.edits(earlier, new), of: new)
        if undone < bits { (best, bits) = (earlier, undone) }
      }
      guard let best else { return }
      var undone = saved
      undone.replica = ReplicaID(rawValue: .random(in: 1 ... .max))
      for patch in TextDiff.patches(TextDiff.edits(savedScalars, best), inserting: best) {
        undone.replace(patch.position..<patch.position + patch.deleted, with: patch.insertedText)
      }
      undo = undone.update(since: saved.versionVector)
    }

    /// The bits of a save as made by undoing at a moment, and of what was changed besides.
    private func bitsOfUndoing(in document: TextDocument) -> Int {
      guard let undo else { return .max }
      var undone = document
      guard (try? undone.apply(undo)) != nil else { return .max }
      let edits = TextDiff.edits(undone.text.unicodeScalars.map(\.value), new)
      return SaveOrigin.undoing + cost.bits(edits, of: new)
    }

    /// The best explanation: see `SaveOrigin`.
    mutating func best() -> Explanation? {
      let last = seen.readCount
      guard last > 0 else { return explanation(0) }
      guard let quick = explanation(last) else { return nil }
      if !quick.takesBack && (quick.onlyGrew || quick.bits <= SaveOrigin.doubt) { return quick }
      lookForUndoing()
      guard let first = explanation(0), let latest = undo == nil ? quick : explanation(last)
      else { return nil }
      var tried = [0: first, last: latest]
      // The closer to what the editor had, the smaller the change; so every n-th first, then around the best.
      var step = max(1, last / 16)
      var range = 0...last
      while true {
        for index in stride(from: range.lowerBound, through: range.upperBound, by: step)
        where tried[index] == nil {
          guard let explanation = explanation(index) else { return nil }
          tried[index] = explanation
        }
        let best = tried.values.min { ($0.weight, $0.index) < ($1.weight, $1.index) }?.index ?? 0
        range = max(0, best - step)...min(last, best + step)
        if step == 1 { break }
        step = max(1, step / 4)
      }
      let best = tried.values.min { ($0.weight, $0.index) < ($1.weight, $1.index) } ?? first
      // Of those that take nothing back and are about as good, the latest. One that is much worse has to type again what others
      // wrote and took out themselves between two saves.
      let clean = tried.values.filter { !$0.takesBack }
      let least = clean.reduce(first.bits) { min($0, $1.bits) }
      let latestClean =
        clean.filter { $0.bits <= least + SaveOrigin.doubt }.max { $0.index < $1.index } ?? first
      return best.takesBack && best.weight < latestClean.weight ? best : latestClean
    }

    /// The save as made from one of the moments; nil if the document does not know it.
    func explanation(_ index: Int) -> Explanation? {
      if index == 0 {
        let bits = min(cost.bits(savedEdits, of: new), bitsOfUndoing(in: saved))
        return Explanation(index: 0, document: saved, edits: savedEdits, bits: bits, takesBack: false)
      }
      guard let document = TextDocument(whole, at: seen.moment(index, in: whole)),
        let others = others(in: document, at: document.versionVector)
      else { return nil }
      let edits = TextDiff.edits(document.text.unicodeScalars.map(\.value), new)
      let takesBack =
        others.inserted.overlap(with: edits.map(\.old)) > 0 || putsBack(others.deleted, by: edits)
      return Explanation(
        index: index, document: document, edits: edits,
        bits: min(
          cost.bits(edits, of: new) + collisions(others.inserted, edits), bitsOfUndoing(in: document)),
        takesBack: takesBack,
        onlyGrew: others.deleted.isEmpty && document.eventCount - saved.eventCount == others.insertedCount)
    }

    /// To replace what others have just written is less likely than to have typed in the same place without knowing it.
    private func collisions(_ inserted: [Range<Int>], _ edits: [Edit]) -> Int {
      edits.reduce(0) {
        $0 + (!$1.new.isEmpty && inserted.overlap(with: [$1.old]) > 0 ? SaveOrigin.collision : 0)
      }
    }

    /// What others did between the last save and a moment.
    private func others(in document: TextDocument, at moment: VersionVector) -> OthersPart? {
      // A save that was found only when this text had been written already is no part of it.
      let common = moment.common(with: seen.saved)
      guard var earlier = common == seen.saved ? saved : TextDocument(whole, at: common) else { return nil }
      let count = earlier.scalarCount
      guard let patches = try? earlier.apply(document.update(since: common)) else { return nil }
      var others = OthersPart(patches, from: count)
      if common != seen.saved { others.deleted = [] }
      return others
    }

    /// Whether the text has words that others deleted from the last save, and had to be typed again for that.
    private func putsBack(_ deleted: [Range<Int>], by edits: [Edit]) -> Bool {
      var back = 0
      for range in deleted {
        for kept in kept {
          back += kept.clamped(to: range).reduce(0) { $0 + (savedScalars[$1] > 0x20 ? 1 : 0) }
        }
      }
      guard back > 0 else { return false }
      let typed = edits.reduce(0) { sum, edit in
        sum + edit.new.reduce(0) { $0 + (new[$1] > 0x20 ? 1 : 0) }
      }
      return typed >= back
    }
  }
}
