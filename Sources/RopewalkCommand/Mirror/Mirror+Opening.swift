import Ropewalk

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
  static func open(
    file: PlainFile, replica: Replica, name: String, room: String, take: Side?
  ) throws -> (mirror: Mirror, kept: [String]) {
    let document = try replica.document(name, in: room)
    let whole = try document.read()
    if let encoded = try document.localValue(baseKey), let base = MirrorBase(encoded, of: whole) {
      var mirror = Mirror(file: file, document: document, base: base)
      try mirror.recover(whole)
      return (mirror, [])
    }
    return try begin(file: file, replica: replica, name: name, room: room, take: take)
  }

  /// Finds out how far a write had come when the process was killed.
  private mutating func recover(_ whole: TextDocument) throws {
    guard let encoded = try document.localValue(Self.writingKey) else {
      file.removeTemporary()
      return
    }
    let target = MirrorBase(encoded, of: whole)?.document
    if let target, try file.holds(target.utf8) || !file.holds(target.utf8, temporary: true) {
      // The exchange had happened: what the temporary file holds was replaced, and is looked at first.
      writing = target
    } else {
      try document.setLocalValue(nil, for: Self.writingKey)
      file.removeTemporary()
    }
  }

  /// The first time, or after the name came to mean another document.
  private static func begin(
    file: PlainFile, replica: Replica, name: String, room: String, take: Side?
  ) throws -> (mirror: Mirror, kept: [String]) {
    var document = try replica.document(name, in: room)
    let whole = try document.read()
    if case .text(let replaced) = try file.readTemporary(), !replaced.isEmpty, replaced != whole.utf8 {
      _ = try file.keepBeside(replaced, as: "mine")
    }
    file.removeTemporary()
    try document.setLocalValue(nil, for: writingKey)
    let bytes: [UInt8]
    switch try file.read() {
    case .text(let found), .openText(let found): bytes = found
    case .missing, .emptied: bytes = []
    case .notText(let line): throw notText(file, line)
    case .busy: throw Failure(.file, "\(file.path) is being written by another program; try again")
    }
    if bytes.isEmpty {
      let empty = MirrorBase(TextDocument(lineage: whole.lineage))
      try document.setLocalValue(empty.encoded, for: baseKey)
      return (Mirror(file: file, document: document, base: empty), [])
    }
    if whole.eventCount == 0 {
      document = try replica.seed(name, in: room, with: String(decoding: bytes, as: UTF8.self))
      let base = MirrorBase(try document.read())
      try document.setLocalValue(base.encoded, for: baseKey)
      return (Mirror(file: file, document: document, base: base), [])
    }
    if bytes == whole.utf8 || take == .file {
      let kept = bytes == whole.utf8 ? [] : [try file.keepBeside(whole.utf8, as: "room")]
      let base = MirrorBase(whole)
      try document.setLocalValue(base.encoded, for: baseKey)
      return (Mirror(file: file, document: document, base: base), kept)
    }
    guard take == .room else { throw clash(file, room) }
    // The file's text is safe beside; what replaces it is then looked at as any other write.
    let kept = try file.keepBeside(bytes, as: "mine")
    var mirror = Mirror(
      file: file, document: document, base: MirrorBase(TextDocument(lineage: whole.lineage)))
    try mirror.replaceKept(bytes, by: whole)
    return (mirror, [kept])
  }

  /// Puts the document's text in place of a text that was kept beside.
  private mutating func replaceKept(_ known: [UInt8], by whole: TextDocument) throws {
    try file.prepare(whole.utf8)
    try file.exchange()
    if case .text(let replaced) = try file.readTemporary(), replaced != known {
      _ = try file.keepBeside(replaced, as: "mine")
    }
    file.removeTemporary()
    try document.setLocalValue(whole.versionVector.encoded, for: Self.baseKey)
    base.move(to: whole)
  }

  /// Settles a clash of lineages that came up when the room was read: the name means the room's document from now on.
  static func adopt(
    file: PlainFile, replica: Replica, name: String, room: String, take: Side?
  ) throws -> (mirror: Mirror, kept: [String]) {
    let document = try replica.document(name, in: room)
    guard let rooms = try document.lineages().first(where: { $0.isRooms }), !rooms.isCurrent else {
      return try open(file: file, replica: replica, name: name, room: room, take: take)
    }
    guard let take else { throw clash(file, room) }
    var kept: [String] = []
    switch take {
    case .room:
      try document.adoptRoomLineage(carryingOver: .nothing)
    case .file:
      let key = DocumentKey(name: document.name, lineage: rooms.lineage)
      let theirs = try replica.document(key, in: document.room).read()
      kept.append(try file.keepBeside(theirs.utf8, as: "room"))
      try document.adoptRoomLineage(carryingOver: .replacing)
    }
    let opened = try open(file: file, replica: replica, name: name, room: room, take: take)
    return (opened.mirror, kept + opened.kept)
  }

  static func notText(_ file: PlainFile, _ line: Int) -> Failure {
    Failure(
      .file,
      "\(file.name) is not UTF-8 (line \(line)); it is left alone. Save it as UTF-8, for example by "
        + "`iconv -f latin1 -t utf-8`")
  }

  static func clash(_ file: PlainFile, _ room: String) -> Failure {
    Failure(
      .lineageClash,
      """
      \(file.name) and room \(room) both have a text already, and neither began as the other. Nothing was changed. \
      Say which one goes on:
        --take room   \(file.name) becomes the room's text; what it holds now is kept as \(file.name).mine
        --take file   the room's text becomes \(file.name)'s; what it was is kept as \(file.name).room
      """)
  }
}
