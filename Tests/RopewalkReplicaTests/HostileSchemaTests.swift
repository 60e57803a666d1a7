import DamagedFiles
import Testing

@testable import RopewalkReplica

/// A file whose schema is not exactly a replica's is refused before anything in it could run.
@Suite(.timeLimit(.minutes(2))) struct HostileSchemaTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func makeFile() throws {
    let replica = try scratch.open()
    try replica.document("notes", in: "team").insert("text", at: 0)
    try replica.close()
  }

  private func isSchema(_ error: any Error) -> Bool {
    if case ReplicaError.damaged(let damage) = error { damage.place == "schema" } else { false }
  }

  @Test(arguments: HostileSchema.all) func foreignCodeIsRefusedAndNeverRun(_ hostile: HostileSchema) throws {
    try makeFile()
    try scratch.execute(hostile.statements)
    #expect { try scratch.open() } throws: { isSchema($0) }
    #expect { try scratch.open("other").merge(from: scratch.path()) } throws: { isSchema($0) }
    #expect(try Replica.verify(path: scratch.path()).damage.map(\.place) == ["schema"])
  }

  @Test(arguments: HostileSchema.all) func foreignCodeInAnOlderFileIsRefused(_ hostile: HostileSchema) throws
  {
    try scratch.execute(replicaVersion1)
    try scratch.execute(hostile.statements)
    #expect { try scratch.open() } throws: { isSchema($0) }
    #expect(try scratch.integer("PRAGMA user_version") == 1)
  }

  @Test func anEmptyFileOfAnotherProgramIsNoReplica() throws {
    try scratch.execute("CREATE VIEW rooms AS SELECT 1")
    #expect(throws: ReplicaError.notAReplica) { try scratch.open() }
  }

  @Test func statisticsAndVacuumingChangeNothing() throws {
    try makeFile()
    try scratch.execute("ANALYZE; VACUUM")
    #expect(try scratch.integer("SELECT count(*) FROM sqlite_stat1") ?? 0 > 0)
    #expect(try scratch.open().document("notes", in: "team").text == "text")
    #expect(try Replica.verify(path: scratch.path()).isSound)
  }
}
