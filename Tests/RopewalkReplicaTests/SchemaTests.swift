import Foundation
import Testing

@testable import RopewalkReplica

/// The file's statements, as others read them.
@Suite struct SchemaTests {
  /// A file with any other object, or without one of these, would be refused.
  @Test func theStatementsOfTheSpecificationMakeAReplica() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let page = try String(contentsOf: root.appendingPathComponent("Spec/replica.md"), encoding: .utf8)
    let after = try #require(page.range(of: "```sql\n"))
    let rest = page[after.upperBound...]
    let statements = rest[..<(try #require(rest.range(of: "```")).lowerBound)]
    let numbers = "PRAGMA application_id = \(Schema.applicationID); PRAGMA user_version = \(Schema.current)"
    #expect(page.contains("`\(numbers)`"))

    let scratch = try Scratch()
    try scratch.execute("\(statements); \(numbers)")
    let replica = try scratch.open()
    try replica.document("notes", in: "team").insert("text", at: 0)
    try replica.close()
    #expect(try Replica.verify(path: scratch.path()).damage == [])
  }
}
