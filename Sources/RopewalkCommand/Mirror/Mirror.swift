import Foundation
import Ropewalk

/// Keeps a plain file and a document of a replica equal. Everything that happens, `settle` puts right.
///
/// Two values are kept with the document in the replica, so that the process may be killed at any moment: `moment.mirror.seen`, what
/// the file's editor can have read there (`SeenTexts`), and `mirror.access`, the mode and owner of a file that may be
/// removed. The order of things when the file is replaced:
///
/// ```
/// prepare temporary ─▶ note "is writing" ─▶ exchange ─▶ look at what was replaced ─▶ note "written"
///                                                       a save nobody had read? into the document first
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
    /// The replica is older than the file; both are left alone until the room was read (`catchUp`).
    case behind
  }

  /// What one call of `settle` moved.
  struct Report: Equatable {
    var standing = Standing.equal
    /// Scalars that a save added to and took from the document.
    var saved = Amount()
    /// Whether a save was merged as one made from an earlier text, so that what others wrote since comes back.
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

  static let seenKey = "moment.mirror.seen"
  static let accessKey = "mirror.access"

  let file: PlainFile
  let document: ReplicaDocument
  /// What the file's editor can have had, as the replica knows it.
  private(set) var seen: SeenTexts
  /// The text that the file is known to hold.
  private(set) var held: [UInt8]
  /// The text that was exchanged into the file, while what it replaced has not been looked at.
  private var writing: TextDocument?
  /// Whether the replica is older than the file.
  private(set) var isBehind = false
  /// Who writes what is saved in the file. Belongs to this mirror alone, from its start to its end.
  private var writer = ReplicaID(rawValue: UInt64.random(in: 1 ... .max))
  /// What was last noted under `accessKey`.
  private var access: FileAccess?
  /// The count of `seen`, kept with the file.
  private let mark: FileMark?
  /// Milliseconds since 1970.
  var now: @Sendable () -> UInt64 = { UInt64(max(0, Date().timeIntervalSince1970 * 1000)) }

  /// A mirror of a file that holds the text of `moment`.
  init(file: PlainFile, document: ReplicaDocument, holding moment: TextDocument, mark: FileMark?) throws {
    try self.init(
      file: file, document: document, seen: SeenTexts(saved: moment.versionVector), held: moment.utf8,
      mark: mark)
    try note(seen)
  }

  /// A mirror that goes on.
  init(file: PlainFile, document: ReplicaDocument, seen: SeenTexts, held: [UInt8], mark: FileMark?) throws {
    (self.file, self.document, self.seen, self.held, self.mark) = (file, document, seen, held, mark)
  }

  /// Reads what was saved, merges, and writes what others did, until both are equal or it must wait.
  ///
  /// - Parameter restoresMissing: whether a file that was removed is written again.
  mutating func settle(restoresMissing: Bool = true) throws -> Report {
    var report = Report()
    if isBehind {
      report.standing = .behind
      return report
    }
    while true {
      if let target = writing, try !untilMade(&report, { try $0.finishWriting(target, &$1) }) {
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
      case .missing: report.standing = restoresMissing || held.isEmpty ? .equal : .missing
      case .text(let bytes): found = bytes
      case .openText(let bytes): (found, isOpen) = (bytes, true)
      }
      guard report.standing == .equal else { return report }
      if found != nil { try noteAccess() }
      if let found, found != held { try untilMade(&report) { try $0.save(found, &$1) } }
      let whole = try read().document
      let text = whole.utf8
      if found == nil && text.isEmpty { return report }
      if found == text {
        if !seen.holds(whole) { try note(seen.writing(whole, at: now())) }
        return report
      }
      if isOpen {
        report.standing = .open
        return report
      }
      try write(whole, text, &report)
    }
  }

  /// The document and its generation. What the file's editor can have had is known by the ids that its events have now.
  private mutating func read() throws -> (document: TextDocument, generation: Int64) {
    for _ in 0..<2 {
      let present = try document.readWithGeneration()
      // The replica gives events other ids, here as in the document, where somebody else has used theirs.
      if let stored = try document.localValue(Self.seenKey).flatMap({ SeenTexts(encoded: $0) }),
        stored.count == seen.count
      {
        seen = stored
      }
      if seen.isKnown(to: present.document) { return present }
    }
    try relocate()
    return try document.readWithGeneration()
  }

  /// Does something that edits the document as it was read, again if its events get other ids in between.
  private mutating func untilMade<Result>(
    _ report: inout Report, _ body: (inout Mirror, inout Report) throws -> Result
  ) throws -> Result {
    while true {
      var attempt = report
      do {
        let result = try body(&self, &attempt)
        report = attempt
        return result
      } catch is RewrittenDocument {}
    }
  }

  /// Takes a save into the document; the file is then known to hold it.
  private mutating func save(_ text: [UInt8], _ report: inout Report) throws {
    let (whole, generation) = try read()
    let saving = try merging(text, seen, whole, &report)
    try document.edit(localValues: [Self.seenKey: saving.seen.encoded], in: generation) {
      _ = try $0.apply(saving.update)
    }
    noted(saving.seen)
    held = text
  }

  /// A save as an edit of the moment that it was made from, and what its editor can have had after it.
  private mutating func merging(
    _ text: [UInt8], _ seen: SeenTexts, _ whole: TextDocument, _ report: inout Report
  ) throws -> (update: Update, seen: SeenTexts) {
    let words = String(decoding: text, as: UTF8.self)
    guard let origin = SaveOrigin(of: words, seen: seen, in: whole, at: now()) else {
      throw Failure(
        .checkFailed, "the replica does not know the text that \(file.name) had; `ropewalk verify` checks it")
    }
    var edited = origin.document
    let before = edited.versionVector
    // The events of one id form one line: it can only go on where all of them are known. What waits under it is
    // somebody else's.
    let isUsed = whole.waitingUpdates.contains { $0.spans.contains { $0.replica == writer } }
    if isUsed || before[writer] != whole.versionVector[writer] {
      writer = ReplicaID(rawValue: UInt64.random(in: 1 ... .max))
    }
    edited.replica = writer
    for patch in origin.patches {
      edited.replace(patch.position..<patch.position + patch.deleted, with: patch.insertedText)
    }
    var after = seen
    after.save(
      edited.versionVector, from: (origin.index, before), isDoubtful: origin.isEarlier)
    report.saved += Amount(origin.patches)
    report.savedOfThePast = report.savedOfThePast || origin.isEarlier
    return (edited.update(since: before), after)
  }

  /// Puts the document's text into the file.
  private mutating func write(_ whole: TextDocument, _ text: [UInt8], _ report: inout Report) throws {
    let known = try access ?? document.localValue(Self.accessKey).flatMap(FileAccess.init)
    try file.prepare(text, as: known)
    try note(seen.writing(whole, at: now(), isBegun: true))
    try file.exchange()
    writing = whole
    report.written += Amount(
      TextDiff.patches(from: String(decoding: held, as: UTF8.self), to: whole.text))
  }

  /// Looks at what the written text replaced. False if another program is still writing that.
  private mutating func finishWriting(_ target: TextDocument, _ report: inout Report) throws -> Bool {
    var update: Update?
    let (whole, generation) = try read()
    var next = seen
    let content = try file.readTemporary()
    switch content {
    case .busy: return false
    case .missing, .emptied: break
    case .notText:
      report.kept.append(try file.keepTemporary(as: "not-text"))
    case .text(let text), .openText(let text):
      if text != held && text != target.utf8 {
        // Its editor cannot have read what was only written after it.
        let saving = try merging(text, seen.beforeWriting, whole, &report)
        (update, next) = (saving.update, saving.seen)
      }
    }
    next = next.writing(target, at: now())
    try document.edit(localValues: [Self.seenKey: next.encoded], in: update.map { _ in generation }) {
      document in
      if let update { _ = try document.apply(update) }
    }
    noted(next)
    held = target.utf8
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

  private mutating func note(_ next: SeenTexts) throws {
    try document.setLocalValue(next.encoded, for: Self.seenKey)
    noted(next)
  }

  /// After the replica knows it, never before: the mark must not be ahead.
  private mutating func noted(_ next: SeenTexts) {
    seen = next
    mark?.set(next.count)
  }
}

// MARK: Going on

extension Mirror {
  /// Finds out how far a write had come when the process was killed.
  mutating func recover(_ whole: TextDocument) throws {
    guard seen.isWriting else {
      file.removeTemporary()
      return
    }
    let target = seen.holding(in: whole)
    if let target, try file.holds(target.utf8) || !file.holds(target.utf8, temporary: true) {
      // The exchange had happened: what the temporary file holds was replaced, and is looked at first.
      writing = target
      if let before = seen.beforeWriting.holding(in: whole) { held = before.utf8 }
    } else {
      var next = seen
      next.cancelWriting()
      try note(next)
      if let before = next.holding(in: whole) { held = before.utf8 }
      file.removeTemporary()
    }
  }

  /// The replica is older than the file: nothing is compared before the room was read.
  mutating func wait() { isBehind = true }

  /// The file holds this, as far as is known.
  mutating func assume(_ text: [UInt8]) { held = text }

  /// Whether the file holds something that a moment of the room might explain better than a save.
  func differs() throws -> Bool {
    if isBehind { return true }
    switch try file.read() {
    case .text(let bytes), .openText(let bytes): return bytes != held
    case .busy, .missing, .emptied, .notText: return false
    }
  }

  /// The room was read: finds the moment whose text the file holds, and goes on from there.
  ///
  /// If the replica is older than the file, that is the moment that comes nearest to it; else only one with just the file's
  /// text.
  mutating func catchUp() throws {
    let whole = try document.read()
    let first = seen.holding(in: whole)?.eventCount ?? 0
    switch try file.read() {
    case .busy: return
    case .text(let bytes), .openText(let bytes):
      let search = MomentSearch(for: String(decoding: bytes, as: UTF8.self), in: whole, from: first)
      if let search, isBehind || search.isExact { try goOn(from: search.moment, in: whole) }
    case .missing, .emptied, .notText: break
    }
    guard isBehind else { return }
    file.removeTemporary()
    writing = nil
    isBehind = false
  }

  /// The document does not know the moment that the file holds, since events were taken out: it is found by its text.
  mutating func relocate() throws {
    let whole = try document.read()
    guard let search = MomentSearch(for: String(decoding: held, as: UTF8.self), in: whole) else { return }
    let text = held
    try goOn(from: search.moment, in: whole)
    held = text
  }

  private mutating func goOn(from moment: VersionVector, in whole: TextDocument) throws {
    guard let document = TextDocument(whole, at: moment) else { return }
    var next = SeenTexts(saved: moment)
    next.goOn(after: max(seen.count, mark?.count ?? 0))
    try note(next)
    held = document.utf8
  }
}
