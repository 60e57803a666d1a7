import Ropewalk

/// What the file is known to hold: a moment of the document.
///
/// An editor saves what it made of the text that it had read, not of the text that the document has by now. So a
/// save is written into the document at the moment whose text the file held, and merges with what came since
/// as any other concurrent edit. `document` is the document at that moment, `version` is kept in the replica.
struct MirrorBase {
  private(set) var document: TextDocument
  /// Who writes what is saved in the file. Belongs to this mirror alone, from its start to its end.
  private var writer = ReplicaID(rawValue: UInt64.random(in: 1 ... .max))

  /// The document as it is now.
  init(_ document: TextDocument) { self.document = document }

  /// The document at an earlier moment; nil if it does not know that moment.
  init?(_ encoded: [UInt8], of whole: TextDocument) {
    guard let known = try? VersionVector(encoded: encoded) else { return nil }
    guard let document = TextDocument(whole, at: known) else { return nil }
    self.document = document
  }

  /// The text that the file is known to hold.
  var text: [UInt8] { document.utf8 }

  /// What to keep in the replica.
  var encoded: [UInt8] { document.versionVector.encoded }

  /// A save, taken as made from this base: what it does to the document, and the base after it.
  struct Saving {
    var update: Update
    var base: MirrorBase
    var patches: [TextPatch]

    /// Scalars added and removed.
    var cost: Int { patches.reduce(0) { $0 + $1.deleted + $1.insertedText.unicodeScalars.count } }
  }

  /// Takes `text` as a save of somebody who had read this base.
  ///
  /// - Parameter whole: the document as it is now.
  func saving(_ text: [UInt8], into whole: TextDocument) -> Saving {
    var base = self
    // The events of one id form one line: it can only go on where all of them are known.
    if base.document.versionVector[writer] != whole.versionVector[writer] {
      base.writer = ReplicaID(rawValue: UInt64.random(in: 1 ... .max))
    }
    let before = base.document.versionVector
    let patches = TextDiff.patches(
      from: base.document.text, to: String(decoding: text, as: UTF8.self))
    base.document.replica = base.writer
    for patch in patches {
      base.document.replace(patch.position..<patch.position + patch.deleted, with: patch.insertedText)
    }
    return Saving(update: base.document.update(since: before), base: base, patches: patches)
  }

  /// The file now holds the text of `document`.
  mutating func move(to document: TextDocument) { self.document = document }
}
