import Foundation
import Ropewalk

/// Keeps a plain file and a document of a replica equal. Everything that happens, `settle` puts right.
///
/// Values are kept with the document in the replica, so that the process may be killed at any moment:
/// `mirror.base`, the moment whose text the file is known to hold, `mirror.writing`, the moment whose text is
/// being put into the file, and `mirror.access`, the mode and owner of a file that may be removed. The order
/// of things when the file is replaced:
///
/// ```
/// prepare temporary ─▶ note "writing" ─▶ exchange ─▶ look at what was replaced ─▶ base = written, no
/// "writing"
///                                                    a save nobody had read? into the document first
/// ```
struct Mirror {
  /// How far the file and the document are together.
  enum Standing: Equatable {
    /// They are equal.
    case equal
    /// Another program is writing the file; look again when it is done.
    case busy
    /// A program keeps the file open for writing, which replacing the file would cut off; others' changes
    /// wait.
    case open
    /// The file is not UTF-8 from this line on; it is left alone.
    case notText(line: Int)
    /// The file was removed; it is written again when `restoresMissing`.
    case missing
  }

  /// What one call of `settle` moved.
  struct Report: Equatable {
    var standing = Standing.equal
    /// Scalars that a save added to and took from the document.
    var saved = Amount()
    /// Whether a save was taken as made from an earlier text of the file.
    var savedOfThePast = false
    /// Scalars that others' changes added to and took from the file.
    var written = Amount()
    /// Files beside, in which something was kept that could not be merged.
    var kept: [String] = []
  }

  /// Scalars added and removed.
  struct Amount: Equatable {
    var inserted = 0
    var deleted = 0
    var isNothing: Bool { inserted == 0 && deleted == 0 }

    init(_ patches: [TextPatch] = []) {
      for patch in patches {
        inserted += patch.insertedText.unicodeScalars.count
        deleted += patch.deleted
      }
    }

    static func += (a: inout Amount, b: Amount) {
      a.inserted += b.inserted
      a.deleted += b.deleted
    }
  }

  static let baseKey = "mirror.base"
  static let writingKey = "mirror.writing"
  static let accessKey = "mirror.access"

  let file: PlainFile
  let document: ReplicaDocument
  var base: MirrorBase
  /// What the file held shortly before.
  var past = MirrorPast()
  /// When the file was last replaced, in seconds since 1970; the clock is `now`.
  private var replaced = 0.0
  /// What was last noted under `accessKey`.
  private var access: FileAccess?
  /// The time, in seconds since 1970.
  var now: @Sendable () -> Double = { Date().timeIntervalSince1970 }
  /// The text that was exchanged into the file, while what it replaced has not been looked at.
  var writing: TextDocument?

  init(file: PlainFile, document: ReplicaDocument, base: MirrorBase, writing: TextDocument? = nil) {
    self.file = file
    self.document = document
    self.base = base
    self.writing = writing
  }

  /// Reads what was saved, merges, and writes what others did, until both are equal or it must wait.
  ///
  /// - Parameter restoresMissing: whether a file that was removed is written again.
  mutating func settle(restoresMissing: Bool = true) throws -> Report {
    var report = Report()
    while true {
      if let target = writing, try !finishWriting(target, &report) {
        report.standing = .busy
        return report
      }
      var found: [UInt8]?
      var isOpen = false
      switch try file.read() {
      case .busy: report.standing = .busy
      case .notText(let line): report.standing = .notText(line: line)
      // Its text is written again.
      case .emptied: break
      // A file that was never there, or was empty, is nothing that an editor may be about to write again.
      case .missing: report.standing = restoresMissing || base.text.isEmpty ? .equal : .missing
      case .text(let bytes): found = bytes
      case .openText(let bytes): (found, isOpen) = (bytes, true)
      }
      guard report.standing == .equal else { return report }
      if found != nil { try noteAccess() }
      if let found, found != base.text { try save(found, &report) }
      let whole = try document.read()
      let text = whole.utf8
      if found == nil && text.isEmpty { return report }
      if found == text {
        if whole.versionVector != base.document.versionVector { try moveBase(to: whole) }
        return report
      }
      if isOpen {
        report.standing = .open
        return report
      }
      try write(whole, text, &report)
    }
  }

  /// Takes a save into the document; the file is then known to hold it.
  private mutating func save(_ text: [UInt8], _ report: inout Report) throws {
    let taken = past.saving(text, base, at: file.modified ?? now(), into: try document.read())
    let saving = taken.saving
    try document.edit(localValues: [Self.baseKey: saving.base.encoded]) { _ = try $0.apply(saving.update) }
    base = saving.base
    report.savedOfThePast = report.savedOfThePast || taken.isOfThePast
    report.saved += Amount(saving.patches)
  }

  /// Puts the document's text into the file.
  private mutating func write(_ whole: TextDocument, _ text: [UInt8], _ report: inout Report) throws {
    let known = try access ?? document.localValue(Self.accessKey).flatMap(FileAccess.init)
    try file.prepare(text, as: known)
    try document.setLocalValue(whole.versionVector.encoded, for: Self.writingKey)
    replaced = now()
    try file.exchange()
    writing = whole
    report.written += Amount(
      TextDiff.patches(from: String(decoding: base.text, as: UTF8.self), to: whole.text))
  }

  /// Looks at what the written text replaced. False if another program is still writing that.
  private mutating func finishWriting(_ target: TextDocument, _ report: inout Report) throws -> Bool {
    var update: Update?
    var unseen: MirrorBase?
    let content = try file.readTemporary()
    switch content {
    case .busy: return false
    case .missing, .emptied: break
    case .notText:
      report.kept.append(try file.keepTemporary(as: "not-text"))
    case .text(let text), .openText(let text):
      if text != base.text && text != target.utf8 {
        let taken = past.saving(
          text, base, at: file.temporaryModified ?? now(), into: try document.read())
        (update, unseen) = (taken.saving.update, taken.saving.base)
        report.savedOfThePast = report.savedOfThePast || taken.isOfThePast
        report.saved += Amount(taken.saving.patches)
      }
    }
    let values = [Self.baseKey: target.versionVector.encoded, Self.writingKey: nil]
    try document.edit(localValues: values) { document in
      if let update { _ = try document.apply(update) }
    }
    for held in [base, unseen] { if let held { past.remember(held, until: replaced) } }
    base.move(to: target)
    writing = nil
    if case .openText = content { report.kept.append(try file.keepTemporary(as: "still-open")) }
    file.removeTemporary()
    return true
  }

  /// If the file is removed it comes back as it was.
  private mutating func noteAccess() throws {
    guard let present = file.access, present != access else { return }
    if try document.localValue(Self.accessKey) != present.encoded {
      try document.setLocalValue(present.encoded, for: Self.accessKey)
    }
    access = present
  }

  private mutating func moveBase(to whole: TextDocument) throws {
    try document.setLocalValue(whole.versionVector.encoded, for: Self.baseKey)
    base.move(to: whole)
  }
}
