import Testing

@testable import RopewalkRelay

/// When what a checkpoint's parts hold was pushed.
@Suite struct PartTimesTests {
  @Test func eachPartHasTheTimeOfTheNewestEntryInIt() {
    var times = PartTimes()
    // Of two replicas in two documents, not in order, with a hole.
    let parts: [(number: Int64, document: Int64, replica: Int64, events: Range<Int64>)] = [
      (0, 1, 7, 10..<20), (1, 1, 7, 0..<10), (2, 1, 8, 0..<5), (3, 2, 7, 30..<31), (4, 1, 7, 25..<30),
    ]
    for part in parts {
      times.insert(
        number: part.number, document: part.document, replica: part.replica, first: part.events.lowerBound,
        count: Int64(part.events.count))
    }
    let isDisjoint = times.sort()
    #expect(isDisjoint)
    let entries: [(time: Int64, document: Int64, replica: Int64, events: Range<Int64>)] = [
      (5, 1, 7, 0..<3), (4, 1, 7, 3..<12), (9, 1, 7, 12..<13), (6, 1, 7, 13..<20), (2, 1, 8, 0..<5),
      (3, 1, 7, 25..<30), (8, 2, 7, 30..<31), (50, 2, 8, 0..<100), (60, 2, 7, 31..<40), (70, 1, 7, 20..<25),
    ]
    for entry in entries {
      times.note(entry.time, document: entry.document, replica: entry.replica, events: entry.events)
    }
    let found = times.all.sorted { $0.number < $1.number }.map(\.time)
    #expect(found == [9, 5, 2, 8, 3])
    #expect(
      found
        == parts.map { part in
          entries.filter {
            $0.document == part.document && $0.replica == part.replica && $0.events.overlaps(part.events)
          }.map(\.time).max() ?? 0
        })
  }

  @Test func partsThatHoldAnEventTwiceAreNoCheckpoints() {
    var times = PartTimes()
    for (number, first) in [(0, 0), (1, 5), (2, 9)] as [(Int64, Int64)] {
      times.insert(number: number, document: 1, replica: 7, first: first, count: 5)
    }
    let isDisjoint = times.sort()
    #expect(!isDisjoint)
  }
}
