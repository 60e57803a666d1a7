import GRDB
import RopewalkCore
import RopewalkSync

/// A check of a whole file: SQLite's own, then every row against what it must agree with.
struct Verification {
  let db: Database
  private let source: Transaction
  private var report = VerificationReport(damage: [], soundDocuments: [], damagedDocuments: [], held: [])

  static func run(_ path: String) throws(ReplicaError) -> VerificationReport {
    do {
      let options = ReplicaOptions()
      let queue = try ReplicaFile.queueForReading(path, options)
      defer { try? queue.close() }
      return try ReplicaError.mapping {
        try queue.writeWithoutTransaction { db in
          var report: VerificationReport?
          try db.inTransaction(.deferred) {
            var verification = Verification(db, options)
            verification.checkAll()
            report = verification.report
            return .commit
          }
          guard let report else { throw ReplicaError.closed }
          return report
        }
      }
    } catch .damaged(let damage) {
      return VerificationReport(damage: [damage], soundDocuments: [], damagedDocuments: [], held: [])
    }
  }

  private init(_ db: Database, _ options: ReplicaOptions) {
    self.db = db
    source = Transaction(db, ReplicaState(), options, Observers())
  }

  private mutating func checkAll() {
    checking("file") { verification in
      for row in try verification.db.rows("PRAGMA integrity_check(100)") where try row.string(0) != "ok" {
        verification.add("file", nil, try row.string(0))
      }
      for row in try verification.db.rows("PRAGMA foreign_key_check") {
        verification.add(
          try row.string(0), try row.optionalInteger(1), "the row refers to one that is not there")
      }
    }
    checking("rooms") { verification in
      for row in try verification.db.rows("SELECT id FROM rooms") {
        let id = try row.integer(0)
        verification.checking("rooms", id) { try $0.checkRoom(id) }
      }
    }
    checking("held") { verification in
      verification.report.held = try verification.source.heldEntries(in: nil)
    }
    checking("documents") { verification in
      for row in try verification.db.rows("SELECT id FROM documents ORDER BY id") {
        verification.checkDocument(try row.integer(0))
      }
      let names = """
        SELECT min(id) FROM documents GROUP BY room, name HAVING sum(is_current) <> 1
        """
      for row in try verification.db.rows(names) {
        verification.add("documents", try row.integer(0), "a name means no document or several")
      }
    }
  }

  mutating func add(_ place: String, _ row: Int64?, _ problem: String) {
    report.damage.append(ReplicaError.Damage(place: place, row: row, problem: problem))
  }

  /// Runs a check; what it throws is damage too.
  private mutating func checking(
    _ place: String, _ row: Int64? = nil, _ body: (inout Verification) throws -> Void
  ) {
    do { try body(&self) } catch {
      switch ReplicaError(error) {
      case .damaged(let damage): report.damage.append(damage)
      case let other: add(place, row, other.description)
      }
    }
  }

  private mutating func checkRoom(_ id: Int64) throws {
    guard let row = try db.row("SELECT name, cursor, digest, checkpoint FROM rooms WHERE id = ?", [id]) else {
      return
    }
    if RoomName(try row.string(0)) == nil { add("rooms", id, "the name breaks the rule") }
    if LogDigest(bytes: try row.bytes(2)) == nil { add("rooms", id, "the digest is not 16 bytes long") }
    let cursor = try row.integer(1)
    // A checkpoint stands in for the entries up to it.
    let start = min(try row.integer(3), cursor)
    let entries = try db.row(
      "SELECT count(*) FROM entries WHERE room = ? AND cursor > ? AND cursor <= ?", [id, start, cursor])
    if try entries?.integer(0) != cursor &- start {
      add("rooms", id, "the log was read to \(cursor), and not all of its entries are noted")
    }
  }

  // MARK: Documents

  private mutating func checkDocument(_ id: Int64) {
    let before = report.damage.count
    checking("documents", id) { verification in
      let loaded = try LoadedDocument(id, in: verification.db)
      try verification.checkText(of: loaded)
      try verification.checkFigures(of: loaded)
      try verification.checkOutbox(of: loaded)
      try verification.checkEntries(of: loaded)
      try verification.checkTips(of: loaded)
      guard verification.report.damage.count == before else { return }
      verification.report.soundDocuments.append(try verification.source.status(of: id))
    }
    if report.damage.count != before { noteDamagedDocument(id) }
  }

