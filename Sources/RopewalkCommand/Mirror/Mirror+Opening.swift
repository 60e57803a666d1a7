import Ropewalk
import RopewalkPlainText

extension Mirror {
  /// Which text wins where file and room began with different ones. The other is kept beside the file.
  enum Side: String, CaseIterable {
    case room
    case file
  }

  /// Goes on where the last mirror of this file stopped, or begins.
  ///
  /// Throws a `lineageClash` failure where both the file and the document have a text, neither is known to come from
  /// the other, and nobody said which to take.
  ///
  /// - Parameter mark: kept with the file; tells whether the replica is older than the file.
  static func open(
    file: PlainFile, replica: Replica, name: String, room: String, take: Side?, mark: FileMark? = nil
  ) throws -> (mirror: Mirror, kept: [String]) {
    let document = try replica.document(name, in: room)
    let whole = try document.read()
    guard let encoded = try document.localValue(seenKey), let seen = SeenTexts(encoded: encoded) else {
      return try begin(document, whole, file: file, replica: replica, take: take, mark: mark)
    }
    let held = seen.isKnown(to: whole) ? seen.holding(in: whole) : nil
    var mirror = try Mirror(file: file, document: document, seen: seen, held: held?.utf8 ?? [], mark: mark)
    if let count = mark?.count, count > seen.count {
      mirror.wait()
    } else if held == nil {
      // Events were taken out since: what the file holds is the best that is known of it.
      if case .text(let bytes) = try file.read() { mirror.assume(bytes) }
      try mirror.relocate()
      file.removeTemporary()
    } else {
      try mirror.recover(whole)
    }
    return (mirror, [])
  }

  /// The first time, or after the name came to mean another document.
  private static func begin(
    _ document: ReplicaDocument, _ whole: TextDocument, file: PlainFile, replica: Replica, take: Side?,
    mark: FileMark?
  ) throws -> (mirror: Mirror, kept: [String]) {
    if case .text(let replaced) = try file.readTemporary(), !replaced.isEmpty, replaced != whole.utf8 {
      _ = try file.keepBeside(replaced, as: "mine")
    }
    file.removeTemporary()
    func beginning(with moment: TextDocument, kept: [String] = []) throws -> (mirror: Mirror, kept: [String])
    {
      (try Mirror(file: file, document: document, holding: moment, mark: mark), kept)
    }
    let bytes: [UInt8]
    switch try file.read() {
    case .text(let found), .openText(let found): bytes = found
    case .missing, .emptied: bytes = []
    case .notText(let line): throw notText(file, line)
    case .busy: throw Failure(.file, "\(file.path) is being written by another program; try again")
    }
    if bytes.isEmpty { return try beginning(with: TextDocument(lineage: whole.lineage)) }
    let text = String(decoding: bytes, as: UTF8.self)
    if whole.eventCount == 0 {
      do throws(ReplicaError) {
        try replica.seed(document.name.text, in: document.room.text, with: text)
      } catch .lineageClash {
        // All that the room has of its document cannot be merged: the text becomes an edit of that.
        return try beginning(with: TextDocument(lineage: whole.lineage))
      }
      return try beginning(with: document.read())
    }
    let theirs = whole.utf8
    // Into an empty room goes the file's text, whatever was there once: nobody may empty a file by that.
    if theirs.isEmpty { return try beginning(with: whole) }
    if bytes == theirs { return try beginning(with: whole) }
    if take == .file {
      return try beginning(with: whole, kept: [try file.keepBeside(whole.utf8, as: "room")])
    }
    // An older copy of the room's text.
    if take == nil, let search = MomentSearch(for: text, in: whole), search.isExact,
      let moment = TextDocument(whole, at: search.moment)
    {
      return try beginning(with: moment)
    }
    guard take == .room else { throw clash(file, document.room.text) }
    // The file's text is safe beside.
    let kept = try file.keepBeside(bytes, as: "mine")
    try replace(bytes, in: file, by: whole)
    return try beginning(with: whole, kept: [kept])
  }

  /// Puts the document's text in place of a text that was kept beside.
  private static func replace(_ known: [UInt8], in file: PlainFile, by whole: TextDocument) throws {
    try file.prepare(whole.utf8)
    try file.exchange()
    if case .text(let replaced) = try file.readTemporary(), replaced != known {
      _ = try file.keepBeside(replaced, as: "mine")
    }
    file.removeTemporary()
  }

  /// Settles a clash of lineages that came up when the room was read: the name means the room's document from now on.
  static func adopt(
    file: PlainFile, replica: Replica, name: String, room: String, take: Side?, mark: FileMark? = nil
  ) throws -> (mirror: Mirror, kept: [String]) {
    let document = try replica.document(name, in: room)
    guard let rooms = try document.lineages().first(where: { $0.isRooms }), !rooms.isCurrent else {
      return try open(file: file, replica: replica, name: name, room: room, take: take, mark: mark)
    }
    guard let take = try take ?? obviousSide(file, document, in: replica, rooms) else {
      let isSent = try document.lineages().contains { $0.isCurrent && !$0.isHeldBack }
      throw clash(file, room, isSent: isSent)
    }
    var kept: [String] = []
    switch take {
    case .room:
      try document.adoptRoomLineage(carryingOver: .nothing)
    case .file:
      let key = DocumentKey(name: document.name, lineage: rooms.lineage)
      let theirs = try replica.document(key, in: document.room).read().utf8
      if !theirs.isEmpty { kept.append(try file.keepBeside(theirs, as: "room")) }
      try document.adoptRoomLineage(carryingOver: .replacing)
    }
    let opened = try open(file: file, replica: replica, name: name, room: room, take: take, mark: mark)
    return (opened.mirror, kept + opened.kept)
  }

  /// The side that has a text, where the other has none that could be lost; so nobody keeps others out by an event under a name.
  private static func obviousSide(
    _ file: PlainFile, _ document: ReplicaDocument, in replica: Replica, _ rooms: LineageStatus
  ) throws -> Side? {
    let key = DocumentKey(name: document.name, lineage: rooms.lineage)
    if try replica.document(key, in: document.room).read().utf8.isEmpty { return .file }
    guard try !document.lineages().contains(where: { $0.isCurrent && $0.isHeldBack }) else { return nil }
    switch try file.read() {
    case .missing, .emptied: return .room
    case .text(let bytes), .openText(let bytes): return bytes.isEmpty ? .room : nil
    case .notText, .busy: return nil
    }
  }

  static func notText(_ file: PlainFile, _ line: Int) -> Failure {
    Failure(
      .file,
      "\(file.name) is not UTF-8 (line \(line)); it is left alone. Save it as UTF-8, for example by "
        + "`iconv -f latin1 -t utf-8`")
  }

  /// - Parameter isSent: whether the file's text came into the room's log at the moment in which the other did.
  static func clash(_ file: PlainFile, _ room: String, isSent: Bool = false) -> Failure {
    let name = FilePlace.shown(file.name)
    let changed =
      isSent
      ? "Both are in the room's log, the other was first; no file was changed." : "Nothing was changed."
    return Failure(
      .lineageClash,
      "\(name) and room \(VisibleName.text(room)) both have a text already, and neither began as the other. \(changed) "
        + "Say which one goes on:",
      details: [
        "  --take room   \(name) becomes the room's text; what it holds now is kept as \(name).mine",
        "  --take file   the room's text becomes \(name)'s; what it was is kept as \(name).room",
      ])
  }
}
