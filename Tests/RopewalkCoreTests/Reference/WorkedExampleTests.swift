import RopewalkCore
import Testing

/// The example of `Spec/merge-order.md`.
@Suite struct WorkedExampleTests {
  private static func event(
    _ id: (UInt64, UInt32), after parents: [(UInt64, UInt32)], _ operation: ReferenceEvent.Operation
  ) -> ReferenceEvent {
    let ids = ([id] + parents).map { EventID(replica: ReplicaID(rawValue: $0.0), seq: $0.1) }
    return ReferenceEvent(id: ids[0], parents: Array(ids.dropFirst()), operation: operation)
  }

  private static let events = [
    event((1, 0), after: [], .insert("a", at: 0)),
    event((1, 1), after: [(1, 0)], .insert("b", at: 1)),
    event((2, 0), after: [(1, 1)], .insert("X", at: 1)),
    event((2, 1), after: [(2, 0)], .insert("Y", at: 2)),
    event((3, 0), after: [(1, 1)], .insert("Q", at: 1)),
    event((3, 1), after: [(3, 0)], .insert("P", at: 1)),
    event((4, 0), after: [(1, 1)], .delete(at: 0)),
    event((5, 0), after: [(1, 0)], .insert("z", at: 1)),
    event((6, 0), after: [(2, 1), (3, 1), (4, 0), (5, 0)], .insert("!", at: 99)),
    event((6, 1), after: [(6, 0)], .delete(at: 7)),
  ]

  @Test(arguments: [(2, "ab"), (4, "aXYb"), (8, "XYPQbz"), (9, "XYPQbz!"), (10, "XYPQbz!")])
  func theExampleOfTheSpecificationHolds(count: Int, text: String) throws {
    let events = Array(Self.events.prefix(count))
    var reference = ReferenceHistory()
    for event in events { reference.add(event) }
    #expect(String(reference.scalars(in: Array(repeating: true, count: count))) == text)
    #expect(String(ReferenceWalk.scalars(of: reference)) == text)
    var document = TextDocument()
    _ = try document.apply(Update(bytes: ReferenceEncoder.update(of: events)))
    #expect(document.text == text)
    for event in Self.events.prefix(count).reversed() {
      _ = try document.apply(Update(bytes: ReferenceEncoder.update(of: [event])))
    }
    #expect(document.text == text)
  }
}