  /// The text is what the events give, replayed from scratch, and the plain text is that of its moment.
  private mutating func checkText(of loaded: LoadedDocument) throws {
    var replayed = TextDocument(lineage: loaded.key.lineage)
    do { _ = try replayed.apply(loaded.document.update(since: VersionVector())) } catch {
      throw ReplicaError.damaged(.init(error, in: "documents", row: loaded.id))
    }
    if replayed.utf8 != loaded.document.utf8 {
      add("documents", loaded.id, "the snapshot's text is not what its events give")
    }
    guard
      let row = try db.row(
        """
        SELECT CAST(coalesce(t.text, '') AS BLOB), d.text_update FROM documents d
        LEFT JOIN texts t ON t.document = d.id WHERE d.id = ?
        """, [loaded.id])
    else { return }
    let update = try row.integer(1)
    guard update >= loaded.snapshotUpdate else {
      add("documents", loaded.id, "the plain text is older than the snapshot")
      return
    }
    let then = update >= loaded.lastUpdate ? loaded : try LoadedDocument(loaded.id, in: db, upTo: update)
    if try row.bytes(0) != then.document.utf8 {
      add("documents", loaded.id, "the plain text is not the document's")
    }
  }

  private mutating func checkFigures(of loaded: LoadedDocument) throws {
    let status = try source.status(of: loaded.id)
    if status.version != loaded.document.version || status.eventCount != loaded.document.eventCount
      || status.scalarCount != loaded.document.scalarCount
    {
      add("documents", loaded.id, "version, events or scalars are not the document's")
    }
    let waiting = try db.row("SELECT waiting FROM documents WHERE id = ?", [loaded.id])?.integer(0)
    if waiting != Int64(loaded.document.waitingUpdateCount) {
      add("documents", loaded.id, "it does not say how many updates wait in it")
    }
  }

  private mutating func checkOutbox(of loaded: LoadedDocument) throws {
    let rows = try db.rows(
      #"SELECT id, replica, first, "end", cut FROM outbox WHERE document = ?"#, [loaded.id])
    for row in rows {
      let number = try row.integer(0)
      let span = try row.span(1)
      if loaded.vector[span.replica] < span.seqs.upperBound {
        add("outbox", number, "the document lacks some of the events")
      }
      guard let cut = try row.optionalBytes(4) else { continue }
      do {
        if try Update(bytes: cut).spans != [span] { add("outbox", number, "the cut holds other events") }
      } catch { report.damage.append(.init(error, in: "outbox", row: number)) }
    }
  }

  /// What the log is known to hold is in the document, waits there, or was kept aside.
  private mutating func checkEntries(of loaded: LoadedDocument) throws {
    guard loaded.document.pendingEventCount == 0 else { return }
    let rows = try db.rows(
      """
      SELECT e.replica, e.first, e."end", e.cursor FROM entries e
      JOIN rooms r ON r.id = e.room WHERE e.document = ? AND e.cursor <= r.cursor
      AND NOT EXISTS (SELECT 1 FROM held h WHERE h.room = e.room AND h.cursor = e.cursor)
      UNION ALL SELECT c.replica, c.first, c."end", c.cursor FROM checkpoint_spans c
      JOIN documents d ON d.id = c.document WHERE c.document = ?
      AND NOT EXISTS (SELECT 1 FROM held h WHERE h.room = d.room AND h.cursor < 0)
      """, [loaded.id, loaded.id])
    for row in rows {
      let span = try row.span(0)
      if loaded.vector[span.replica] < span.seqs.upperBound {
        add("entries", try row.integer(3), "the document lacks some of the events")
      }
    }
  }

  private mutating func noteDamagedDocument(_ id: Int64) {
    let row = try? db.row(
      """
      SELECT r.name, d.name, d.lineage, length(CAST(t.text AS BLOB)) FROM documents d
      LEFT JOIN rooms r ON r.id = d.room LEFT JOIN texts t ON t.document = d.id WHERE d.id = ?
      """, [id])
    guard let row else { return }
    report.damagedDocuments.append(
      VerificationReport.Lost(
        room: (try? row.optionalString(0)) ?? "", name: (try? row.optionalString(1)) ?? "",
        lineage: Lineage(rawValue: (try? row.unsigned(2)) ?? 0),
        readableTextBytes: (try? row.optionalInteger(3)).map { Int($0) }))
  }
}
